package demand

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"aviary/fanout/filter"
)

// Judgement is what can be said to a client of a filter and an upstream.
type Judgement struct {
	// Never: no post that the upstream brings can pass the filter. Param is the
	// parameter that rules it out, and Why says why and what would help.
	Never bool
	Param string
	Why   string

	// Warnings are sentences about the parts of the filter whose posts come only by
	// chance, or not at all; none: the upstream brings all that it asks for.
	Warnings []string
}

// A Force is what an upstream is asked for: the operator's terms and those that
// were taken in for clients. It never changes, may be used by many goroutines, and
// is not to be copied.
type Force struct {
	config *Config
	own    []own  // the operator's alternatives
	terms  *cover // all in force
	asked  Ask
	grows  bool        // terms are taken in for clients
	full   [kinds]bool // no room for another one
	// refused are the names of terms that the upstream did not take.
	refused map[string]bool
	perKey  [kinds]int             // most terms of one key that count
	spent   map[string][kinds]bool // by key, of which kinds its clients ask for more

	mu     sync.Mutex
	judged map[*filter.Filter]Judgement // of filters that came lately; owned by mu
}

// maxJudged is how many judgements are remembered: when thousands of clients come
// back at once, many have the same filter.
const maxJudged = 128

// own is an alternative that the operator asks for, as it is written.
type own struct {
	literals  []filter.Literal
	languages []string // any of which is asked for beside
	terms     []*term
}

// NewForce returns what the operator asks for alone, for a gateway that takes no
// terms in for its clients.
func NewForce(c Config) *Force {
	c = c.withDefaults()
	f := &Force{config: &c, own: c.ownTerms()}
	f.terms = newCover(termsOf(f.own))
	return f
}

// NewForceOf is NewForce where terms are taken in for clients, by somebody else:
// these are in force.
func NewForceOf(c Config, a Ask) *Force {
	p := New(c)
	p.Adopt(time.Time{}, a)
	return p.force
}

// ownTerms reads the operator's filters. What they ask for is asked for as it is
// written, so that each alternative counts by its own words, however many there are.
func (c *Config) ownTerms() (all []own) {
	if c.OwnElse {
		all = append(all, own{})
	}
	for _, f := range c.Own {
		a, ok := f.Alternatives(maxAlternatives)
		if !ok || !a.Exact {
			all = append(all, own{}) // brings something, but nobody can say what
			continue
		}
		for _, literals := range a.Any {
			o := own{literals: literals, languages: a.Languages}
			if t := c.ownTerm(&a, literals); t != nil {
				o.terms = append(o.terms, t)
			}
			all = append(all, o)
		}
	}
	return all
}

// ownTerm is what an alternative of the operator's brings, nil if that cannot be
// told in the words of needs.
func (c *Config) ownTerm(a *filter.Alternatives, literals []filter.Literal) *term {
	if c.API == X {
		n := c.need(literals, nil)
		if n == nil || len(n.term.words) != len(literals) { // narrower than the term says
			return nil
		}
		if len(a.Languages) > 0 {
			n = c.need(literals, a.Languages)
		}
		return n.term
	}
	if len(literals) == 1 {
		if b, _, ok := literals[0].Area(); ok {
			return &term{kind: box, text: b.String(), box: b}
		}
		if id := literals[0].User(); id != 0 {
			return userTerm(id)
		}
	}
	t := &term{kind: phrase}
	for _, l := range literals {
		if !l.InTrack() {
			return nil
		}
		t.words = append(t.words, l.String())
	}
	slices.Sort(t.words)
	t.text = strings.Join(t.words, " ")
	return t
}

func termsOf(all []own) (terms []*term) {
	for _, o := range all {
		terms = append(terms, o.terms...)
	}
	return terms
}

// Asked returns what is asked for beside the operator's own terms.
func (f *Force) Asked() Ask { return f.asked }

// Else is Config.OwnElse.
func (f *Force) Else() bool { return f.config.OwnElse }

// Grows reports whether terms are taken in for clients.
func (f *Force) Grows() bool { return f.grows }

// Asks reports whether it asks for exactly what another does beside the operator's terms.
func (f *Force) Asks(o *Force) bool {
	return f == o || f != nil && o != nil && f.asked.equal(&o.asked)
}

// Full says of what some was left out for want of room, a bit for each kind, for
// others that judge by the same Force: see WithFull.
func (f *Force) Full() (bits uint8) {
	for k, full := range f.full {
		if full {
			bits |= 1 << k
		}
	}
	return bits
}

// WithFull returns the Force as it is where what another's Full says was left out.
func (f *Force) WithFull(bits uint8) *Force {
	var full [kinds]bool
	for k := range full {
		full[k] = bits&(1<<k) != 0
	}
	return f.with(full)
}

