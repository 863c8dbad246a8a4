package fanout

import (
	"math/bits"
	"slices"
)

// maxBells is how many bells a hub has: one bit each in a group.
const maxBells = 64

// Bell wakes one owner of many subscriptions, such as a shard: once for any
// number of events, and never waiting for the owner.
type Bell struct {
	hub    *Hub
	number int
	c      chan struct{}
	few    int         // see Lend
	serve  func() bool // see Lend; nil: not lent

	// Owned by the hub's lock.
	end   Place    // everything before it was taken
	due   []*Group // groups with something new for this bell
	reach int      // no more subscriptions than this have something new
	subs  int      // subscriptions that it rings for
	all   int      // of these: those that get deletes of posts never seen
}

// NewBell returns a bell. A hub has 64; asking for more is a mistake in the
// program and panics.
func (h *Hub) NewBell() *Bell {
	h.mu.Lock()
	defer h.mu.Unlock()
	for n := range h.bells {
		if h.bells[n].Load() == nil {
			b := &Bell{hub: h, number: n, c: make(chan struct{}, 1), end: h.headPlace()}
			h.bells[n].Store(b)
			return b
		}
	}
	panic("fanout: more than 64 bells")
}

// C brings a value when there may be something new; then Take it, or call Next
// of the subscriptions. It is never closed.
func (b *Bell) C() <-chan struct{} { return b.c }

// Close gives the bell back. Its subscriptions must be closed before.
func (b *Bell) Close() {
	b.hub.mu.Lock()
	defer b.hub.mu.Unlock()
	b.hub.bells[b.number].CompareAndSwap(b, nil)
	b.due = nil
}

// Lend spares the owner the waking for what concerns few. When at most few of the
// bell's subscriptions can have something new, Publish calls serve instead of
// ringing: on the publisher's goroutine, with no lock of the hub held. serve does
// what the owner would, and must neither wait nor take long, as nothing is
// published meanwhile; if it returns false the bell rings. Call Lend before the
// first subscription.
func (b *Bell) Lend(few int, serve func() bool) { b.few, b.serve = few, serve }

// small reports whether what is new may be served by the publisher. The hub is
// locked.
func (b *Bell) small() bool {
	return b.serve != nil && b.reach <= b.few && b.end.pos >= b.hub.log.base
}

func (b *Bell) ring() {
	select {
	case b.c <- struct{}{}:
	default: // it rings already
	}
}

// soil puts g on the due list of the bells that it has members on.
func (h *Hub) soil(g *Group) {
	for fresh := g.bells &^ g.dirty; fresh != 0; fresh &= fresh - 1 {
		b := h.bells[bits.TrailingZeros64(fresh)].Load()
		if b == nil {
			continue
		}
		if len(b.due) == cap(b.due) { // an owner that never takes must not pin dead groups
			b.due = slices.DeleteFunc(b.due, func(g *Group) bool { return g.refs == 0 })
		}
		b.due = append(b.due, g)
		b.reach += int(g.seats[b.number])
		g.dirty |= 1 << b.number
	}
}

// soilAll is soil for the group without a filter, which has no list to be put on.
func (h *Hub) soilAll(all *Group) {
	h.touched |= all.bells
	for rest := all.bells; rest != 0; rest &= rest - 1 {
		n := bits.TrailingZeros64(rest)
		if b := h.bells[n].Load(); b != nil {
			b.reach += int(all.seats[n])
		}
	}
}

// Round is all that is new for the subscriptions of one bell between two
// positions. It is used again and again: Take overwrites it.
type Round struct {
	From, To  uint64   // positions: the round is about [From, To)
	Everyone  []*Event // what does not go by filters; see Merge
	Due       []Due    // groups with matches
	Overtaken bool     // From is no longer held: every member pulls for itself

	events     []*Event
	start, end Place // without a rank
}

