package fanout

import "time"

// Place is where a subscription stands. Its owner can keep it, and go back to it
// when the events behind it did not reach the client after all. The live members
// of a group stand at one place, so that none of them needs a cursor of its own.
type Place struct {
	pos  uint64
	rank int64 // as in Subscription
	seq  uint64
	at   time.Time
	skip uint64
	told uint64
}

func (p Place) ranked(rank int64) Place {
	p.rank = rank
	return p
}

// headPlace is the end of the log, without a rank. It runs under the lock.
func (h *Hub) headPlace() Place {
	last := h.log.last(h.log.head)
	return Place{pos: h.log.head, seq: last.seq, at: last.at}
}

// Cursor is the last position passed at a place of the hub.
func (h *Hub) Cursor(p Place) Cursor { return Cursor{h.epoch.Load(), p.seq} }

// Place returns where the subscription stands.
func (s *Subscription) Place() Place {
	return Place{pos: s.pos, rank: s.rank, seq: s.passed.Seq, at: s.at, skip: s.skip, told: s.told}
}

// Stand puts the subscription at a place it has been at, or at which its group
// stands. It takes no lock.
func (s *Subscription) Stand(p Place) {
	s.pos, s.rank, s.passed.Seq, s.at, s.skip, s.told = p.pos, p.rank, p.seq, p.at, p.skip, p.told
}

// StandBehind puts the subscription behind the last of the events that its client
// got: had is how the events began that came behind the place from.
func (s *Subscription) StandBehind(from Place, had []*Event) {
	s.Stand(from)
	if len(had) == 0 {
		return
	}
	last := had[len(had)-1]
	if last.bare { // out of turn: the place stays
		s.told = last.pos + 1
		return
	}
	pos := last.pos + 1
	h := s.hub
	h.mu.RLock()
	if pos >= h.log.first { // trimmed or not, its numbers are there
		s.moveTo(pos)
		count := s.counting(pos)
		h.mu.RUnlock()
		s.rank = count()
		return
	}
	h.mu.RUnlock() // overtaken by far: what was deleted among had counts as missed
	s.pos, s.at, s.passed.Seq = pos, last.Received, max(last.ID.Seq, s.skip)
	for _, e := range had {
		if e.Kind == KindPost {
			s.rank++
		}
	}
}

// Live says that the subscription stands where the round ends: its client may
// be served from the bell's next round, and needs no place of its own.
func (s *Subscription) Live(r *Round) bool {
	return s.pos == r.To && s.skip == 0 && s.pos >= s.born
}

// Ahead says that the subscription cannot be Live before the next round.
func (s *Subscription) Ahead(r *Round) bool { return max(s.pos, s.born) > r.To }

// Skips says that the client has had events that the log has still to get, from
// another hub with the same numbers: until they are past it cannot be Live.
func (s *Subscription) Skips() bool { return s.skip != 0 }

// Unseen says that the client gets deletes of posts never seen although it may
// have a filter; see Merge.
func (s *Subscription) Unseen() bool { return s.unseen }
