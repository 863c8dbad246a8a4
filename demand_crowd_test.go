package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter/sim"
)

// A crowd of clients with more terms than there is room for, within the real budget
// of connections: the most used terms are asked for. When others become the most
// used, everybody whose posts begin or end to come is told, and few connections are
// made for it. make chaos does it with 5,000 clients and 2,000 terms.
func TestDemandOfThousands(t *testing.T) {
	clients, terms, room := 250, 100, 24
	if os.Getenv("CHAOS") != "" {
		clients, terms, room = 5000, 2000, 400
	}
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := fakeIn(t, n, sim.Config{MaxConnects: 5})
		environ := append(fake.Settings("http://127.0.0.1:9100"), "AVIARY_TRACK=", "AVIARY_DEMAND=on", "AVIARY_LOG_LEVEL=warn")
		if own := 400 - room; own > 0 {
			environ = append(environ, "AVIARY_TRACK="+ownTerms(own))
		} else {
			environ, room = append(environ, "AVIARY_TRACK=own"), room-1
		}
		g := start(t, n, environ...)
		time.Sleep(time.Second)
		r := rand.New(rand.NewPCG(1, 2))
		type client struct {
			s            *stream
			term         int
			waits        bool // was told that its posts do not come yet
			found, ended atomic.Int32
		}
		open := func(term int) *client {
			c := &client{s: g.open(fmt.Sprintf("track=term%04d", term), ""), term: term}
			hello := c.s.until("hello").data
			c.waits = strings.Contains(hello, "it has room only for") || strings.Contains(hello, "will be asked for this")
			gaps, _ := c.s.gaps()
			go func() {
				for gap := range gaps {
					if strings.Contains(gap, `"to":null`) {
						c.ended.Add(1)
					} else {
						c.found.Add(1)
					}
				}
			}()
			return c
		}
		var all []*client
		for i := range clients {
			term := i
			if i >= terms {
				term = min(r.IntN(terms), r.IntN(terms), r.IntN(terms))
			}
			all = append(all, open(term))
		}
		asked := func() map[int]bool {
			t.Helper()
			a := g.asked()
			if len(a.Demand.Track) != room || !a.InForce {
				t.Fatalf("%d terms, want %d; in force: %v", len(a.Demand.Track), room, a.InForce)
			}
			in := map[int]bool{}
			for _, text := range a.Demand.Track {
				var term int
				_, _ = fmt.Sscanf(text, "term%d", &term)
				in[term] = true
			}
			return in
		}
		check := func() map[int]bool {
			t.Helper()
			used, in, least := map[int]int{}, asked(), 1<<30
			for _, c := range all {
				used[c.term]++
			}
			for term := range in {
				least = min(least, used[term])
			}
			for term, n := range used {
				if !in[term] && n > least+least/10+1 { // what is in force is preferred
					t.Fatalf("term %d has %d clients and is left out, another with %d is there", term, n, least)
				}
			}
			for _, c := range all {
				told := c.found.Load() - c.ended.Load()
				if comes := told > 0 || told == 0 && !c.waits; comes != in[c.term] {
					t.Fatalf("a client of term %d, in force: %v, was told otherwise: waits %v, found %d, ended %d", c.term, in[c.term], c.waits, c.found.Load(), c.ended.Load())
				}
			}
			return in
		}
		time.Sleep(10 * time.Minute)
		first := check()
		// The last terms become popular.
		before := fake.Stats().Connects
		for i := range clients / 3 {
			all[i].s.close()
			all[i] = open(terms - 1 - i%(room/4))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(15 * time.Minute)
		second := check()
		moved, ended := 0, 0
		for term := range second {
			if !first[term] {
				moved++
			}
		}
		for _, c := range all {
			ended += int(c.ended.Load())
		}
		stats := fake.Stats()
		t.Logf("%d clients, %d terms: %d of %d in force changed with %d connections; %d were told of an end", clients, terms, moved, room, stats.Connects-before, ended)
		if moved < room/8 || ended == 0 {
			t.Error("this test shows little")
		}
		if stats.Connects-before > 9 || stats.Most > 2 || stats.Refused != 0 {
			t.Errorf("%d connections: %+v", stats.Connects-before, stats)
		}
		g.stop()
	})
}
