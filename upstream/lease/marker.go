package lease

import (
	"context"
	"errors"
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
// the first stream of a leadership it returns when the last event before it had come from
// the upstream at the earliest, unless the last leader streamed on until then.
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
	handed := first && n.handedOver(ctx, t)
	if handed && sleep(ctx, time.Until(accepted.Add(overlap))) != nil {
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
	last, unread := n.cfg.Last()
	if n.cfg.Alone || last.IsZero() {
		return last, nil
	}
	// What was lost behind it lay unread as long; but no longer than a lease is valid,
	// without which it would not be on the bus.
	return last.Add(-min(unread, validity(n.cfg.TTL))), nil
}

// handedOver says that the last leader publishes what the new stream, which is
// accepted, does not bring: it has renewed its slot twice since. It sent the second renewal
// knowing of the first, so it was there after the question; the first alone could
// have been long on its way, from a process that has ended.
func (n *Node) handedOver(ctx context.Context, t *term) bool {
	t.mu.Lock()
	before := t.before
	t.mu.Unlock()
	if before.key == "" {
		return false
	}
	var seen uint64 // revision
	news := -1      // how often it changed
	for last := time.Now(); time.Since(last) < n.cfg.TTL/2; {
		call, cancel := context.WithTimeout(ctx, patience(n.cfg.TTL))
		value, rev, err := n.cfg.Lease.Get(call, before.key)
		cancel()
		switch {
		case errors.Is(err, ErrNone), err == nil && readGrip(value).Nonce != before.nonce:
			return false
		case err == nil && rev != seen:
			if news++; news == 2 {
				return true
			}
			seen, last = rev, time.Now()
		}
		if sleep(ctx, n.cfg.TTL/64) != nil {
			return false
		}
	}
	return false
}