// with returns the Force as it is where other kinds have no room.
func (f *Force) with(full [kinds]bool) *Force {
	return &Force{config: f.config, own: f.own, terms: f.terms, asked: f.asked, grows: f.grows, refused: f.refused, perKey: f.perKey, spent: f.spent, full: full}
}

// all reports whether every post comes that the languages and the level let through.
func (f *Force) all() bool { return f.terms.every || len(f.own) == 0 && f.asked.Empty() }

// Judge says what the upstream can do for a filter. What it calls certain is so by
// the documented meaning of both; anything that only is unlikely is not. The warnings
// are not to be written to.
func (f *Force) Judge(client *filter.Filter) (j Judgement) {
	c := f.config
	if client.Empty() {
		return Judgement{Warnings: f.warnBroad()}
	}
	if f.all() && !f.grows && len(c.Languages) == 0 && !c.NoLevels {
		return j
	}
	f.mu.Lock()
	j, known := f.judged[client]
	f.mu.Unlock()
	if known {
		return j
	}
	j = f.judge(client)
	j.Warnings = slices.Clip(j.Warnings)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.judged == nil || len(f.judged) >= maxJudged {
		f.judged = make(map[*filter.Filter]Judgement)
	}
	f.judged[client] = j
	return j
}

// judge is Judge of a filter about which there is something to say.
func (f *Force) judge(client *filter.Filter) (j Judgement) {
	a, ok := client.Alternatives(maxAlternatives)
	if !ok {
		if !f.all() {
			j.Warnings = append(j.Warnings, "the filter is too large to tell whether the upstream's own filter brings its posts")
		}
		return j
	}
	var s sorted
	for _, literals := range a.Any {
		s.add(f, &a, literals)
	}
	if s.possible == 0 && s.cause != nothing {
		return Judgement{Never: true, Param: s.cause.param(), Why: f.why(s.cause)}
	}
	j.Warnings = f.warn(&a, &s)
	return j
}

// sorted are the alternatives of a filter by what the upstream does for them.
type sorted struct {
	possible int
	broad    bool     // one of them is every post there is
	cause    cause    // of the first that is not
	never    []string // cannot be satisfied
	chance   []string // come if other terms happen to bring them
	waiting  []string // the same, and can be asked for
	crowded  []string // the same, but there is no room
	loose    []string // the same, and cannot
	refused  []string // the same, and the upstream did not take it
}

func (s *sorted) add(f *Force, a *filter.Alternatives, literals []filter.Literal) {
	why := f.config.bars(a, literals)
	if why == nothing && !f.grows {
		why = f.excludes(a, literals)
	}
	if f.config.OwnElse && (why == byLanguage || why == byRuleLanguage) {
		s.possible++
		s.chance = append(s.chance, alternative(literals))
		return
	}
	if why != nothing {
		s.cause = cmp.Or(s.cause, why)
		s.never = append(s.never, alternative(literals))
		return
	}
	s.possible++
	if !wants(literals) {
		s.broad = true
		return
	}
	n := f.config.need(literals, a.Languages)
	switch {
	case n != nil && f.terms.covers(n), f.all():
	case !f.grows:
		s.chance = append(s.chance, alternative(literals))
	case n == nil:
		s.loose = append(s.loose, alternative(literals))
	case f.refused[n.term.name()]:
		s.refused = append(s.refused, alternative(literals))
	case f.full[n.term.kind]:
		s.crowded = append(s.crowded, alternative(literals))
	default:
		s.waiting = append(s.waiting, alternative(literals))
	}
}

// excludes says why an alternative cannot be satisfied together with anything
// that the operator asks for.
func (f *Force) excludes(a *filter.Alternatives, literals []filter.Literal) (why cause) {
	if f.all() {
		return nothing
	}
	for _, o := range f.own {
		c := contradiction(o.literals, literals)
		if otherLanguages(o.literals, o.languages, literals, a.Languages) {
			c = byLanguage
		}
		if c == nothing {
			return nothing
		}
		why = cmp.Or(why, c)
	}
	return why
}

// why explains a cause, and says what would help.
func (f *Force) why(c cause) string {
	switch c {
	case byLevel:
		return "no post of this source has a filter level, so nothing would ever match: leave filter_level out"
	case byLanguage, byRuleLanguage:
		if list := strings.Join(f.config.Languages, ", "); list != "" {
			return fmt.Sprintf("the upstream brings only posts in %s, so nothing would ever match: ask for that, or have the operator widen LANGUAGE", list)
		}
		return "the upstream brings only posts in other languages, so nothing would ever match: ask for theirs, or have the operator widen its rules"
	case byPlace:
		return "the upstream brings only posts from other places, so nothing would ever match: ask for theirs, or have the operator widen LOCATIONS"
	}
	return "the upstream is asked only for posts that this filter excludes, so nothing would ever match: leave out what is negated, or have the operator widen TRACK, FOLLOW or LOCATIONS"
}
