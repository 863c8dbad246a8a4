package fanout_test

import (
	"fmt"
	"testing"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// Fifty thousand clients, by how many filters they have: what it costs to see what
// they ask for when nothing has changed since, and when a hundred came and went.
func BenchmarkFilters(b *testing.B) {
	for _, filters := range []int{2000, 50_000} {
		h := fanout.NewHub(fanout.Config{})
		bell := h.NewBell()
		join := func(i int) *fanout.Subscription {
			f, err := filter.ParseString(fmt.Sprintf("track=term%d", i%filters))
			if err != nil {
				b.Fatal(err)
			}
			s, _ := h.Subscribe(fanout.SubscribeOptions{Filter: f, Bell: bell, Key: fmt.Sprint("10.0.", i%200, ".", i/200)})
			return s
		}
		var all []*fanout.Subscription
		for i := range 50_000 {
			all = append(all, join(i))
		}
		b.Run(fmt.Sprint("filters=", filters, "/same"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.Filters()
			}
		})
		b.Run(fmt.Sprint("filters=", filters, "/churn"), func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				b.StopTimer()
				for range 100 {
					i := n % len(all)
					n += 37
					all[i].Close()
					all[i] = join(i)
				}
				b.StartTimer()
				h.Filters()
			}
		})
	}
}
