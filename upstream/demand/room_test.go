package demand

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
)

// That there is no more room changes what clients are told, not what is asked for.
func TestFullIsNoOtherAsk(t *testing.T) {
	p := New(Config{Limits: Limits{Phrases: 2}})
	drive(p, start, 5, always(crowdOf(map[string]int{"track=a": 2, "track=b": 2}, t)))
	before := p.Force()
	all := crowdOf(map[string]int{"track=a": 2, "track=b": 2, "track=c": 1}, t)
	p.Plan(start.Add(time.Minute), all)
	if j := p.Force().Judge(mustParse(t, "track=c")); !strings.Contains(strings.Join(j.Warnings, ""), "room") {
		t.Errorf("%+v", j)
	}
	if !p.Force().Asks(before) || before == p.Force() {
		t.Error("the ask has changed with the room")
	}
	if other := New(Config{}).Force(); other.Asks(before) {
		t.Error("nothing is not something")
	}
}

// Operator's terms that come while clients' fill the limits push the least used of
// those out at once: the upstream refuses a list that is too long.
func TestOperatorsTermsAlwaysFit(t *testing.T) {
	filters := map[string]int{}
	for i := range 400 {
		filters[fmt.Sprintf("track=term%03d", i)] = 2 + i%3
	}
	filters["track=seldom"] = 1
	delete(filters, "track=term000")
	p := New(Config{})
	drive(p, start, 5, always(crowdOf(filters, t)))
	for own, room := range map[string]int{"track=go": 399, "track=go,go lang,rust": 397} {
		c := configOf(t, own)
		p.Configure(c)
		got := p.Force().Asked().Phrases
		if len(got) > room || strings.Contains(strings.Join(got, ","), "seldom") {
			t.Errorf("%d terms beside %s", len(got), own)
		}
		if wire := strings.Split(p.force.asked.Track(strings.TrimPrefix(own, "track=")), ","); len(wire) > 400 {
			t.Errorf("%d phrases are sent", len(wire))
		}
		if !New(c).withAdopted(p.Force().Asked()).Force().Asks(p.Force()) {
			t.Error("whoever takes over asks for something else")
		}
	}
}

// configOf is one with an operator's terms that take up what is written.
func configOf(t *testing.T, own string) Config {
	c := Config{OwnUse: Limits{Phrases: 1 + strings.Count(own, ",")}}
	c.Own = append(c.Own, mustParse(t, own))
	return c
}

func (p *Planner) withAdopted(a Ask) *Planner {
	p.Adopt(start, a)
	return p
}

// Clients with huge filters cost no more than an upstream could use, and do not
// keep those with small ones from being served.
func TestHugeFilters(t *testing.T) {
	huge := func(i int) string {
		ids := make([]string, 5000)
		for k := range ids {
			ids[k] = fmt.Sprint(1_000_000_000_000_000*(i+1) + k)
		}
		return "follow=" + strings.Join(ids, ",")
	}
	var asked []fanout.Asked
	for i := range 4 {
		asked = append(asked, fanout.Asked{Filter: mustParse(t, huge(i)), Keys: []string{"hog"}})
	}
	for i := range 21 {
		asked = append(asked, fanout.Asked{Filter: mustParse(t, huge(4+i)), Clients: 1})
	}
	asked = append(asked, fanout.Asked{Filter: mustParse(t, "track=zebra"), Keys: []string{"somebody"}})
	p := New(Config{})
	drive(p, start, 2, always(asked))
	if ask := p.Force().Asked(); len(ask.Phrases) != 1 || len(ask.IDs) != 5000 {
		t.Errorf("%d phrases, %d ids", len(ask.Phrases), len(ask.IDs))
	}
	read := func(p *Planner) (filters, needs int) {
		for _, f := range p.crowd.filters {
			if f.read != nil {
				filters, needs = filters+1, needs+f.read.size()
			}
		}
		return filters, needs
	}
	_, kept := read(p)
	if kept > maxNeeds+5001 {
		t.Errorf("%d needs are kept", kept)
	}
	hog := New(Config{})
	drive(hog, start, 2, always(asked[:4]))
	if n, _ := read(hog); n > 2 || len(hog.Force().Asked().IDs) != 1250 {
		t.Errorf("of one address %d filters are kept, %d ids asked for", n, len(hog.Force().Asked().IDs))
	}
	// The small one is told first, the huge ones in turn.
	var teller Teller
	last := asked[len(asked)-1].Filter.String()
	for turn := range 4 {
		teller.Compare(start, p.Force(), asked)
		if teller.known[last] == nil {
			t.Fatal("the small filter waits")
		}
		if turn == 0 && len(teller.known) == len(asked) {
			t.Error("all is read in one turn: this test shows nothing")
		}
	}
	if len(teller.known) != len(asked) {
		t.Errorf("%d of %d filters are known", len(teller.known), len(asked))
	}
}
