package demand

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// drive plans once a second for a while, as its owner does or oftener, and returns
// the steps that changed something, with when they did.
func drive(p *Planner, from time.Time, seconds int, asked func(second int) []fanout.Asked) (steps []Step, at []time.Duration) {
	for i := range seconds {
		now := from.Add(time.Duration(i) * time.Second)
		if s := p.Plan(now, asked(i)); s.Change {
			steps, at = append(steps, s), append(at, now.Sub(from))
		}
	}
	return steps, at
}

func always(asked []fanout.Asked) func(int) []fanout.Asked {
	return func(int) []fanout.Asked { return asked }
}

func TestMinimised(t *testing.T) {
	for _, c := range []struct {
		name, own string
		filters   map[string]int
		want      Ask
	}{
		{"nothing", "", nil, Ask{}},
		{"everything is nothing in particular", "", map[string]int{"": 3, "language=en": 1}, Ask{}},
		{"a word covers its phrases", "", map[string]int{"track=go": 1, "track=go lang": 9, "track=go,rust": 1}, Ask{Phrases: []string{"go", "rust"}}},
		{"a word covers its hashtag", "", map[string]int{"track=go": 1, "track=%23go": 1}, Ask{Phrases: []string{"go"}}},
		{"the operator's terms cover", "track=go,#rust&follow=12", map[string]int{"track=go lang,%23rust": 1, "follow=12": 1, "q=go from:7": 1}, Ask{}},
		{"the user is preferred", "", map[string]int{"q=go from:7": 1}, Ask{IDs: []uint64{7}}},
		{"languages are left to the clients", "", map[string]int{"track=go&language=de": 1}, Ask{Phrases: []string{"go"}}},
		{"a box in a box", "", map[string]int{"locations=1,1,3,3": 1, "locations=1,1,2,2": 1, "locations=5,5,5,5": 1, "locations=10,10,10.01,10.01": 1},
			Ask{Boxes: []filter.Box{{West: 1, South: 1, East: 3, North: 3}, {West: 4.95, South: 4.95, East: 5.052, North: 5.052}, {West: 9.954, South: 9.954, East: 10.056, North: 10.056}}}},
		{"a phrase of a rule", "", map[string]int{`q="opening hours" -is:retweet`: 1}, Ask{Phrases: []string{"hours opening"}}},
		{"a long phrase is cut", "", map[string]int{`q="aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c"`: 1}, Ask{Phrases: []string{"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb c"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := Config{}
			if c.own != "" {
				config.Own = []*filter.Filter{mustParse(t, strings.ReplaceAll(c.own, "#", "%23"))}
			}
			p := New(config)
			steps, at := drive(p, start, 5, always(crowdOf(c.filters, t)))
			if got := p.Force().Asked(); !reflect.DeepEqual(got, c.want) {
				t.Errorf("asked for %+v, want %+v", got, c.want)
			}
			if !c.want.Empty() && (len(steps) != 1 || at[0] != time.Second) {
				t.Errorf("changed at %v", at)
			}
		})
	}
}

// A client's term comes after the debounce and goes when it has been there for the
// floor and nobody has wanted it for the linger.
func TestFloorAndLinger(t *testing.T) {
	go1, none := crowdOf(map[string]int{"track=go": 1}, t), crowdOf(nil, t)
	for _, c := range []struct {
		name  string
		there func(second int) bool
		want  []time.Duration
	}{
		{"leaves early", func(s int) bool { return s < 3 }, []time.Duration{1, 35}},
		{"leaves late", func(s int) bool { return s <= 100 }, []time.Duration{1, 111}},
		{"comes back in time", func(s int) bool { return s < 40 || s > 45 }, []time.Duration{1}},
		{"gone before it was asked for", func(s int) bool { return s < 1 }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := New(Config{})
			_, at := drive(p, start, 200, func(s int) []fanout.Asked {
				if c.there(s) {
					return go1
				}
				return none
			})
			for i := range c.want {
				c.want[i] *= time.Second
			}
			if !slices.Equal(at, c.want) {
				t.Errorf("changed at %v, want %v", at, c.want)
			}
		})
	}
}

// Clients that come with a new term each second do not make more changes than the
// budget, and in the end all their terms are there.
func TestBudget(t *testing.T) {
	p := New(Config{})
	var asked []fanout.Asked
	steps, at := drive(p, start, 1000, func(s int) []fanout.Asked {
		if s < 300 {
			asked = append(asked, fanout.Asked{Filter: mustParse(t, fmt.Sprintf("track=word%03d", s)), Clients: 1})
		}
		return asked
	})
	if len(p.Force().Asked().Phrases) != 300 {
		t.Errorf("%d terms", len(p.Force().Asked().Phrases))
	}
	for i, d := range at {
		if i >= 3 && d-at[i-3] < 5*time.Minute {
			t.Errorf("four changes within %v: %v", d-at[i-3], at)
		}
	}
	if len(steps) < 4 || at[0] != time.Second || at[1] > time.Minute {
		t.Errorf("changed at %v", at)
	}
}

