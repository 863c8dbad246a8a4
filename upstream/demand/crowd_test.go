package demand

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// anew is a planner that has read nothing, with the same in force.
func (p *Planner) anew() *Planner {
	q := New(*p.config)
	for name, h := range p.held {
		q.hold(h.term, h.since)
		q.held[name].wanted = h.wanted
	}
	q.force, q.changes, q.pending, q.adds = p.force, slices.Clone(p.changes), p.pending, p.adds
	q.broad, q.wasBroad, q.seen = p.broad, p.wasBroad, p.seen
	return q
}

// What a planner keeps from one plan to the next changes nothing: one that reads
// everything anew comes to the same.
func TestKeepsWhatIsTrue(t *testing.T) {
	for seed := range uint64(60) {
		w := newWorld(seed)
		w.x = seed%2 == 1
		c := Config{Limits: Limits{Phrases: 5, IDs: 3, Boxes: 2, Rules: 6}, Changes: 50}
		if w.x {
			c.API = X
		}
		p := New(c)
		there := map[string]fanout.Asked{}
		now := start
		for step := range 40 {
			now = now.Add(time.Duration(1+w.IntN(12)) * time.Second)
			for range w.IntN(4) {
				f := w.filter()
				a := fanout.Asked{Filter: f, Clients: w.IntN(3)}
				for key := range 5 {
					if w.IntN(3) == 0 {
						a.Keys = append(a.Keys, fmt.Sprint("key", key))
					}
				}
				there[f.String()] = a
			}
			for _, text := range slices.Sorted(maps.Keys(there)) {
				if w.IntN(8) == 0 {
					delete(there, text)
				}
			}
			var asked []fanout.Asked
			for _, text := range slices.Sorted(maps.Keys(there)) {
				asked = append(asked, there[text])
			}
			switch w.IntN(30) {
			case 0:
				c.Own = []*filter.Filter{w.filter()}
				p.Configure(c)
			case 1:
				c.Own = nil
				p.Configure(c)
			case 2:
				p.Adopt(now, p.Force().Asked())
			}
			want := p.anew().Plan(now, asked)
			got := p.Plan(now, asked)
			if got.Change != want.Change || !got.Again.Equal(want.Again) || !slices.Equal(got.Added, want.Added) ||
				!slices.Equal(got.Dropped, want.Dropped) || got.Force.full != want.Force.full || !got.Force.Asks(want.Force) {
				t.Fatalf("seed %d, step %d: %+v\nread anew: %+v", seed, step, got, want)
			}
			for _, one := range p.crowd.terms.list {
				sum := 0
				for _, n := range p.crowd.needs.list {
					if n.covered(one.term) {
						sum += n.weight
					}
				}
				if one.weight != sum {
					t.Fatalf("seed %d, step %d: %s weighs %d, its needs %d", seed, step, one.text, one.weight, sum)
				}
			}
		}
		p.Plan(now.Add(time.Second), nil)
		if n := len(p.crowd.needs.list) + len(p.crowd.needs.named) + len(p.crowd.filters) + len(p.crowd.books.numbers); n > 0 {
			t.Errorf("%d things are kept of clients that are gone", n)
		}
		if n := len(p.crowd.terms.list); n != len(p.held) {
			t.Errorf("%d terms are kept, %d in force", n, len(p.held))
		}
	}
}

// The same list again costs nothing until something is due.
func TestNothingNew(t *testing.T) {
	p := New(Config{})
	asked := crowdOf(map[string]int{"track=go": 1}, t)
	first := p.Plan(start, asked)
	if first.Change || !first.Again.Equal(start.Add(time.Second)) {
		t.Errorf("%+v", first)
	}
	now := start
	if n := testing.AllocsPerRun(10, func() { now = now.Add(time.Millisecond); p.Plan(now, asked) }); n > 0 {
		t.Errorf("%v allocations for nothing new", n)
	}
	if s := p.Plan(start.Add(time.Second), asked); !s.Change {
		t.Errorf("%+v", s)
	}
}

