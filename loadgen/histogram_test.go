package loadgen

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Quantiles are those of the sorted durations, at most 1 % above.
func TestQuantiles(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h Histogram
	var all []time.Duration
	for range 50_000 {
		d := time.Duration(random.ExpFloat64() * float64(time.Duration(1)<<random.IntN(38)))
		h.Add(d)
		all = append(all, d)
	}
	slices.Sort(all)
	for _, q := range []float64{0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1} {
		exact := all[max(int(q*float64(len(all))+0.5), 1)-1]
		if got := h.Quantile(q); got < exact || float64(got) > float64(exact)*1.01+1 {
			t.Errorf("quantile %v is %v, not %v", q, got, exact)
		}
	}
	if h.Max() != all[len(all)-1] || h.Count() != uint64(len(all)) {
		t.Errorf("%d durations, the longest %v", h.Count(), h.Max())
	}
}

func TestHistogramEdges(t *testing.T) {
	var h Histogram
	if h.Quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
	for _, d := range []time.Duration{-time.Second, 0, 255, 256, 1<<42 - 1, 1 << 42, 1<<63 - 1} {
		h.Reset()
		h.Add(d)
		if i := bucket(max(d, 0)); i < 0 || i >= buckets {
			t.Errorf("%d falls into bucket %d", d, i)
		}
		if got := h.Quantile(1); d < 1<<42 && got != max(d, 0) {
			t.Errorf("the only duration is %d, not %d", got, d)
		}
	}
	for i := range buckets - 1 { // no holes, no overlaps
		if upper := upperEnd(i); bucket(upper) != i || bucket(upper+1) != i+1 {
			t.Fatalf("bucket %d ends at %d", i, upper)
		}
	}
}
