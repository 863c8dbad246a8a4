package upstream

import (
	"slices"
	"time"
)

// The number of connections that a v1.1 upstream lets one user begin, and in
// which time ("5 per 5 minutes").
const (
	defaultConnects       = 5
	defaultConnectsWithin = 5 * time.Minute
)

// budget counts the connections that were begun. Owned by the goroutine in Run.
//
// Opening a lost stream again never waits for it: that is what the ladders are
// for. A Switch does, and leaves one connection for a stream that is lost; when it
// tries again what was refused, one more for whatever is asked for instead.
type budget struct {
	limit  int
	within time.Duration
	begun  []time.Time // oldest first; never changed in place
}

// begin counts one connection.
func (b *budget) begin(now time.Time) {
	kept := b.begun
	for len(kept) > 0 && now.Sub(kept[0]) >= b.within {
		kept = kept[1:]
	}
	b.begun = append(slices.Clip(kept), now)
	if extra := len(b.begun) - b.limit; extra > 0 { // older ones change nothing
		b.begun = b.begun[extra:]
	}
}

// next is when a Switch may begin a connection that leaves spare others.
func (b *budget) next(now time.Time, spare int) time.Time {
	most := max(b.limit-spare, 1)
	if n := len(b.begun) - most; n >= 0 {
		return b.begun[n].Add(b.within)
	}
	return now
}
