package fanout

import (
	"math"
	"sort"
	"time"
	"unique"
)

// Subscription is one client's cursor in the log. It has one owner at a time:
// its methods, but Group, are not for concurrent use.
type Subscription struct {
	hub    *Hub
	group  *Group
	bell   *Bell
	unseen bool // gets deletes of posts never seen, whatever its filter
	key    unique.Handle[string]
	born   uint64 // head when it subscribed: older deletes were told then, older states of the upstream never are

	// Owned by the owner. What stands in the hub is read under its lock.
	pos    uint64    // the next position to look at
	rank   int64     // the group's matching posts before pos, counted like Group.total
	passed Cursor    // the last position passed
	at     time.Time // when that was received
	skip   uint64    // a cursor ahead of the log: nothing up to it is new; 0: none
	told   uint64    // overtaken: tombstones before this position were delivered out of turn
	closed bool
}

// Group returns the subscription's group.
func (s *Subscription) Group() *Group { return s.group }

// Cursor returns the last position passed, by delivery or because what lies
// there does not concern this client. It moves up to the next event that does,
// so it stays fresh on a quiet stream.
func (s *Subscription) Cursor() Cursor {
	s.next(nil, 0, math.MaxUint64)
	return s.passed
}

// Close leaves the group. The subscription brings nothing more; closing it
// again does nothing.
func (s *Subscription) Close() {
	if s.closed {
		return
	}
	s.closed = true
	h := s.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	h.subs--
	if b := s.bell; b != nil {
		b.subs--
		if s.wantsUnseen() {
			b.all--
		}
	}
	s.group.countKey(s.key, -1)
	h.leave(s.group, s.bell)
}

// Next appends at most max events to out: what comes next for this client, in
// order. It never waits: nothing appended and no gap means that the client has
// all there is. A Gap says what the client will never get; it comes before the
// events returned with it. A client that the log has overtaken first gets the
// deletes that it slept through, then one gap, and goes on from the middle of
// what is held.
func (s *Subscription) Next(out []*Event, max int) ([]*Event, Gap) {
	if max <= 0 {
		return out, Gap{}
	}
	return s.next(out, len(out)+max, math.MaxUint64)
}

// NextUpTo is Next that stops where the round ends, so that who has had
// everything is Live, and that brings a gap alone, so that its owner can ask for
// the Place behind it.
func (s *Subscription) NextUpTo(r *Round, out []*Event, max int) ([]*Event, Gap) {
	if max <= 0 {
		return out, Gap{}
	}
	return s.next(out, len(out)+max, r.To)
}

// next fills out to full and stops at limit. With full 0 it only passes what does
// not concern the client.
func (s *Subscription) next(out []*Event, full int, limit uint64) ([]*Event, Gap) {
	had := len(out)
	gap := Gap{}
	h := s.hub
	for !s.closed {
		h.mu.RLock()
		end := min(limit, h.log.head)
		switch {
		case s.pos < h.log.base:
			h.mu.RUnlock()
			if !gap.Zero() || len(out) > had {
				return out, gap // told one by one
			}
			var caught bool
			out, gap, caught = s.catchUp(out, full)
			if !caught || !gap.Zero() && limit != math.MaxUint64 {
				return out, gap
			}
		case s.pos >= end:
			h.mu.RUnlock()
			return out, gap
		case s.group.every:
			out = s.takeAll(out, full, end)
			h.mu.RUnlock()
			return out, gap
		case s.pos >= s.group.from:
			out = s.take(out, full, s.group.tail(s.pos), end, true)
			h.mu.RUnlock()
			return out, gap
		default:
			v := h.log.view(s.pos).segment()
			h.mu.RUnlock()
			matches := v.matches(s.group.filter)
			h.mu.RLock()
			end = min(end, v.to)
			if s.pos >= h.log.base {
				out = s.take(out, full, matches, end, false)
			}
			h.mu.RUnlock()
			if s.pos < end && len(out) >= full {
				return out, gap
			}
		}
	}
	return out, gap
}

// take passes [s.pos, end): matches are the positions in it that match the
// filter, deletes of matching posts included if withDeletes. They are merged
// with what does not go by matches, and it stops in front of the first event
// for which out has no room: all matches before that must be known, however
// short the list was cut. It runs under the lock.
func (s *Subscription) take(out []*Event, full int, matches []uint64, end uint64, withDeletes bool) []*Event {
	h := s.hub
	notices := h.noticesFrom(s.pos)
	for {
		for len(notices) > 0 && withDeletes && notices[0].aim == AimMatching {
			notices = notices[1:]
		}
		pos := end
		if len(matches) > 0 {
			pos = min(pos, matches[0])
		}
		if len(notices) > 0 {
			pos = min(pos, notices[0].pos)
		}
		if pos == end {
			break
		}
		slot := h.log.at(pos)
		if e := slot.event; e != nil && s.concerns(e) {
			if len(out) >= full {
				end = pos
				break
			}
			out = append(out, e.facing(true))
		}
		if slot.post != nil {
			s.rank++
		}
		if len(matches) > 0 && matches[0] == pos {
			matches = matches[1:]
		}
		if len(notices) > 0 && notices[0].pos == pos {
			notices = notices[1:]
		}
	}
	s.moveTo(end)
	return out
}

// takeAll is take for a client without a filter: everything matches.
func (s *Subscription) takeAll(out []*Event, full int, end uint64) []*Event {
	h := s.hub
	pos := s.pos
	for ; pos < end; pos++ {
		e := h.log.at(pos).event
		if e == nil || !s.concerns(e) {
			continue
		}
		if len(out) >= full {
			break
		}
		out = append(out, e)
	}
	s.rank = int64(h.log.postsBefore(pos))
	s.moveTo(pos)
	return out
}

// concerns says that e, met at its place in the log, goes to this client. Posts
// are known to match; a delete of matching posts is looked at again, since it
// may have come as a notice.
func (s *Subscription) concerns(e *Event) bool {
	switch {
	case s.skip != 0 && !e.behind(s.skip):
		return false
	case e.Kind == KindPost:
		return true
	case e.pos < s.born && (e.Kind.duty() || e.Kind == KindUpstream):
		return false
	case e.pos < s.told && (e.Kind.duty() || e.Kind == KindGap):
		return false
	}
	return s.aimed(e)
}

// aimed says that e, no post, is meant for this client.
func (s *Subscription) aimed(e *Event) bool {
	switch e.Aim {
	case AimEveryone:
		return true
	case AimUnfiltered:
		return s.wantsUnseen()
	}
	return s.group.every && e.only == nil || e.reaches(s.group.filter)
}

func (s *Subscription) wantsUnseen() bool { return s.group.every || s.unseen }

// moveTo sets the position, in [first, head] of the log, under the lock.
func (s *Subscription) moveTo(pos uint64) {
	if epoch := s.hub.epoch.Load(); s.passed.Epoch != epoch { // the log was renewed
		s.passed, s.skip = Cursor{Epoch: epoch}, 0
	}
	last := s.hub.log.last(pos)
	s.pos, s.at = pos, last.at
	s.passed.Seq = max(last.seq, s.skip)
	if last.seq >= s.skip {
		s.skip = 0
	}
}

// noticesFrom returns the places of what is no post from a position on.
func (h *Hub) noticesFrom(pos uint64) []notice {
	if n := len(h.notices); n == 0 || h.notices[n-1].pos < pos {
		return nil
	}
	return h.notices[sort.Search(len(h.notices), func(i int) bool { return h.notices[i].pos >= pos }):]
}
