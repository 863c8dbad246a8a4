package lease

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"aviary/upstream"
)

// slotRecord is what STATE knows of a slot, whoever holds its key in LEASE. A
// record that says open without such a key is of a stream that died unnoticed.
type slotRecord struct {
	Term uint64    `json:"term"`
	Open bool      `json:"open"`
	Died time.Time `json:"died,omitzero"` // it cools since then
}

// slotSeen is a slot as Take found it.
type slotSeen struct {
	slotRecord
	number int
	rev    uint64 // of the record
	other  bool   // another node holds it
	own    bool
	grip   grip
}

func slotKey(number int) string { return keySlot + strconv.Itoa(number) }

// Take implements upstream.Slots. It waits for a slot that another node holds,
// which is not for long: that node closes its stream, or its key vanishes.
func (n *Node) Take(ctx context.Context, spare bool) (int, time.Duration, error) {
	for ctx.Err() == nil {
		n.mu.Lock()
		t := n.term
		n.mu.Unlock()
		if t == nil || t.leaving() { // nothing is opened any more
			if spare {
				return 0, n.interval(), errLost
			}
			<-ctx.Done()
			break
		}
		if !spare {
			n.enter(t, Acquire)
		}
		number, wait, err := n.take(ctx, t, spare)
		switch {
		case err == nil:
			return number, wait, nil
		case spare:
			return 0, n.interval(), err
		}
		_ = sleep(ctx, n.interval())
	}
	return 0, n.interval(), errLost
}

// take tries once. An error passes soon.
func (n *Node) take(ctx context.Context, t *term, spare bool) (number int, wait time.Duration, err error) {
	all, err := n.look(ctx, t)
	if err != nil {
		return 0, 0, err
	}
	n.mu.Lock()
	last := n.last.Slot
	n.mu.Unlock()
	var free, oldest *slotSeen
	others := false
	for i := range all {
		s := &all[i]
		switch {
		case s.own:
		case s.other:
			others = true
		case s.Died.IsZero():
			if free == nil || free.number == last { // the last leader's may still be open there
				free = s
			}
		case oldest == nil || s.Died.Before(oldest.Died):
			oldest = s
		}
	}
	switch {
	case free != nil:
		return n.seize(ctx, t, free)
	case others && (oldest == nil || spare):
		return 0, 0, errStill
	case oldest == nil:
		return 0, 0, upstream.ErrTaken
	case spare || n.cfg.HoldsSlots:
		return 0, max(time.Until(oldest.Died.Add(n.cfg.StallTimeout)), time.Millisecond), nil
	}
	return n.seize(ctx, t, oldest)
}

// look reads every slot. One whose stream died unnoticed begins to cool.
func (n *Node) look(ctx context.Context, t *term) ([]slotSeen, error) {
	all := make([]slotSeen, n.cfg.StreamLimit)
	for i := range all {
		s := &all[i]
		s.number = i + 1
		if err := n.lookAt(ctx, t, s); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (n *Node) lookAt(ctx context.Context, t *term, s *slotSeen) error {
	t.mu.Lock()
	_, s.own = t.slots[s.number]
	t.mu.Unlock()
	if s.own {
		return nil
	}
	call, cancel := context.WithTimeout(ctx, patience(n.cfg.TTL))
	value, _, err := n.cfg.Lease.Get(call, slotKey(s.number))
	cancel()
	if err == nil {
		s.other, s.grip = true, readGrip(value)
		t.met(slotKey(s.number), s.grip)
		return nil
	}
	if !errors.Is(err, ErrNone) {
		return err
	}
	record, rev, err := n.read(ctx, slotKey(s.number))
	if err != nil {
		return err
	}
	s.rev = rev
	_ = json.Unmarshal(record, &s.slotRecord) // what cannot be read says nothing
	now := time.Now()
	if s.Open { // and nobody holds it
		s.slotRecord = slotRecord{Term: s.Term, Died: now}
		if s.rev, err = n.record(ctx, s.number, s.slotRecord, rev); err != nil {
			return err
		}
	}
	n.mu.Lock()
	if s.Died.After(n.died) {
		n.died = s.Died
	}
	n.mu.Unlock()
	if now.Sub(s.Died) >= n.cfg.StallTimeout {
		s.Died = time.Time{}
	}
	return nil
}

// record writes what is known of a slot, in the place of what was read as rev.
func (n *Node) record(ctx context.Context, number int, r slotRecord, rev uint64) (uint64, error) {
	value, err := json.Marshal(r)
	if err != nil {
		return 0, err
	}
	written, err := n.replace(ctx, slotKey(number), value, rev)
	if err == nil {
		return written, nil
	}
	is, written, readErr := n.read(ctx, slotKey(number)) // the answer may have been lost
	if readErr == nil && bytes.Equal(is, value) {
		return written, nil
	}
	return 0, err
}

// seize takes a slot: first its key, so that nobody else does, then its record.
func (n *Node) seize(ctx context.Context, t *term, s *slotSeen) (int, time.Duration, error) {
	ttl := n.cfg.TTL
	if n.cfg.Alone {
		ttl = 0
	}
	h := newHold(n.cfg.Lease, slotKey(s.number), n.cfg.Node, ttl)
	h.grip.Term = t.number
	if err := h.create(ctx); err != nil {
		h.release(ctx)
		return 0, 0, err
	}
	rev, err := n.record(ctx, s.number, slotRecord{Term: t.number, Open: true}, s.rev)
	if err != nil {
		h.release(ctx)
		return 0, 0, err
	}
	own := &taken{hold: h, rev: rev}
	t.mu.Lock()
	t.slots[s.number] = own
	t.mu.Unlock()
	t.beside.Go(func() { h.keep(t.ctx) })
	t.beside.Go(func() {
		select {
		case <-t.ctx.Done():
		case <-h.gone:
			t.mu.Lock()
			lost := t.slots[s.number] == own
			t.mu.Unlock()
			if lost {
				t.cancel(errLost)
			}
		}
	})
	return s.number, 0, nil
}

// Free implements upstream.Slots. What cannot be written makes the slot cool when
// its key has vanished.
func (n *Node) Free(number int, clean bool) {
	now := time.Now()
	n.mu.Lock()
	t := n.term
	if !clean {
		n.died = now
	}
	n.mu.Unlock()
	if t == nil {
		return
	}
	t.mu.Lock()
	s := t.slots[number]
	delete(t.slots, number)
	t.mu.Unlock()
	if s == nil {
		return
	}
	ctx := context.WithoutCancel(t.ctx)
	if s.valid(now) {
		r := slotRecord{Term: t.number}
		if !clean {
			r.Died = now
		}
		_, _ = n.record(ctx, number, r, s.rev)
	}
	s.release(ctx)
}

// Died implements upstream.Slots.
func (n *Node) Died() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.died
}
