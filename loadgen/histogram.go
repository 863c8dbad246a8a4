package loadgen

import (
	"math/bits"
	"time"
)

// Buckets of a Histogram: each power of two is cut into 128, so that a bucket is
// less than 1 % wide. The longest time told apart is 2^42 ns, 73 minutes.
const (
	longestBits = 42
	buckets     = (longestBits - 8 + 2) * 128
)

// Histogram counts durations. Its zero value is empty. It is not safe for
// concurrent use.
type Histogram struct {
	counts [buckets]uint64
	n      uint64
	max    time.Duration
}

// Add counts one duration; one below zero counts as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.max = max(h.max, d)
	h.n++
	h.counts[bucket(d)]++
}

func bucket(d time.Duration) int {
	v := min(uint64(d), 1<<longestBits-1)
	shift := max(bits.Len64(v)-8, 0)
	return shift*128 + int(v>>shift)
}

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.n }

// Max is the longest, exactly.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile is the duration that a share q (0 to 1) of those added do not
// exceed, rounded up by less than 1 %; zero if none was added.
func (h *Histogram) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := max(uint64(q*float64(h.n)+0.5), 1)
	var seen uint64
	for i, count := range h.counts {
		if seen += count; seen >= rank {
			return min(upperEnd(i), h.max)
		}
	}
	return h.max
}

// upperEnd is the longest duration of a bucket.
func upperEnd(i int) time.Duration {
	if i < 256 {
		return time.Duration(i)
	}
	shift := i/128 - 1
	return time.Duration(i-shift*128+1)<<shift - 1
}

// Reset empties the histogram.
func (h *Histogram) Reset() { *h = Histogram{} }
