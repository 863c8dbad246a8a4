package demand

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// A Planner decides what an upstream is asked for, from what clients ask for. It
// owns no clock and starts nothing: whoever owns it calls Plan when the filters
// have changed, and again when Step.Again says so. It is not for concurrent use;
// the Force that it returns is.
type Planner struct {
	config *Config // replaced, never changed: every Force of it has it too
	own    []own
	room   [kinds]int

	crowd *crowd
	held  map[string]*holding // in force, by name
	force *Force

	last  []fanout.Asked // of the last Plan; what it holds is never changed by the hub
	ready bool           // Plan was called since something else has changed
	again time.Time      // of the last Step

	perKey [kinds]int             // see Config.PerKey
	spent  map[string][kinds]bool // see Force; replaced, never changed

	refused map[string]time.Time // by name, until when what the upstream refused is not asked for
	names   map[string]bool      // … for the next Force; replaced, never changed

	broad    time.Time // when somebody was last seen to want every post
	wasBroad bool      // … in the last plan
	seen     time.Time // when Plan was called last

	changes []time.Time // of the last Window
	pending time.Time   // since when what is in force is not what it should be; zero: it is
	adds    bool        // what is pending takes something in
}

// holding is a term in force.
type holding struct {
	term   *term
	since  time.Time // when it was taken in
	wanted time.Time // when somebody was last seen to want it
	weight int       // of its candidate, when it was chosen from last
	fixed  bool      // has to stay, the same
}

// Step is what Plan found out.
type Step struct {
	// Change: ask the upstream for Force.Asked from now on. Added and Dropped are
	// the terms that make the difference, for the log.
	Change         bool
	Force          *Force
	Added, Dropped []string

	Again time.Time // call Plan then, even if no filter changes; zero: no need
}

// New returns a planner that has taken nothing in.
func New(c Config) *Planner {
	p := &Planner{held: map[string]*holding{}, refused: map[string]time.Time{}}
	p.Configure(c)
	return p
}

// Configure takes another config, as when the operator asks for something else.
// What is in force for clients stays as far as there is room; the next Plan judges
// it anew. The operator's own terms are in force at once, as far as the planner knows.
func (p *Planner) Configure(c Config) {
	c = c.withDefaults()
	p.config, p.own = &c, nil
	p.own = p.config.ownTerms()
	p.room = p.rooms()
	for k := range kinds {
		if p.perKey[k] = p.config.PerKey.of(k); p.perKey[k] <= 0 {
			p.perKey[k] = max(1, p.room[k]/4)
		}
	}
	p.crowd = newCrowd(p.config, newCover(termsOf(p.own)), p.perKey)
	for _, h := range p.held {
		p.crowd.hold(h)
	}
	p.fit()
	p.force, p.ready = p.newForce(), false
}

// rooms are the limits less what the operator's terms take up.
func (p *Planner) rooms() (room [kinds]int) {
	var taken [kinds]int
	for _, o := range p.own {
		if p.config.API == X {
			taken[rule]++
			continue
		}
		for _, t := range o.terms {
			taken[t.kind]++
		}
	}
	for k := range kinds {
		room[k] = p.config.Limits.of(k) - max(taken[k], p.config.OwnUse.of(k))
	}
	return room
}

// fit lets go of what there is no room for beside the operator's terms, which may
// be new: the least used first.
func (p *Planner) fit() {
	var held [kinds][]string
	for name, h := range p.held {
		held[h.term.kind] = append(held[h.term.kind], name)
	}
	for k, names := range held {
		extra := len(names) - max(0, p.room[k])
		if extra <= 0 {
			continue
		}
		slices.SortFunc(names, func(a, b string) int {
			return cmp.Or(cmp.Compare(p.held[a].weight, p.held[b].weight), cmp.Compare(b, a))
		})
		for _, name := range names[:extra] {
			p.release(name)
		}
	}
}

// hold and release take a term into force, and out of it.
func (p *Planner) hold(t *term, now time.Time) {
	h := &holding{term: t, since: now, wanted: now}
	p.crowd.hold(h)
	h.weight = p.crowd.terms.named[t.name()].weight
	p.held[t.name()] = h
}

func (p *Planner) release(name string) {
	p.crowd.release(p.held[name])
	delete(p.held, name)
}

// Force returns what is in force.
func (p *Planner) Force() *Force { return p.force }

// Adopt takes what somebody else took in for clients as in force since now, in the
// place of what is, as far as there is room.
func (p *Planner) Adopt(now time.Time, a Ask) {
	for name := range p.held {
		p.release(name)
	}
	for _, t := range p.config.termsOf(a) {
		if p.held[t.name()] == nil {
			p.hold(t, now)
		}
	}
	p.pending = time.Time{}
	p.fit()
	p.force, p.ready = p.newForce(), false
}

