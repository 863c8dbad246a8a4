package deliver

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// Client is one streaming client: a place from Admit until Leave, a stream while
// Serve runs or a shard owns its socket.
type Client struct {
	ID    uint64
	Key   string // whose streams are counted together; "": exempt
	Since time.Time

	// Constant.
	clients *Clients
	shard   *shard
	until   int64    // when it will be too old; 0: never
	own     *handler // the goroutine that serves it; nil: its shard does

	ask atomic.Uint32 // the Reason to end for; the first one stands

	// Owned by whoever serves it: its goroutine, or its shard's loop.
	feed
	seat
}

// Stream is what a client is to get.
type Stream struct {
	Sub     *fanout.Subscription // with the client's Bell; Serve closes it
	Resume  fanout.Resume
	Filter  *filter.Filter
	Form    Form
	Limit   int64    // end after so many posts; 0: no limit
	MaxRate int      // posts in each second; 0: no limit
	Opening []byte   // the first bytes: retry and hello
	Conn    net.Conn // HTTP/1: the connection, which is reset if the client stalls; HTTP/2: nil
}

// Bell is the bell to subscribe with.
func (c *Client) Bell() *fanout.Bell { return c.shard.bell }

// Leave gives the client's place back. Call it once, after Serve.
func (c *Client) Leave() { c.clients.free(c.Key) }

// Serve serves the stream until it ends, or until the connection is in the hands
// of a shard. The response headers must be set; the first write sends them. The
// context of r ends when the client is gone. A w that cannot flush or take a
// deadline is an error, before anything has been written. Whatever happens, the
// subscription will be closed, the client's place given back, and the end told
// to Config.Ended, unless there is an error.
func (c *Client) Serve(w http.ResponseWriter, r *http.Request, s *Stream) error {
	c.begin(s)
	if c.handOver(w, r, s) {
		return nil
	}
	return c.serve(w, r, s)
}

// begin makes the client ready for its stream.
func (c *Client) begin(s *Stream) {
	c.feed = feed{sub: s.Sub, form: s.Form, since: c.Since, policy: newPolicy(s)}
	if len(s.Resume.Tombstones) > 0 || !s.Resume.Gap.Zero() {
		c.late = &late{s.Resume.Tombstones, s.Resume.Gap}
	}
}

// asked says why the stream is to end now; Open: it is not. In a drain the client
// first gets what is in the log: a restart may forget it.
func (c *Client) asked() Reason {
	r := Reason(c.ask.Load())
	if r == Draining && c.sub.Cursor().Seq < c.clients.goal.Load() {
		return Open
	}
	return r
}

// end asks whoever serves the client to end the stream. The first reason stands.
func (c *Client) end(r Reason) {
	if !c.ask.CompareAndSwap(uint32(Open), uint32(r)) {
		return
	}
	if c.own != nil {
		c.own.ring()
	}
}
