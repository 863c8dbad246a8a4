package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

// A term that the upstream refuses is left out, its clients are told, and nobody
// else's terms wait for it.
func TestRefusedTerm(t *testing.T) {
	demanded(t, sim.Config{MaxConnects: 5}, false, func(t *testing.T, fake *sim.Server, g *running) {
		if err := fake.Do("status 406"); err != nil {
			t.Fatal(err)
		}
		bad := g.open("track=zebra", "")
		bad.until("hello")
		bad.read()
		time.Sleep(10 * time.Second)
		if a := g.asked(); len(a.Demand.Track) != 0 || !a.InForce {
			t.Errorf("%+v", a)
		}
		if _, body := g.get("/filters/check?track=zebra"); !strings.Contains(body, "refuses to be asked for this") {
			t.Error(body)
		}
		good := g.open("track=lion", "")
		good.until("hello")
		good.read()
		time.Sleep(2 * time.Minute)
		if a := g.asked(); !slices.Equal(a.Demand.Track, []string{"lion"}) || !a.InForce {
			t.Errorf("%+v", a)
		}
		time.Sleep(time.Hour)
		if a := g.asked(); !slices.Equal(a.Demand.Track, []string{"lion", "zebra"}) || !a.InForce {
			t.Errorf("an hour later: %+v", a)
		}
		if stats := fake.Stats(); stats.Most > 2 || stats.Refused != 1 {
			t.Errorf("%+v", stats)
		}
	}, "AVIARY_TRACK=go", "AVIARY_DEMAND=on")
}

// Where X takes fewer rules than is published, the most used of them are there, and
// the others' clients are told.
func TestFewerRulesThanPublished(t *testing.T) {
	demanded(t, sim.Config{XRules: 3}, true, func(t *testing.T, fake *sim.Server, g *running) {
		for term, clients := range map[string]int{"ant": 1, "bee": 1, "yak": 3, "zebra": 2} {
			for range clients {
				s := g.open("q="+term, "")
				s.until("hello")
				s.read()
			}
		}
		time.Sleep(2 * time.Minute)
		var rules []string
		for _, r := range fake.Rules() {
			rules = append(rules, r.Value)
		}
		a := g.asked()
		if slices.Sort(rules); !slices.Equal(rules, []string{"go", "yak", "zebra"}) || !slices.Equal(a.Demand.Rules, rules[1:]) || !a.InForce {
			t.Errorf("rules %q, asked %+v", rules, a)
		}
		if _, body := g.get("/filters/check?q=ant"); !strings.Contains(body, "room only for what more clients ask for") {
			t.Error(body)
		}
		if _, body := g.get("/status"); strings.Contains(body, "refused") {
			t.Error(body)
		}
	}, "AVIARY_TRACK=go", "AVIARY_DEMAND=on")
}