// Where the operator asks for nothing in particular, whoever asks for everything gets
// it, as long as he is there; the others' posts come then as well.
func TestEverything(t *testing.T) {
	p := New(Config{})
	var teller Teller
	none, zebra := crowdOf(nil, t), crowdOf(map[string]int{"track=zebra": 1}, t)
	both := crowdOf(map[string]int{"": 1, "language=en": 1, "track=zebra": 1}, t)
	check := func(second int, asked []fanout.Asked, phrases ...string) {
		t.Helper()
		now := start.Add(time.Duration(second) * time.Second)
		p.Plan(now, asked)
		if got := p.Force().Asked().Phrases; !slices.Equal(got, phrases) {
			t.Errorf("at %d s the upstream is asked for %q, want %q", second, got, phrases)
		}
	}
	missing := func(second int, asked []fanout.Asked, want int) {
		t.Helper()
		teller.Compare(start.Add(time.Duration(second)*time.Second), p.Force(), asked)
		if got := teller.missing(); len(got) != want {
			t.Errorf("at %d s posts are missing for %v", second, got)
		}
	}
	warned := func(query string, want bool) {
		t.Helper()
		j := p.Force().Judge(mustParse(t, query))
		if got := strings.Contains(strings.Join(j.Warnings, ""), "asked for every post"); got != want || len(j.Warnings) > 1 {
			t.Errorf("%q is warned of %q", query, j.Warnings)
		}
	}
	check(0, none)
	warned("", false)
	warned("track=zebra", false) // it comes without
	check(1, zebra)
	check(2, zebra, "zebra")
	missing(2, both, 2)
	warned("", true)
	warned("language=en", true)
	check(60, both, "zebra")
	check(69, both) // spread out
	missing(69, both, 0)
	check(80, zebra)
	check(85, zebra)
	check(99, zebra)
	check(150, zebra, "zebra")
	p.Configure(configOf(t, "track=go"))
	check(300, both, "zebra")
	missing(300, both, 0)
	warned("", false)
}

// An application's clients are counted as one page; a key counts once for a need
// whichever of its filters has it, and for its part of the terms.
func TestBooks(t *testing.T) {
	var keys []string
	for i := range 1000 {
		keys = append(keys, fmt.Sprint("10.0.0.", i))
	}
	asked := []fanout.Asked{
		{Filter: mustParse(t, "track=a"), Keys: keys[:10]},
		{Filter: mustParse(t, "track=a,b,c,d,e"), Keys: keys},
		{Filter: mustParse(t, "track=f"), Keys: keys[:500], Clients: 7},
	}
	p := New(Config{PerKey: Limits{Phrases: 3}})
	p.Plan(start, asked)
	got := map[string]int{}
	for _, c := range p.crowd.terms.list {
		got[c.text] = c.weight
	}
	// The shortest filters count first: of the long one two terms, or one, are left.
	want := map[string]int{"a": 1000, "b": 1000, "c": 500, "d": 0, "e": 0, "f": 507}
	if !maps.Equal(got, want) {
		t.Errorf("weights %v, want %v", got, want)
	}
	if n := len(p.crowd.books.pages); n > 6 {
		t.Errorf("%d pages", n)
	}
}

// Each client looks at another part of one map: few boxes are held against few.
func TestManyBoxes(t *testing.T) {
	var asked []fanout.Asked
	for i := range 4000 {
		x, y := float64(i%100)/50, float64(i/100)/50
		asked = append(asked, fanout.Asked{Filter: mustParse(t, fmt.Sprintf("locations=%.2f,%.2f,%.2f,%.2f", x, y, x+0.3, y+0.3)), Clients: 1})
	}
	asked = append(asked, fanout.Asked{Filter: mustParse(t, "locations=-1,-1,4,4"), Clients: 1})
	p := New(Config{})
	drive(p, start, 3, always(asked))
	if got := p.Force().Asked().Boxes; len(got) != 1 || got[0].West != -1 {
		t.Errorf("%d boxes, not the one that holds them all: %v", len(got), got)
	}
}

// A rule that was adopted is known by its text; the filter that asks for it says
// better what it brings, and nobody has to ask again.
func TestAdoptedRuleIsLearnt(t *testing.T) {
	c := Config{API: X}
	asked := crowdOf(map[string]int{"track=c%2B%2B": 1}, t)
	p := New(c)
	drive(p, start, 3, always(asked))
	took := p.Force().Asked()
	q := New(c)
	q.Adopt(start, took)
	steps, _ := drive(q, start, 200, always(asked))
	if len(steps) > 0 || len(took.Rules) != 1 || !q.Force().Asks(p.Force()) {
		t.Errorf("adopted %q, then %+v", took.Rules, steps)
	}
	if j := q.Force().Judge(asked[0].Filter); len(j.Warnings) > 0 {
		t.Errorf("%q", j.Warnings)
	}
}
