package demand

import (
	"fmt"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// Five thousand clients, two thousand terms: what one look at the filters costs
// once they are known and one has come or gone. "first" is the same where all have
// to be read; "judge" is what a client that connects costs on top.
func BenchmarkPlan(b *testing.B) {
	w := newWorld(1)
	var asked []fanout.Asked
	for i := range 2000 {
		f, err := filter.ParseString(fmt.Sprintf("track=term%04d,word%d two&language=en", i, i%50))
		if err != nil {
			b.Fatal(err)
		}
		asked = append(asked, fanout.Asked{Filter: f, Clients: 1 + w.IntN(4)})
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			New(Config{}).Plan(start, asked)
		}
	})
	p := New(Config{})
	p.Plan(start, asked)
	p.Plan(start.Add(2*time.Second), asked)
	b.Run("again", func(b *testing.B) {
		now, i := start.Add(3*time.Second), 0
		for b.Loop() {
			i, now = i+1, now.Add(time.Millisecond)
			p.Plan(now, asked[i%2:]) // one came, or went
		}
	})
	b.Run("judge", func(b *testing.B) {
		i := 0
		for b.Loop() {
			p.Force().Judge(asked[i%len(asked)].Filter)
			i++
		}
	})
}
