package deliver

import (
	"time"

	"aviary/fanout/wire"
)

// Some clients have a place but no subscription: they are served by package
// server, which counts them here as if Serve did.

// Opened counts a stream that begins outside Serve. Call Closed behind it.
func (c *Client) Opened(f Form) { c.clients.metrics.opened(f) }

// Closed counts the end of a stream that Opened counted.
func (c *Client) Closed(f Form, r Reason) { c.clients.metrics.closed(f, r) }

// Wrote counts one write of such a stream.
func (c *Client) Wrote(coding wire.Coding, posts, bytes int) {
	c.shard.counts.wrote(coding, posts, bytes)
}

// Took observes that events received at those times have now been written. What was
// received before the stream began is a replay and does not belong here.
func (c *Client) Took(received []time.Time) {
	if len(received) > 0 {
		c.shard.counts.took(time.Now(), received, 1)
	}
}

// Missed counts a gap in what such a stream got. reason is one of the words that gap
// events have.
func (c *Client) Missed(reason string) { c.clients.metrics.told([]string{reason}, 1) }
