package main

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// someTopics are one to five of them, always with the first.
func someTopics(r *rand.Rand) string {
	list := slices.Clone(topics[1:])
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return strings.Join(append([]string{topics[0]}, list[:r.IntN(5)]...), ",")
}

// The operator changes the filter the whole time.
func TestChangesAgainstTheRecord(t *testing.T) {
	watched(t, 200, func(t *testing.T, w *witness, g *running) {
		all := g.reads("")
		r := rand.New(rand.NewPCG(1, 1))
		for range 5 * longer() {
			if code, said := g.put(fmt.Sprintf(`{"track":%q}`, someTopics(r))); code != 202 {
				t.Fatal(said)
			}
			time.Sleep(time.Duration(r.IntN(4000)) * time.Millisecond)
		}
		time.Sleep(5 * time.Second)
		due := w.check(t, all)
		if streams, _ := w.streams(); due < 500 || streams < 4 || all.gaps > 0 {
			t.Errorf("%d posts, %d streams, %d gaps", due, streams, all.gaps)
		}
	}, "AVIARY_CONNECT_LIMIT=1000", "AVIARY_LOG_LEVEL=error")
}

// Clients come and go with their terms the whole time.
func TestDemandAgainstTheRecord(t *testing.T) {
	watched(t, 20, func(t *testing.T, w *witness, g *running) {
		all := g.reads("")
		r := rand.New(rand.NewPCG(2, 2))
		var there []*reader
		due := 0
		for range 20 * longer() {
			if len(there) > 3 || len(there) > 0 && r.IntN(2) == 0 {
				i := r.IntN(len(there))
				due += w.check(t, there[i])
				there = slices.Delete(there, i, i+1)
			} else {
				there = append(there, g.reads("track="+url.QueryEscape(topics[1+r.IntN(6)])))
			}
			time.Sleep(time.Duration(1000+r.IntN(7000)) * time.Millisecond)
		}
		for _, one := range there {
			due += w.check(t, one)
		}
		n := w.check(t, all)
		if streams, _ := w.streams(); n < 500 || due < 100 || streams < 5 {
			t.Errorf("%d and %d posts, %d streams", n, due, streams)
		}
	}, "AVIARY_TRACK="+topics[0], "AVIARY_DEMAND=on", "AVIARY_CONNECT_LIMIT=1000", "AVIARY_LOG_LEVEL=error")
}

// The simulator is started again in the middle of a hand-over: the last filter is in
// force soon, on one stream, nothing comes twice and what is lost is told.
func TestRestartWhileSwitching(t *testing.T) {
	for _, after := range []time.Duration{260 * time.Millisecond, time.Second, 2260 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			watched(t, 50, func(t *testing.T, w *witness, g *running) {
				all := g.reads("")
				for i := range 2 * longer() {
					track := "football," + topics[1+i%2]
					if code, said := g.put(fmt.Sprintf(`{"track":%q}`, track)); code != 202 {
						t.Fatal(said)
					}
					time.Sleep(after)
					w.restart(t)
					time.Sleep(8 * time.Second)
					a := g.asked()
					if n := w.fake.Stats().Streams; a.Track != track || !a.InForce || n != 2 { // the witness's is one
						_, status := g.get("/status")
						t.Errorf("%d streams, %+v: %s", n, a, status)
					}
				}
				if due := w.check(t, all); due < 100 || all.gaps < 2 {
					t.Errorf("%d posts, %d gaps", due, all.gaps)
				}
			}, "AVIARY_CONNECT_LIMIT=1000", "AVIARY_LOG_LEVEL=error", "AVIARY_TRACK=football")
		})
	}
}
