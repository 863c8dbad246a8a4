package x_test

import (
	"testing"

	"aviary/fanout"
	"aviary/upstream/twitter"
	"aviary/upstream/twitter/sim"
	"aviary/upstream/x"
	"time"
)

// What a post costs that is made into the form of the other API: once an event,
// however many clients ask for it.
func BenchmarkConvert(b *testing.B) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := sim.NewCorpus(5, start)
	var v1, v2 [][]byte
	for i := 0; len(v1) < 200; i++ {
		if m := c.Next(start.Add(time.Duration(i) * time.Second)); m.Post {
			v1, v2 = append(v1, fanout.Normalize(nil, m.JSON)), append(v2, fanout.Normalize(nil, c.X(m, sim.AllFields)))
		}
	}
	for name, way := range map[string]struct {
		posts [][]byte
		make  func(dst, raw []byte) ([]byte, error)
	}{"v1-to-v2": {v1, twitter.Dialect.V2}, "v2-to-v1": {v2, x.Dialect.V1}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var dst []byte
			for i := 0; b.Loop(); i++ {
				var err error
				if dst, err = way.make(dst[:0], way.posts[i%len(way.posts)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