// Due is a group with matches in a round.
type Due struct {
	Group  *Group
	Events []*Event // the posts, and the deletes of posts, that match; in order; none if all were deleted since
	Pull   bool     // too many to list: members call NextUpTo
	Place  Place    // where its members stand after the round
}

// Start is where a member of a group stands when the round begins, if it has had
// everything before. p is any place of the group since its last match.
func (r *Round) Start(p Place) Place { return r.start.ranked(p.rank) }

// End is where a member stands after a round for which its group was not due, or
// had nothing but what is in Everyone; p is any place of the group since its last
// match. Of a group that is due, Due.Place says it.
func (r *Round) End(p Place) Place { return r.end.ranked(p.rank) }

// Take fills r with what came since the last Take. The events in it are those
// held at this moment; a post deleted since is not among them.
func (b *Bell) Take(r *Round) {
	h := b.hub
	clear(r.events)
	clear(r.Everyone)
	clear(r.Due)
	*r = Round{Everyone: r.Everyone[:0], Due: r.Due[:0], events: r.events[:0]}

	h.mu.Lock()
	defer h.mu.Unlock()
	r.start, r.end = b.end, h.headPlace()
	b.end, b.reach = r.end, 0
	r.From, r.To = r.start.pos, r.end.pos
	r.Overtaken = r.From < h.log.base
	from := max(r.From, h.log.base)
	h.roundNotices(r, from)
	for i, g := range b.due {
		b.due[i] = nil
		g.dirty &^= 1 << b.number
		if g.refs > 0 {
			h.roundGroup(r, g, from)
		}
	}
	b.due = b.due[:0]
	if all := h.groups[""]; all != nil && all.bells&(1<<b.number) != 0 {
		h.roundAll(r, all, from)
	}
}

func (h *Hub) roundNotices(r *Round, from uint64) {
	for _, n := range h.noticesFrom(from) {
		if e := h.log.at(n.pos).event; e != nil && n.aim != AimMatching {
			r.Everyone = append(r.Everyone, e)
		}
	}
}

func (h *Hub) roundGroup(r *Round, g *Group, from uint64) {
	due := Due{Group: g, Place: r.end.ranked(g.total)}
	if g.from > from {
		due.Pull = true
		r.Due = append(r.Due, due)
		return
	}
	start := len(r.events)
	for _, pos := range g.tail(from) {
		if e := h.log.at(pos).event; e != nil {
			r.events = append(r.events, e)
		}
	}
	due.Events = r.events[start:len(r.events):len(r.events)]
	r.Due = append(r.Due, due)
}

// roundAll lists what the clients without a filter get: every post, every
// delete of one.
func (h *Hub) roundAll(r *Round, g *Group, from uint64) {
	if h.log.head == from {
		return
	}
	due := Due{Group: g, Place: r.end.ranked(int64(h.log.posts))}
	if h.log.head-from > 2*listFull {
		due.Pull = true
		r.Due = append(r.Due, due)
		return
	}
	start := len(r.events)
	for pos := from; pos < h.log.head; pos++ {
		if e := h.log.at(pos).event; e != nil && e.Aim == AimMatching && e.only == nil {
			r.events = append(r.events, e)
		}
	}
	due.Events = r.events[start:len(r.events):len(r.events)]
	r.Due = append(r.Due, due)
}

// Merge appends to out what a member gets in a round, in order: the events due
// to its group, nil if the group is not among those due, and those of Everyone
// that concern it. unseen: the member wants the deletes of posts never seen
// although it has a filter.
func (r *Round) Merge(out, due []*Event, g *Group, unseen bool) []*Event {
	for _, e := range r.Everyone {
		if e.Aim == AimUnfiltered && !g.every && !unseen {
			continue
		}
		for len(due) > 0 && due[0].pos < e.pos {
			out, due = append(out, due[0]), due[1:]
		}
		out = append(out, e.facing(!g.every))
	}
	return append(out, due...)
}
