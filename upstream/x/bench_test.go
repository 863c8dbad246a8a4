package x_test

import (
	"testing"
	"time"

	"aviary/upstream/twitter"
	"aviary/upstream/twitter/sim"
	"aviary/upstream/x"
)

// BenchmarkDecode is what one post costs by either API, from the raw message to an
// event with its features: the same posts, side by side.
func BenchmarkDecode(b *testing.B) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := sim.NewCorpus(7, start)
	var v1, v2 [][]byte
	for i := range 500 {
		if m := c.Next(start.Add(time.Duration(i) * time.Second)); m.Post {
			v1, v2 = append(v1, m.JSON), append(v2, c.X(m, sim.AllFields))
		}
	}
	b.Run("v1.1", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, err := twitter.Decode(v1[i%len(v1)]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("v2", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, err := x.Decode(v2[i%len(v2)]); err != nil {
				b.Fatal(err)
			}
		}
	})
}
