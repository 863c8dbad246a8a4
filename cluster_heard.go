package main

import (
	"sync"
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

// heard is what a node can say of the end of another's stream, by what that one put
// on the bus. Safe for concurrent use.
type heard struct {
	mu    sync.Mutex
	began time.Time // when the first marker of another node was read
	came  time.Time // when the last post was read from the bus
	late  upstream.Lateness
}

// stream notes that another node has a stream.
func (h *heard) stream(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.began.IsZero() {
		h.began = now
	}
}

// post notes a post that was read from the bus; Received is the stamp of the leader
// that published it.
func (h *heard) post(e *fanout.Event, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.came = now
	h.late.Note(e.Sent, e.Received)
}

// last is when the last event before a change of leader was received, and how long it may
// have lain unread then. stamp is that of the leader that published it; but the event was
// there when this node read a post of it at the latest, as that one's clock may be fast.
// Without any event it is when the last leader's stream began, as far as that is known.
func (h *heard) last(stamp time.Time) (at time.Time, unread time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if stamp.IsZero() {
		return h.began, 0
	}
	unread, known := h.late.Last()
	if !known {
		unread = leaseTTL // it cannot be told
	}
	if !h.came.IsZero() && h.came.Before(stamp) {
		return h.came, unread
	}
	return stamp, unread
}
