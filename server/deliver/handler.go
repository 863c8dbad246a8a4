package deliver

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// handler serves one client on the goroutine of its request: where the socket is
// not the gateway's alone (TLS, HTTP/2), or nothing that a shard can own.
type handler struct {
	client *Client
	wake   chan struct{} // one slot: rung or not

	// Owned by shard.mu.
	index   int // in shard.handlers
	inGroup int // in shard.byGroup

	// Shared by the shard's loop and the handler's goroutine.
	beat      atomic.Bool // a heartbeat is due
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
}

// serve serves the client until its stream ends.
func (c *Client) serve(w http.ResponseWriter, r *http.Request, s *Stream) error {
	defer c.Leave()
	defer c.sub.Close()
	h := &handler{
		client: c, wake: make(chan struct{}, 1),
		out: w, control: http.NewResponseController(w), conn: s.Conn, shared: s.Conn == nil,
	}
	c.own = h
	if err := h.control.SetWriteDeadline(time.Now().Add(c.clients.cfg.WriteTimeout)); err != nil {
		return errors.Join(errors.New("the response writer takes no write deadline: is a middleware in the way?"), err)
	}
	if r.ProtoMajor == 1 {
		w.Header().Set("Transfer-Encoding", "identity") // without chunks: they would make three writes of one
	}
	h.lastWrite.Store(c.clients.now())
	h.linger(0)
	reason := Failed // should anything below panic
	c.clients.metrics.opened(c.form)
	defer func() { c.over(reason) }()
	defer context.AfterFunc(r.Context(), func() { c.end(Gone) })()
	c.shard.join(h)
	defer c.shard.leave(h)
	reason = h.run(s)
	return nil
}

// run writes until the stream ends, and returns why it did.
func (h *handler) run(s *Stream) Reason {
	for fail := h.open(s); ; <-h.wake {
		reason := Open
		if fail == nil {
			reason, fail = h.pump()
		}
		if fail == nil && reason == Open {
			continue
		}
		return h.finish(reason, fail)
	}
}

// finish says goodbye, if the client can still hear it, and tells why it ended.
func (h *handler) finish(reason Reason, err error) Reason {
	if err == nil && reason != Gone {
		err = h.bye(reason)
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
func (h *handler) ring() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// open writes what comes before the first event.
func (h *handler) open(s *Stream) error {
	b := batches.Get().(*batch)
	defer b.release()
	h.client.open(b, nil, s.Opening)
	return h.flush(b)
}

// pump writes everything the client has not had. It returns Open when there is
// no more for now, else why the stream ends.
func (h *handler) pump() (Reason, error) {
	b := batches.Get().(*batch)
	defer b.release()
	for {
		if reason := h.client.asked(); reason != Open {
			return reason, nil
		}
		b.reset()
		switch h.client.fill(b, nil) {
		case over:
			return Limit, h.flush(b)
		case drained:
			if err := h.idle(b); err != nil || h.client.ask.Load() == uint32(Open) {
				return Open, err
			}
		default:
			if err := h.flush(b); err != nil {
				return Open, err
			}
		}
	}
}

// idle ends a pump: a heartbeat if one is due, the rate's gap if its second is over.
func (h *handler) idle(b *batch) error {
	now := h.client.clients.now()
	quiet := now-h.lastWrite.Load() > int64(h.client.clients.cfg.Heartbeat)/2
	until := h.client.idle(b, time.Now(), h.beat.Swap(false) && quiet)
	tell := int64(0)
	if !until.IsZero() {
		tell = int64(until.Sub(h.client.clients.start))
	}
	h.tell.Store(tell)
	return h.flush(b)
}

// bye writes the end of the stream.
func (h *handler) bye(r Reason) error {
	b := batches.Get().(*batch)
	defer b.release()
	h.client.bye(b, r, h.client.clients.RetryAfter(r))
	err := h.flush(b)
	if err == nil {
		h.linger(-1)
	}
	return err
}
