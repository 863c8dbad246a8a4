package demand

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
)

// Fifty thousand clients, each of an address of its own: what they cost when they
// are new, when a hundred have come and a hundred gone since the last look, and to be
// told. "terms": each has a word of its own. "app": they all have one filter of 400
// terms. "map": each looks at another part of one map.
func BenchmarkCrowd(b *testing.B) {
	const clients, churn = 50_000, 100
	var list []string
	for i := range 400 {
		list = append(list, fmt.Sprintf("listed%03d", i))
	}
	address := func(i int) string { return fmt.Sprint("10.", i>>16, ".", i>>8&255, ".", i&255) }
	crowds := []struct {
		name string
		make func(i int) string // the filter of a client
	}{
		{"terms", func(i int) string { return fmt.Sprintf("track=term%06d word%d&language=en", i, i%500) }},
		{"map", func(i int) string {
			x, y := float64(i%200)/50, float64(i/200)/100
			return fmt.Sprintf("locations=%.2f,%.2f,%.2f,%.2f", x, 48+y, x+0.3, 48.2+y)
		}},
		{"app", nil},
	}
	for _, c := range crowds {
		asked := make([]fanout.Asked, 0, clients+churn)
		if c.make == nil {
			var keys []string
			for i := range clients {
				keys = append(keys, address(i))
			}
			app := mustParse(b, "track="+strings.Join(list, ","))
			asked = append(asked, fanout.Asked{Filter: app, Keys: keys}, fanout.Asked{Filter: app, Keys: keys[churn:]})
		} else {
			for i := range clients + churn {
				asked = append(asked, fanout.Asked{Filter: mustParse(b, c.make(i)), Keys: []string{address(i)}})
			}
		}
		here := func(i int) []fanout.Asked { // two crowds by turns
			if c.make == nil {
				return asked[i%2:][:1]
			}
			return asked[i%2*churn:][:clients]
		}
		b.Run(c.name+"/first", func(b *testing.B) {
			for b.Loop() {
				New(Config{}).Plan(start, here(0))
			}
		})
		p, now, i := New(Config{}), start, 0
		p.Plan(now, here(0))
		b.Run(c.name+"/churn", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				i, now = i+1, now.Add(time.Millisecond)
				p.Plan(now, here(i))
			}
		})
		b.Run(c.name+"/tell", func(b *testing.B) {
			b.ReportAllocs()
			var t Teller
			for range 100 {
				t.Compare(now, p.Force(), here(0))
			}
			for b.Loop() {
				i++
				t.Compare(now, p.Force(), here(i))
			}
		})
	}
}
