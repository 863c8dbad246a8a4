package upstream

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrTaken says that whoever asks for a slot has all of them.
var ErrTaken = errors.New("all streams that the upstream allows are open")

// Slots are the streams that may be open at the upstream at once, numbered from
// 1. A slot is free, taken, or cooling: its stream died in a way that the upstream
// may not have noticed. Safe for concurrent use.
type Slots interface {
	// Take reserves a slot for a stream that is about to be opened. slot 0: there is
	// none, ask again after wait (above 0); why is nil if dead streams of ours are in
	// the way, ErrTaken if it is those that the caller has itself, else what it is that
	// will pass. spare asks for a slot that is free for certain while all
	// that is taken or cooling fits beside it, and never waits; else the slot that
	// cools longest is taken when no other is left, if the upstream makes room by
	// cutting its oldest stream.
	Take(ctx context.Context, spare bool) (slot int, wait time.Duration, why error)
	// Free gives a slot back: clean if its stream was closed in order or never
	// opened, else it cools.
	Free(slot int, clean bool)
	// Died is when a stream last died unnoticed; zero: none is known of.
	Died() time.Time
}

// NewSlots returns the slots of a process that has the upstream for itself.
// timeout is how long a dead stream may be counted. holds: the upstream refuses a
// stream too many rather than cutting the oldest.
func NewSlots(limit int, timeout time.Duration, holds bool) Slots {
	return &slots{timeout: timeout, holds: holds, all: make([]slot, limit)}
}

// slots are Slots in memory.
type slots struct {
	timeout time.Duration
	holds   bool

	mu   sync.Mutex
	all  []slot
	died time.Time // kept when the slot is taken
}

type slot struct {
	taken bool
	died  time.Time // when it began to cool; zero: it does not
}

// Take implements Slots.
func (s *slots) Take(_ context.Context, spare bool) (int, time.Duration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	free, oldest := -1, -1
	for i := range s.all {
		one := &s.all[i]
		if !one.died.IsZero() && now.Sub(one.died) >= s.timeout {
			one.died = time.Time{}
		}
		switch {
		case one.taken:
		case one.died.IsZero():
			if free < 0 {
				free = i
			}
		case oldest < 0 || one.died.Before(s.all[oldest].died):
			oldest = i
		}
	}
	switch {
	case free >= 0:
		s.all[free].taken = true
		return free + 1, 0, nil
	case oldest < 0:
		return 0, time.Second, ErrTaken
	case spare || s.holds:
		return 0, s.timeout - now.Sub(s.all[oldest].died), nil
	}
	s.all[oldest] = slot{taken: true} // the upstream cuts its oldest when ours opens
	return oldest + 1, 0, nil
}

// Free implements Slots.
func (s *slots) Free(n int, clean bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[n-1] = slot{}
	if !clean {
		s.died = time.Now()
		s.all[n-1].died = s.died
	}
}

// Died implements Slots.
func (s *slots) Died() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.died
}
