package fanout

import (
	"math/bits"
	"time"
)

// Publish puts e at the head of the log, takes out what it deletes, and rings
// the bells of those it concerns, or has them served (Bell.Lend). It returns false, and e goes nowhere, if e is
// a duplicate, a post that was deleted, or the hub is closed. e is the hub's
// from then on.
func (h *Hub) Publish(e *Event) bool {
	touched, small, ok := h.admit(e)
	h.ring(touched, small)
	return ok
}

// ring rings bells; of those in small the owner is spared if it can be.
func (h *Hub) ring(touched, small uint64) {
	for ; touched != 0; touched &= touched - 1 {
		n := bits.TrailingZeros64(touched)
		if b := h.bells[n].Load(); b != nil && (small&(1<<n) == 0 || b.serve == nil || !b.serve()) {
			b.ring()
		}
	}
}

// admit does all of Publish that needs the lock. small are those touched bells for
// which few have something new.
func (h *Hub) admit(e *Event) (touched, small uint64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.complete()
	if h.closed || h.refuses(e) {
		return 0, 0, false
	}
	h.stamp(e)
	h.aim(e)
	e.seal()
	e.budget = &h.budget
	h.remember(e)
	h.log.append(e)
	h.distribute(e)
	h.trim(time.Now())
	for rest := h.touched; rest != 0; rest &= rest - 1 {
		n := bits.TrailingZeros64(rest)
		if b := h.bells[n].Load(); b != nil && b.small() {
			small |= 1 << n
		}
	}
	return h.touched, small, true
}

// refuses says that e was here before or must not come back, and counts it.
func (h *Hub) refuses(e *Event) bool {
	switch {
	case e.Kind.sequenced() && e.ID.Seq != 0 && e.ID.Seq <= h.log.seq:
		h.duplicates++
		return true
	case e.Kind == KindPost && e.Post.Key.ID != "":
		if h.tombs.keeps(e.Post) {
			h.tombstoned++
			return true
		}
		key := e.Post.Key
		if s := h.windows[key.Source].find(key.ID); s != nil && s.window == e.Window {
			h.duplicates++
			return true
		}
	case h.tombs.repeated(e):
		h.duplicates++
		return true
	}
	return false
}

// stamp sets the time and the cursor. The clock may step back; Received does
// not: it then goes on from where it was, at the monotonic clock's pace.
func (h *Hub) stamp(e *Event) {
	now := time.Now()
	if now.Round(0).Before(h.now.Round(0)) {
		now = h.now.Add(max(0, now.Sub(h.now)))
	}
	if age := now.Round(0).Sub(e.Received.Round(0)); !e.Received.IsZero() && age > 0 {
		// Add keeps the monotonic reading, by which ages go, and brings back the time given.
		if now = now.Add(-age); now.Round(0).Before(h.now.Round(0)) {
			now = h.now
		}
	}
	h.now, e.Received = now, now
	switch {
	case !e.Kind.sequenced():
		e.ID.Seq = h.log.seq
	case e.ID.Seq == 0:
		e.ID.Seq = h.log.seq + 1
	}
	if e.ID.Epoch == 0 {
		e.ID.Epoch = h.epoch.Load()
	}
	if e.Kind == KindGap && e.Loss != nil {
		h.sealLoss(e)
	}
}

// remember notes a post in its source's window.
func (h *Hub) remember(e *Event) {
	if e.Kind != KindPost || e.Post.Key.ID == "" {
		return
	}
	w := h.windows[e.Post.Key.Source]
	if w == nil {
		w = newWindow(h.config.Seen)
		h.windows[e.Post.Key.Source] = w
	}
	w.add(e.Post, e.Window, h.log.head, e.ID.Seq)
}

// distribute lets the groups know, and the lists of what is no post.
func (h *Hub) distribute(e *Event) {
	h.current, h.touched = e, 0
	switch e.Aim {
	case AimMatching:
		h.match(e)
	case AimUnfiltered:
		for n := range h.bells {
			if b := h.bells[n].Load(); b != nil && b.all > 0 {
				h.touched |= 1 << n
				b.reach += b.all
			}
		}
	case AimEveryone:
		for n := range h.bells {
			if b := h.bells[n].Load(); b != nil && b.subs > 0 {
				h.touched |= 1 << n
				b.reach += b.subs
			}
		}
	}
	h.current = nil
	if e.Kind == KindPost {
		return
	}
	h.notices = append(h.notices, notice{pos: e.pos, kind: e.Kind, aim: e.Aim})
	switch {
	case e.Kind.duty(), e.Kind == KindGap:
		h.tombs.add(e)
	case e.Kind == KindUpstream:
		h.upstream = append(h.upstream, e.pos)
	}
}

// match finds the groups of a post, or of the posts that a delete took away.
func (h *Hub) match(e *Event) {
	if e.only != nil {
		for text := range e.only {
			if g := h.groups[text]; g != nil {
				h.joinMatch(g)
			}
		}
		return
	}
	if all := h.groups[""]; all != nil {
		h.soilAll(all)
	}
	if e.Kind == KindPost {
		h.index.Match(e.Post, h.hit)
		return
	}
	for _, p := range e.dead {
		h.index.Match(p, h.hit)
	}
}
