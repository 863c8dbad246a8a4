package upstream

import "time"

// slots counts what the upstream may think is open. It is owned by the
// goroutine in Run, which itself holds at most one stream.
type slots struct {
	limit   int
	holds   bool          // the upstream refuses a stream too many rather than cutting the oldest
	timeout time.Duration // how long a dead stream may be counted
	cooling []time.Time   // when each uncleanly ended stream was left, oldest first
	died    time.Time     // the last of them; kept when its slot is taken
}

// take makes room for one more stream and returns how long to wait before it
// may be opened; 0: now.
func (s *slots) take(now time.Time) time.Duration {
	for len(s.cooling) > 0 && now.Sub(s.cooling[0]) >= s.timeout {
		s.cooling = s.cooling[1:]
	}
	if len(s.cooling) < s.limit {
		return 0
	}
	if s.holds {
		return s.timeout - now.Sub(s.cooling[0])
	}
	s.cooling = s.cooling[1:] // the upstream cuts its oldest when ours opens
	return 0
}

// unclean notes that a stream ended without the upstream's consent.
func (s *slots) unclean(now time.Time) {
	s.cooling = append(s.cooling, now)
	s.died = now
}

// mayBeOurs says whether a stream that the upstream counts too many can be
// one of ours that died.
func (s *slots) mayBeOurs(now time.Time) bool {
	return !s.died.IsZero() && now.Sub(s.died) < s.timeout
}
