package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/upstream/demand"
	"aviary/upstream/lease"
)

// Fifty thousand clients with a filter each: what a look at them takes when nothing
// has changed and when a hundred came and went, on one machine and as a node that
// leads a cluster and tells the others. A look every half second may take a hundred
// milliseconds before looks become rarer.
func BenchmarkLook(b *testing.B) {
	const clients = 50_000
	for _, shared := range []bool{false, true} {
		g := &gateway{hub: fanout.NewHub(fanout.Config{}), log: slog.New(slog.NewTextHandler(io.Discard, nil))}
		bell := g.hub.NewBell()
		join := func(i int) *fanout.Subscription {
			s, _ := g.hub.Subscribe(fanout.SubscribeOptions{Filter: mustFilter(b, fmt.Sprintf("track=term%06d word%d", i, i%500)), Bell: bell, Key: fmt.Sprint("10.0.", i%250, ".", i/250)})
			return s
		}
		all := make([]*fanout.Subscription, clients)
		for i := range all {
			all[i] = join(i)
		}
		d := &demands{g: g, on: true, planner: demand.New(demand.Config{}), turn: make(chan struct{}, 1)}
		g.demands = d
		name := "alone"
		if shared {
			name = "cluster"
			d.shares = &shares{g: g, store: lease.NewMemory(0), node: "one", others: map[string]*share{}}
		}
		now := time.Now()
		look := func() {
			now = now.Add(demandEvery)
			here := g.hub.Filters()
			list := here
			if shared {
				list = d.shares.hash(here)
				d.shares.give(context.Background(), now, list)
				list = d.shares.with(list)
			}
			d.planner.Plan(now, list)
			d.teller.Compare(now, d.planner.Force(), here)
		}
		for range 50 { // whoever is new is told of in turns
			look()
		}
		b.Run(name+"/same", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				look()
			}
		})
		b.Run(name+"/churn", func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				b.StopTimer()
				for range 100 {
					i := n % clients
					n += 37
					all[i].Close()
					all[i] = join(clients + n)
				}
				b.StartTimer()
				look()
			}
		})
	}
}
