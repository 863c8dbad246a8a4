package fanout

// catchUp serves a subscription whose position is no longer held. If nothing
// that it wanted is gone, it just moves on. Else it first gets the deletes and
// losses that it slept through, without ids, because its client has not yet
// heard of the gap that lies before them; when it has them all, the gap. caught:
// it stands in the log again.
func (s *Subscription) catchUp(out []*Event, full int) (_ []*Event, gap Gap, caught bool) {
	h := s.hub
	for try := 0; ; try++ {
		to, rank := s.foothold(try)
		lost := rank != s.rank

		h.mu.RLock()
		if to < h.log.base {
			h.mu.RUnlock()
			continue // trimmed while counting
		}
		out, done := s.takeTombstones(out, full, to)
		if !done || lost && full == 0 {
			h.mu.RUnlock()
			return out, gap, false
		}
		if lost {
			last := h.log.last(to)
			gap = Gap{Reason: GapSlow, From: s.at, To: last.at, Missed: rank - s.rank, Cursor: Cursor{h.epoch.Load(), last.seq}}
		}
		s.rank = rank
		s.moveTo(to)
		h.mu.RUnlock()
		return out, gap, true
	}
}

// foothold finds a held position to go on from and its rank: the oldest held if
// nothing before it was wanted; else the middle, far from the end that crumbles,
// or as far as the tombstones were told. The first tries count; when the log is
// trimmed quicker than that, it is the head, which needs no counting.
func (s *Subscription) foothold(try int) (to uint64, rank int64) {
	h := s.hub
	h.mu.RLock()
	base, head := h.log.base, h.log.head
	if try > 2 {
		defer h.mu.RUnlock()
		return head, s.counting(head)()
	}
	oldest := s.counting(base)
	to = base + (head-base)/2
	if s.told > base {
		to = s.told
	}
	to = max(base, h.log.after(h.log.last(to).seq)) // where a client that comes back with the gap's id would start
	further := s.counting(to)
	h.mu.RUnlock()
	if try == 0 {
		if rank = oldest(); rank == s.rank {
			return base, rank
		}
	}
	return to, further()
}

// takeTombstones delivers the tombstones in [s.pos, to) that were not told yet.
// done: there was none that concerns this client.
func (s *Subscription) takeTombstones(out []*Event, full int, to uint64) (_ []*Event, done bool) {
	told := max(s.pos, s.told)
	done = true
	for _, e := range s.hub.tombs.from(told) {
		if e.pos >= to {
			break
		}
		if !s.concerns(e) {
			continue
		}
		done = false
		if len(out) >= full {
			return out, done
		}
		out = append(out, e.facing(!s.group.every).withoutID(s.passed))
		s.told = e.pos + 1
	}
	if !done {
		s.told = to
	}
	return out, done
}

// counting returns a function that tells how many matching posts were published
// before pos, counted like Group.total; below 0 for what was before the group.
// Deleted posts count: it is about what was published. counting runs under the
// lock and pos must be in the log; the function may run without it.
func (s *Subscription) counting(pos uint64) func() int64 {
	g, l := s.group, &s.hub.log
	rank := g.total
	switch {
	case pos == l.head && !g.every:
	case g.every:
		rank = int64(l.postsBefore(pos))
	case pos >= g.from:
		for _, p := range g.tail(pos) {
			if l.at(p).kind == KindPost {
				rank--
			}
		}
	default:
		v := l.view(pos)
		return func() int64 { return rank - v.count(g.filter) }
	}
	return func() int64 { return rank }
}
