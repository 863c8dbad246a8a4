package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

// A client that asks for a new term is told that it is not there yet, gets its posts
// soon, and a gap that ends when they begin; the term goes after the client.
func TestDemand(t *testing.T) {
	demanded(t, sim.Config{MaxConnects: 5}, false, func(t *testing.T, fake *sim.Server, g *running) {
		s := g.open("track=zebra&format=sse", "")
		if hello := s.until("hello").data; !strings.Contains(hello, `will be asked for this as soon as its limits allow`) || !strings.Contains(hello, "zebra") {
			t.Error(hello)
		}
		posts := 0
		go func() {
			for range 100 {
				say(fake, "a zebra", "go on")
				time.Sleep(100 * time.Millisecond)
			}
		}()
		began := time.Now()
		if gap := s.until("gap").data; !strings.Contains(gap, `"reason":"upstream"`) || strings.Contains(gap, `"to":null`) {
			t.Error(gap)
		}
		for _, text := range s.posts(20) {
			if posts++; text != "a zebra" {
				t.Error(text)
			}
		}
		if took := time.Since(began); took > 6*time.Second { // 20 posts are two seconds
			t.Errorf("the first posts took %v", took)
		}
		if a := g.asked(); a.Track != "go" || !a.InForce || !slices.Equal(a.Demand.Track, []string{"zebra"}) {
			t.Errorf("%+v", a)
		}
		s.close()
		time.Sleep(20 * time.Second)
		if a := g.asked(); len(a.Demand.Track) != 1 {
			t.Errorf("gone before its time: %+v", a)
		}
		time.Sleep(time.Minute)
		if a := g.asked(); len(a.Demand.Track) != 0 || !a.InForce {
			t.Errorf("still there: %+v", a)
		}
		if stats := fake.Stats(); stats.Most > 2 || stats.Connects != 3 || stats.Refused != 0 {
			t.Errorf("%+v", stats)
		}
	}, "AVIARY_TRACK=go", "AVIARY_DEMAND=on")
}

// More terms than there is room for: the most used are asked for, whoever is left
// out was told in the hello, and is told again when that changes.
func TestDemandCrowd(t *testing.T) {
	demanded(t, sim.Config{MaxConnects: 5}, false, func(t *testing.T, fake *sim.Server, g *running) {
		open := func(term int) *stream {
			s := g.open(fmt.Sprintf("track=term%04d", term), "")
			s.until("hello")
			go func() { _, _ = io.Copy(io.Discard, s.body) }()
			return s
		}
		for term := range 450 { // 399 have room
			open(term)
			if term < 300 {
				open(term)
			}
		}
		time.Sleep(2 * time.Minute)
		a := g.asked()
		if len(a.Demand.Track) != 399 || !a.InForce {
			t.Fatalf("%d terms, in force: %v", len(a.Demand.Track), a.InForce)
		}
		for term := range 300 {
			if !slices.Contains(a.Demand.Track, fmt.Sprintf("term%04d", term)) {
				t.Fatalf("term%04d is used twice and not there", term)
			}
		}
		if _, body := g.get("/filters/check?track=term9999"); !strings.Contains(body, "room only for what more clients ask for") {
			t.Error(body)
		}
		// Three more for one that was left out: another one goes.
		for range 3 {
			open(449)
		}
		time.Sleep(5 * time.Minute)
		if a = g.asked(); len(a.Demand.Track) != 399 || !slices.Contains(a.Demand.Track, "term0449") {
			t.Errorf("%d terms; term0449: %v", len(a.Demand.Track), slices.Contains(a.Demand.Track, "term0449"))
		}
		polite(t, fake)
	}, "AVIARY_TRACK=go", "AVIARY_DEMAND=on", "AVIARY_LOG_LEVEL=warn")
}

// A client whose term had room and is pushed out by others' is told with a gap that
// has no end yet; one that comes then is told in its hello; and when there is room
// again a gap tells from when to when.
func TestPushedOutIsTold(t *testing.T) {
	demanded(t, sim.Config{MaxConnects: 100}, false, func(t *testing.T, fake *sim.Server, g *running) {
		quit := make(chan struct{})
		defer close(quit)
		go func() {
			for {
				select {
				case <-quit:
					return
				case <-time.After(100 * time.Millisecond):
					say(fake, "own 1", "seldom", "common", "wanted")
				}
			}
		}()
		alone := g.open("track=seldom", "")
		alone.until("hello")
		for range 2 {
			s := g.open("track=common", "")
			s.until("hello")
			s.read()
		}
		gaps, posts := alone.gaps()
		if gap := <-gaps; strings.Contains(gap, `"to":null`) {
			t.Fatal("the posts of the term never came: ", gap)
		}
		time.Sleep(time.Minute) // the least that a term stays
		var crowd []*stream
		for range 3 {
			s := g.open("track=wanted", "")
			s.until("hello")
			s.read()
			crowd = append(crowd, s)
		}
		gap := <-gaps
		if !strings.Contains(gap, `"reason":"upstream"`) || !strings.Contains(gap, `"to":null`) {
			t.Error(gap)
		}
		if a := g.asked(); !slices.Equal(a.Demand.Track, []string{"common", "wanted"}) || !a.InForce {
			t.Errorf("%+v", a.Demand)
		}
		late := g.open("track=seldom", "")
		if hello := late.until("hello").data; !strings.Contains(hello, "room only for what more clients ask for") {
			t.Error(hello)
		}
		late.close()
		for _, s := range crowd {
			s.close()
		}
		time.Sleep(10 * time.Second)
		before := posts.Load()
		time.Sleep(10 * time.Second)
		if n := posts.Load() - before; n > 0 && slices.Equal(g.asked().Demand.Track, []string{"common", "wanted"}) {
			t.Errorf("%d posts that the upstream is not asked for", n)
		}
		if gap := <-gaps; strings.Contains(gap, `"to":null`) {
			t.Error(gap)
		}
		before = posts.Load()
		time.Sleep(10 * time.Second)
		if posts.Load() < before+50 {
			t.Error("the posts do not come again")
		}
		polite(t, fake)
	}, "AVIARY_TRACK="+ownTerms(398), "AVIARY_DEMAND=on", "AVIARY_CONNECT_LIMIT=100", "AVIARY_LOG_LEVEL=warn")
}
