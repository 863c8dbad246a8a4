package lease

import (
	"context"
	"fmt"
	"time"
)

const (
	// overlap is how long the streams of two leaders bring the same before the new
	// one publishes: what the old one had on its way is published by then.
	overlap = 100 * time.Millisecond
	// reading is how long a leader waits for its own marker to come back, so that it
	// knows all that was published before it.
	reading = time.Second
)

// Opened is the field of this name of the Runner. It puts the marker on the bus. Of
// the first stream of a leadership it returns when the last event before it was
// received, unless the last leader streamed on until then.
func (n *Node) Opened(ctx context.Context, slot int, accepted time.Time) (since time.Time, err error) {
	n.mu.Lock()
	t := n.term
	n.mu.Unlock()
	if t == nil || !t.valid(time.Now()) {
		return time.Time{}, errLost
	}
	if n.cfg.Mark == nil {
		return time.Time{}, nil
	}
	t.mu.Lock()
	first := !t.opened
	t.mu.Unlock()
	handed := first && n.handedOver(t, accepted)
	if handed && sleep(ctx, overlap) != nil {
		return time.Time{}, ctx.Err()
	}
	call, cancel := context.WithTimeout(ctx, n.cfg.TTL)
	defer cancel()
	if err := n.cfg.Mark(call, Marker{Term: t.number, Node: n.cfg.Node, Slot: slot}); err != nil {
		if first {
			return time.Time{}, fmt.Errorf("the bus did not take the marker of a new stream: %w", err)
		}
		n.cfg.Log.Warn("the bus did not take the marker of a new stream", "node", n.cfg.Node, "error", err)
		return time.Time{}, nil
	}
	t.mu.Lock()
	t.opened = true
	t.mu.Unlock()
	if !first || handed || n.cfg.Last == nil {
		return time.Time{}, nil
	}
	limit := time.NewTimer(reading)
	defer limit.Stop()
	select {
	case <-t.marked:
	case <-limit.C:
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
	return n.cfg.Last(), nil
}

// handedOver says that the last leader was streaming when the new stream was
// accepted.
func (n *Node) handedOver(t *term, accepted time.Time) bool {
	n.visit(t)
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.before.alive.IsZero() && !t.before.alive.Before(accepted)
}

// visit looks whether a leader that has resigned still streams.
func (n *Node) visit(t *term) {
	t.mu.Lock()
	before := t.before
	t.mu.Unlock()
	if before.alive.IsZero() {
		return
	}
	call, cancel := context.WithTimeout(t.ctx, patience(n.cfg.TTL))
	defer cancel()
	now := time.Now()
	value, _, err := n.cfg.Lease.Get(call, before.key)
	if g := readGrip(value); err == nil && g.Nonce == before.nonce {
		t.met(before.key, g, now, n.cfg.TTL)
	}
}
