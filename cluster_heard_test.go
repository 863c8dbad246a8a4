package main

import (
	"testing"
	"time"

	"aviary/fanout"
)

// The clock of a leader that is gone may be fast: a gap begins before it ends all the
// same. A last post that was read late, or of which that cannot be said, has it begin
// earlier.
func TestLastHeard(t *testing.T) {
	stamp := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const skew = time.Minute // of the upstream's clock
	for name, c := range map[string]struct {
		late         []time.Duration // of posts, the last of which was stamped then; nil: they say nothing
		read         time.Duration   // after the stamp
		want, unread time.Duration   // the first after the stamp
	}{
		"at once":       {[]time.Duration{0, 0}, 3 * time.Millisecond, 0, 0},
		"much later":    {[]time.Duration{0, 0}, time.Hour, 0, 0},
		"a fast clock":  {[]time.Duration{0, 0}, -time.Minute, -time.Minute, 0},
		"held up":       {[]time.Duration{0, 2 * time.Second, time.Second}, time.Millisecond, 0, time.Second},
		"no time given": {nil, time.Millisecond, 0, leaseTTL},
	} {
		var h heard
		for _, late := range c.late {
			h.post(&fanout.Event{Kind: fanout.KindPost, Sent: stamp.Add(skew - late), Received: stamp}, stamp.Add(c.read))
		}
		if c.late == nil {
			h.post(&fanout.Event{Kind: fanout.KindPost, Received: stamp}, stamp.Add(c.read))
		}
		if at, unread := h.last(stamp); !at.Equal(stamp.Add(c.want)) || unread != c.unread {
			t.Errorf("%s: %v after the stamp, %v unread; want %v, %v", name, at.Sub(stamp), unread, c.want, c.unread)
		}
	}
}

// Where no event is on the bus, what a leader lost that is gone began with its stream.
func TestNothingHeard(t *testing.T) {
	var h heard
	if at, _ := h.last(time.Time{}); !at.IsZero() {
		t.Errorf("nobody had a stream, and that at %v", at)
	}
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	h.stream(began)
	h.stream(began.Add(time.Hour))
	if at, _ := h.last(time.Time{}); !at.Equal(began) {
		t.Errorf("since %v, want %v", at, began)
	}
}
