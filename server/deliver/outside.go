package deliver

import "aviary/fanout/wire"

// Some clients have a place but no subscription: they are served by package
// server, which counts them here as if Serve did.

// Opened counts a stream that begins outside Serve. Call Closed behind it.
func (c *Client) Opened(f Form) { c.clients.metrics.opened(f) }

// Closed counts the end of a stream that Opened counted.
func (c *Client) Closed(f Form, r Reason) { c.clients.metrics.closed(f, r) }

// Wrote counts one write of such a stream.
func (c *Client) Wrote(posts, bytes int) { c.shard.counts.wrote(wire.Identity, posts, bytes) }