// Five thousand clients, two thousand terms: the 400 most used are asked for,
// whoever is left out or pushed out is told, and coming and going does not make
// the upstream's filter flicker.
func TestMostUsed(t *testing.T) {
	w := newWorld(1)
	var clients []int // the term of each
	for i := range 5000 {
		if i < 2000 {
			clients = append(clients, i)
			continue
		}
		clients = append(clients, min(w.IntN(2000), w.IntN(2000), w.IntN(2000)))
	}
	filters := make([]*filter.Filter, 2000)
	for i := range filters {
		filters[i] = mustParse(t, fmt.Sprintf("track=term%04d", i))
	}
	var used []int
	count := func() (asked []fanout.Asked) {
		used = make([]int, len(filters))
		for _, term := range clients {
			used[term]++
		}
		for i, n := range used {
			if n > 0 {
				asked = append(asked, fanout.Asked{Filter: filters[i], Clients: n})
			}
		}
		return asked
	}
	p := New(Config{})
	_, at := drive(p, start, 5, always(count()))
	inForce := func() map[string]bool {
		in := map[string]bool{}
		for _, phrase := range p.Force().Asked().Phrases {
			in[phrase] = true
		}
		return in
	}
	check := func(slack int) {
		t.Helper()
		in := inForce()
		if len(in) != 400 || len(at) != 1 {
			t.Fatalf("%d terms after changes at %v", len(in), at)
		}
		least := 1 << 30
		for i, n := range used {
			if in[filters[i].String()[6:]] {
				least = min(least, n)
			}
		}
		for i, n := range used {
			if !in[filters[i].String()[6:]] && n > least+slack {
				t.Fatalf("%s is used by %d and left out, another by %d is there", filters[i], n, least)
			}
		}
	}
	check(0)
	var teller Teller
	teller.Compare(start, p.Force(), count())
	if n := len(teller.missing()); n != 1600 {
		t.Errorf("%d filters are known to be left out", n)
	}
	if j := p.Force().Judge(filters[1999]); len(j.Warnings) != 1 || j.Never {
		t.Errorf("whoever comes with a term that has no room is told %+v", j)
	}
	// Now the last terms become popular.
	for i := range 1500 {
		clients[i] = 1900 + i%100
	}
	changes, lost, found := 0, map[string]bool{}, map[string]bool{}
	for second := 0; second < 600; second += 10 {
		for range 200 { // people come and go
			clients[1500+w.IntN(3500)] = w.IntN(2000)
		}
		now, asked := start.Add(time.Duration(100+second)*time.Second), count()
		if s := p.Plan(now, asked); s.Change {
			changes++
		}
		less, more := teller.Compare(now, p.Force(), asked)
		for _, f := range less {
			lost[f] = true
		}
		for _, f := range more {
			found[f.Filter] = f.Since.After(start.Add(-1)) && f.Since.Before(now)
		}
	}
	if changes > 7 || changes < 2 {
		t.Errorf("%d changes in ten minutes", changes)
	}
	for i := 1900; i < 2000; i++ {
		if !inForce()[fmt.Sprintf("term%04d", i)] || used[i] < 10 || !found[filters[i].String()] {
			t.Fatalf("term%04d is used by %d and not there, or nobody was told", i, used[i])
		}
	}
	if len(lost) < 100 {
		t.Errorf("%d were told that their posts come no more", len(lost))
	}
}

// One address brings no more terms than its part, and counts once for each.
func TestPerKey(t *testing.T) {
	p := New(Config{Limits: Limits{Phrases: 40}})
	var asked []fanout.Asked
	for i := range 60 {
		asked = append(asked, fanout.Asked{Filter: mustParse(t, fmt.Sprintf("track=hog%02d", i)), Keys: []string{"hog"}})
	}
	asked = append(asked, fanout.Asked{Filter: mustParse(t, "track=other"), Keys: []string{"a", "b"}})
	drive(p, start, 5, always(asked))
	phrases := p.Force().Asked().Phrases
	if len(phrases) != 11 || !slices.Contains(phrases, "other") {
		t.Errorf("%d terms: %v", len(phrases), phrases)
	}
}

// The outcome does not depend on the order of maps.
func TestDeterministic(t *testing.T) {
	var first Ask
	for i := range 10 {
		w := newWorld(3)
		filters := map[string]int{}
		for range 60 {
			filters[w.filter().String()]++
		}
		p := New(Config{Limits: Limits{Phrases: 5, IDs: 2, Boxes: 2}})
		drive(p, start, 4, always(crowdOf(filters, t)))
		if i == 0 {
			first = p.Force().Asked()
		} else if got := p.Force().Asked(); !reflect.DeepEqual(got, first) {
			t.Fatalf("%+v, at first %+v", got, first)
		}
	}
}

// Another filter of the operator's leaves what clients asked for in force, but for
// what it covers.
func TestConfigure(t *testing.T) {
	p := New(Config{})
	asked := crowdOf(map[string]int{"track=go lang": 1, "track=rust": 1}, t)
	drive(p, start, 5, always(asked))
	p.Configure(Config{Own: []*filter.Filter{mustParse(t, "track=go")}})
	var teller Teller
	teller.Compare(start, p.Force(), asked)
	p.Plan(start.Add(5*time.Second), asked)
	if lost, found := teller.Compare(start, p.Force(), asked); len(lost)+len(found) > 0 {
		t.Errorf("told %v, %v", lost, found)
	}
	drive(p, start.Add(40*time.Second), 60, always(asked))
	if got := p.Force().Asked(); !slices.Equal(got.Phrases, []string{"rust"}) {
		t.Errorf("asked for %+v", got)
	}
}
