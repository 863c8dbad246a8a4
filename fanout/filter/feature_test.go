package filter

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// Sorting, looking up and meeting against the plain way, at all sizes where the
// quick way changes its mind, with repeats and with values at both ends.
func TestFeatureSets(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var scratch []uint64
	for _, n := range []int{0, 1, 2, 11, 12, 13, 100, 1000, 2048, 2049, 5000} {
		in := make([]uint64, n)
		for i := range in {
			switch in[i] = rnd.Uint64(); rnd.IntN(8) {
			case 0:
				in[i] = in[rnd.IntN(i+1)]
			case 1:
				in[i] = ^uint64(0) - in[i]%3
			case 2:
				in[i] %= 3
			}
		}
		want := slices.Clone(in)
		slices.Sort(want)
		want = slices.Compact(want)
		got := sortFeatures(slices.Clone(in), &scratch)
		if !slices.Equal(got, want) {
			t.Fatalf("%d features: sorted %x, want %x", n, got, want)
		}
		for range 1000 {
			h := rnd.Uint64()
			if n > 0 && rnd.IntN(2) == 0 {
				h = in[rnd.IntN(n)]
			} else if rnd.IntN(2) == 0 {
				h = uint64(rnd.IntN(8)) - 4
			}
			if _, in := slices.BinarySearch(want, h); has(want, h) != in {
				t.Fatalf("%d features: has(%x) is %v", n, h, !in)
			}
		}
	}
}
