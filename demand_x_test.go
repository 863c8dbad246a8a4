package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

// On X rules are edited, and the stream goes on.
func TestDemandX(t *testing.T) {
	demanded(t, sim.Config{}, true, func(t *testing.T, fake *sim.Server, g *running) {
		s := g.open("q=zebra+-is:retweet", "")
		s.until("hello")
		time.Sleep(5 * time.Second)
		say(fake, "a zebra")
		if e := s.until(""); !strings.Contains(e.data, `"text":"a zebra"`) {
			t.Error(e.data)
		}
		var rules []string
		for _, r := range fake.Rules() {
			rules = append(rules, r.Value)
		}
		if slices.Sort(rules); !slices.Equal(rules, []string{"go", "zebra -is:retweet"}) {
			t.Errorf("rules %q", rules)
		}
		s.close()
		time.Sleep(3 * time.Minute)
		if rules := fake.Rules(); len(rules) != 1 {
			t.Errorf("rules %v", rules)
		}
		if code, body := g.put(`{"track":"rust"}`); code != 202 {
			t.Error(code, body)
		}
		time.Sleep(time.Minute)
		if rules := fake.Rules(); len(rules) != 1 || rules[0].Value != "rust" {
			t.Errorf("rules %v", rules)
		}
		if stats := fake.Stats(); stats.Connects-stats.Refused != 1 || stats.Most != 1 { // the compliance stream is refused
			t.Errorf("%+v", stats)
		}
	}, "AVIARY_TRACK=go", "AVIARY_DEMAND=on")
}

// However often an operator changes rules of X, the requests that a lost stream
// needs are not spent.
func TestEditsOfRulesArePaced(t *testing.T) {
	demanded(t, sim.Config{}, true, func(t *testing.T, fake *sim.Server, g *running) {
		for i := range 300 {
			if i%3 == 0 {
				g.signals <- os.Signal(syscall.SIGHUP)
			}
			if code, said := g.put(fmt.Sprintf(`{"track":"word%d"}`, i)); code != 202 {
				t.Fatal(said)
			}
			time.Sleep(time.Second)
		}
		if err := fake.Do("drop"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if stats := fake.Stats(); stats.Streams != 1 {
			_, status := g.get("/status")
			t.Errorf("%+v: %s", stats, status)
		}
		time.Sleep(time.Minute)
		if rules := fake.Rules(); len(rules) != 1 || rules[0].Value != "word299" || !g.asked().InForce {
			t.Errorf("%v", rules)
		}
		if strings.Contains(g.log.String(), "used up") {
			t.Error("the budget of requests was used up")
		}
	}, "AVIARY_TRACK=go", "AVIARY_LOG_LEVEL=warn")
}
