package deliver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// Client is one streaming client: a place from Admit until Leave, a stream while
// Serve runs.
type Client struct {
	ID    uint64
	Key   string // whose streams are counted together; "": exempt
	Since time.Time

	// Constant.
	clients *Clients
	shard   *shard
	wake    chan struct{} // one slot: rung or not
	until   int64         // when it will be too old; 0: never

	// Set by Serve before the shard knows the client, then constant.
	sub    *fanout.Subscription
	filter *filter.Filter
	form   Form

	// Owned by shard.mu.
	index   int // in shard.all
	inGroup int // in shard.groups

	// Shared by the shard's loop and the handler's goroutine.
	ask       atomic.Uint32 // the Reason to end for; the first one stands
	beat      atomic.Bool   // a heartbeat is due
	lastWrite atomic.Int64
	tell      atomic.Int64  // when skipped posts are to be told; 0: none
	position  atomic.Uint64 // the sequence told to the client last
	posts     atomic.Uint64 // delivered

	// Owned by the handler's goroutine.
	out      http.ResponseWriter
	control  *http.ResponseController
	conn     net.Conn // for the reset; nil where the connection is shared (HTTP/2)
	shared   bool
	deadline time.Time
	rate     *rate
	limit    int64         // posts still to send; -1: no limit
	passed   fanout.Cursor // the last event written or skipped
	ended    bool          // the limit is reached
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

// Serve writes the stream to w until it ends, and returns why it did. The
// response headers must be set; the first write sends them. ctx ends when the
// client is gone. A w that cannot flush or take a deadline is an error, before
// anything has been written.
func (c *Client) Serve(ctx context.Context, w http.ResponseWriter, s *Stream) (reason Reason, err error) {
	defer s.Sub.Close()
	if err := c.prepare(w, s); err != nil {
		return Failed, err
	}
	reason = Failed // should anything below panic
	m := c.clients.metrics
	m.opened(c.form)
	defer func() { m.closed(c.form, reason) }()
	defer context.AfterFunc(ctx, func() { c.end(Gone) })()
	c.shard.join(c)
	defer c.shard.leave(c)
	for fail := c.open(s); ; <-c.wake {
		if fail == nil {
			reason, fail = c.pump()
		}
		if fail == nil && reason == Open {
			continue
		}
		reason = c.finish(reason, fail)
		return reason, nil
	}
}

// prepare makes the client ready for its stream.
func (c *Client) prepare(w http.ResponseWriter, s *Stream) error {
	c.out, c.control, c.conn, c.shared = w, http.NewResponseController(w), s.Conn, s.Conn == nil
	if err := c.control.SetWriteDeadline(time.Now().Add(c.clients.cfg.WriteTimeout)); err != nil {
		return errors.Join(errors.New("the response writer takes no write deadline: is a middleware in the way?"), err)
	}
	c.sub, c.filter, c.form = s.Sub, s.Filter, s.Form
	c.passed, c.limit = s.Resume.At, s.Limit
	if s.Limit == 0 {
		c.limit = -1
	}
	if s.MaxRate > 0 {
		c.rate = &rate{max: s.MaxRate}
	}
	c.lastWrite.Store(c.clients.now())
	c.linger(0)
	return nil
}

// finish says goodbye, if the client can still hear it, and tells why it ended.
func (c *Client) finish(reason Reason, err error) Reason {
	if err == nil && reason != Gone {
		err = c.bye(reason)
	}
	switch {
	case err == nil:
		return reason
	case errors.Is(err, os.ErrDeadlineExceeded):
		return TooSlow
	}
	return Gone
}

// ring wakes the client's goroutine, unless it has been rung already.
func (c *Client) ring() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// end asks the client's goroutine to end the stream. The first reason stands.
func (c *Client) end(r Reason) {
	if c.ask.CompareAndSwap(uint32(Open), uint32(r)) {
		c.ring()
	}
}

// open writes what comes before the first event: the opening, the deletes that
// were missed, and where history is missing.
func (c *Client) open(s *Stream) error {
	b := batches.Get().(*batch)
	defer b.release()
	b.buf = append(b.buf, s.Opening...)
	for _, e := range s.Resume.Tombstones {
		if !c.form.Events.Has(ofKind(e.Kind)) {
			continue
		}
		if b.buf = c.form.appendTombstone(b.buf, e); len(b.buf) >= gather {
			if err := c.flush(b); err != nil {
				return err
			}
		}
	}
	c.overtaken(b, s.Resume.Gap)
	return c.flush(b)
}

// bye writes the end of the stream.
func (c *Client) bye(r Reason) error {
	b := batches.Get().(*batch)
	defer b.release()
	at := c.sub.Cursor()
	if r == Limit {
		at = c.passed // what was pulled behind the last post is not had
	}
	if c.rate != nil {
		c.gap(b, c.rate.take(c.passed))
	}
	id := at.String()
	if r == Limit {
		id = at.End()
	}
	b.buf = c.form.AppendBye(b.own(), r, c.clients.RetryAfter(r), id)
	err := c.flush(b)
	if err == nil {
		c.linger(-1)
	}
	return err
}