// termsOf reads an ask again. What cannot be read is left out.
func (c *Config) termsOf(a Ask) (terms []*term) {
	for _, text := range a.Phrases {
		words := strings.Fields(text)
		slices.Sort(words)
		if len(words) > 0 {
			terms = append(terms, &term{kind: phrase, text: text, words: slices.Compact(words)})
		}
	}
	for _, id := range a.IDs {
		terms = append(terms, userTerm(id))
	}
	for _, b := range a.Boxes {
		terms = append(terms, &term{kind: box, text: b.String(), box: b})
	}
	for _, text := range a.Rules {
		f, err := filter.ParseRule(text)
		if err != nil {
			continue
		}
		t := &term{kind: rule, text: text}
		if asked, ok := f.Alternatives(1); ok && asked.Exact && len(asked.Any) == 1 {
			if n := c.need(asked.Any[0], asked.Languages); n != nil {
				t.words = n.term.words
			}
		}
		if len(t.words) == 0 { // several alternatives, as of a user: the text is the word
			t.words = []string{text}
		}
		terms = append(terms, t)
	}
	return terms
}

// Plan compares what is asked for with what is in force. now never goes back. The
// planner keeps asked, which is not to be written to: as long as it is given the same
// one and nothing is due, Plan costs nothing.
func (p *Planner) Plan(now time.Time, asked []fanout.Asked) Step {
	s := Step{Force: p.force, Again: p.again}
	if !p.ready || !sameList(asked, p.last) || !p.again.IsZero() && !now.Before(p.again) {
		p.crowd.count(asked)
		if over := p.crowd.books.over(); !maps.Equal(over, p.spent) {
			p.spent = over
			f := p.force.with(p.force.full)
			f.spent, p.force = over, f
		}
		s = p.plan(now)
	}
	p.last, p.again, p.seen, p.ready = asked, s.Again, now, true
	return s
}

// plan is Plan once the clients were counted.
func (p *Planner) plan(now time.Time) Step {
	p.pardon(now)
	p.crowd.weigh()
	if p.crowd.better {
		p.crowd.better, p.force = false, p.newForce()
	}
	chosen, full := p.choose(now)
	if p.wide(now) {
		chosen, full = nil, [kinds]bool{}
	}
	p.note(now, chosen)
	s := Step{Force: p.force, Again: p.wait(now)}
	if !p.pending.IsZero() && !s.Again.After(now) {
		s.Change = true
		p.change(now, chosen, &s)
		p.force = p.newForce()
		s.Again = time.Time{}
	}
	if f := p.force; f.full != full {
		p.force = f.with(full)
	}
	s.Force = p.force
	s.Again = earliest(s.Again, p.expiry(now))
	return s
}

// wide reports whether every post is to come, which is when nothing is asked for: where
// the operator asks for nothing in particular and somebody wants everything, or did a
// moment ago.
func (p *Planner) wide(now time.Time) bool {
	switch {
	case len(p.own) > 0:
		p.broad = time.Time{}
	case p.crowd.broad:
		p.broad = now
	case p.wasBroad:
		p.broad = latest(p.broad, p.seen)
	}
	p.wasBroad = p.crowd.broad
	return !p.broad.IsZero() && (p.crowd.broad || len(p.held) == 0 && now.Before(p.broad.Add(p.config.Linger)))
}

// note remembers whether, and since when, something is to be changed.
func (p *Planner) note(now time.Time, chosen map[string]*term) {
	p.adds = len(chosen) == 0 && p.crowd.broad // with everything comes more
	same := len(chosen) == len(p.held)
	for name := range chosen {
		if p.held[name] == nil {
			p.adds, same = true, false
		}
	}
	switch {
	case same:
		p.pending = time.Time{}
	case p.pending.IsZero():
		p.pending = now
	}
}

// change takes what was chosen into force.
func (p *Planner) change(now time.Time, chosen map[string]*term, s *Step) {
	for name, h := range p.held {
		if chosen[name] == nil {
			s.Dropped = append(s.Dropped, h.term.text)
			p.release(name)
		}
	}
	for name, t := range chosen {
		if p.held[name] == nil {
			s.Added = append(s.Added, t.text)
			p.hold(t, now)
		}
	}
	slices.Sort(s.Added)
	slices.Sort(s.Dropped)
	p.changes = append(p.changes, now)
	p.pending = time.Time{}
}

// newForce makes a picture of what is in force.
func (p *Planner) newForce() *Force {
	f := &Force{config: p.config, own: p.own, grows: true, refused: p.names, perKey: p.perKey, spent: p.spent}
	terms := termsOf(p.own)
	for _, name := range slices.Sorted(maps.Keys(p.held)) {
		t := p.held[name].term
		terms = append(terms, t)
		f.asked.add(t)
	}
	f.asked.sort()
	f.terms = newCover(terms)
	f.terms.every = f.terms.every || len(terms) == 0 && len(p.own) == 0
	return f
}
