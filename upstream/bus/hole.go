package bus

import (
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

// A leader numbers its messages without a gap, and the stream gives each that it stores
// a sequence. Numbers that are missing where no sequence is were not stored before
// what came behind them: a server died with them. The leader sends them again, and they
// come late. If its term ends before that, they never come, and that has to be told
// though later ones came.

// hole is a stretch of such numbers.
type hole struct {
	from, to     uint64    // first and last number
	since, until time.Time // when the message before it was received, and the one behind
}

// holes are those of one term, in order.
type holes []hole

// open notes numbers that were left out.
func (h *holes) open(from, to uint64, since, until time.Time) {
	*h = append(*h, hole{from, to, since, until})
}

// fill notes that a number came.
func (h *holes) fill(n uint64) {
	for i, one := range *h {
		if n < one.from || n > one.to {
			continue
		}
		var rest holes
		if n > one.from {
			rest = append(rest, hole{one.from, n - 1, one.since, one.until})
		}
		if n < one.to {
			rest = append(rest, hole{n + 1, one.to, one.since, one.until})
		}
		*h = append((*h)[:i:i], append(rest, (*h)[i+1:]...)...)
		return
	}
}

// extent is from when to when something is missing.
func (h holes) extent() (since, until time.Time) {
	for _, one := range h {
		if since.IsZero() || one.since.Before(since) {
			since = one.since
		}
		if one.until.After(until) {
			until = one.until
		}
	}
	return since, until
}

// number notes the number of a message of a leader, and what is missing before it.
func (s *Source) number(seq uint64, at message, received time.Time) {
	switch {
	case at.term != s.term:
		s.lost = append(s.lost, s.holes...) // nobody sends them any more
		s.holes, s.term, s.n = nil, at.term, at.n
	case at.n <= s.n:
		s.holes.fill(at.n)
		return // it was late
	default:
		numbers, sequences := at.n-s.n-1, seq-s.last-1
		if numbers > sequences && s.n != 0 { // else deleted messages had them, or may have had
			s.holes.open(s.n+1, at.n-1, s.before, received)
		}
		s.n = at.n
	}
	s.before = received
}

// hear notes when an event of the upstream was received. What is missing before it
// keeps Heard where it was.
func (s *Source) hear(received time.Time) {
	if received.After(s.newest) {
		s.newest = received
	}
	until := s.newest
	for _, missing := range []holes{s.lost, s.holes} {
		if since, _ := missing.extent(); !since.IsZero() && since.Before(until) {
			until = since
		}
	}
	s.heard.Store(until.UnixNano())
}

// confess tells what was lost with the last term, before the first post of this one,
// unless this one's leader has: it asks Heard when it begins, if nobody handed over to it.
func (s *Source) confess(e *fanout.Event, to upstream.Sink) {
	if len(s.lost) == 0 || e.Kind != fanout.KindPost && e.Kind != fanout.KindGap {
		return
	}
	since, until := s.lost.extent()
	s.lost = nil
	if l := e.Loss; l != nil && !l.From.After(since) && !l.To.Before(until) {
		return
	}
	gap := upstream.GapEvent(fanout.Loss{Reason: "upstream", Missed: -1, From: since, To: until})
	gap.Received = e.Received
	to.Emit(gap)
}
