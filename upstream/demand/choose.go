package demand

import (
	"cmp"
	"iter"
	"maps"
	"math/bits"
	"slices"
	"time"

	"aviary/fanout"
)

// weighed is a need and how many clients have it.
type weighed struct {
	*need
	weight int
}

// maxNeeds is how many needs are looked at: several times what an upstream takes,
// and little enough (some 60 MB) that clients cannot make it costly. A client with
// a large filter has thousands.
const maxNeeds = 100_000

// needs reads the filters and adds up who needs what. Clients without a key count
// each; of one key each need counts once, and only as many terms as PerKey allows.
// The shortest filters come first; what is beyond maxNeeds, or of a key beyond as
// many as an upstream takes in all, is not read. What the operator's terms bring is
// left out.
func (p *Planner) needs(asked []fanout.Asked) []weighed {
	readings := make(map[string]*reading, len(asked))
	at := map[string]int{}
	var all []weighed
	books := ledgers{most: p.perKey, tries: p.config.Limits.sum(), of: map[string]*ledger{}}
	left := maxNeeds
	for a := range shortestFirst(asked) {
		if left <= 0 {
			break
		}
		if a.Clients == 0 && books.spent(a.Keys) {
			continue
		}
		text := a.Filter.String()
		r := p.readings[text]
		if r == nil {
			r = p.config.read(a.Filter)
			r.needs = slices.DeleteFunc(r.needs, p.asks.covers)
		}
		readings[text] = r
		left -= r.size()
		for _, n := range r.needs {
			weight := a.Clients
			for _, key := range a.Keys {
				if books.count(key, n) {
					weight++
				}
			}
			if weight == 0 {
				continue
			}
			k, known := at[n.name]
			if !known {
				k = len(all)
				at[n.name] = k
				all = append(all, weighed{need: n})
			}
			all[k].weight += weight
		}
	}
	p.readings = readings
	return all
}

// ledgers are what every key was counted for.
type ledgers struct {
	most  [kinds]int // terms of one key that count
	tries int        // … of so many needs
	of    map[string]*ledger
}

// ledger is what one key was counted for.
type ledger struct {
	terms, needs map[string]bool
	used         [kinds]int
	tried        int
}

// count reports whether a need of the key's counts, and enters it.
func (b *ledgers) count(key string, n *need) bool {
	l := b.of[key]
	if l == nil {
		l = &ledger{terms: map[string]bool{}, needs: map[string]bool{}}
		b.of[key] = l
	}
	l.tried++
	if l.tried > b.tries || l.needs[n.name] {
		return false
	}
	if name := n.term.name(); !l.terms[name] {
		if l.used[n.term.kind] >= b.most[n.term.kind] {
			return false
		}
		l.used[n.term.kind]++
		l.terms[name] = true
	}
	l.needs[n.name] = true
	return true
}

// spent reports whether nothing more counts for any of the keys.
func (b *ledgers) spent(keys []string) bool {
	return !slices.ContainsFunc(keys, func(key string) bool {
		l := b.of[key]
		return l == nil || l.tried < b.tries
	})
}

// shortestFirst yields the filters by the length of their texts, to a power of two,
// so that the large ones are at the end of every queue.
func shortestFirst(asked []fanout.Asked) iter.Seq[*fanout.Asked] {
	return func(yield func(*fanout.Asked) bool) {
		var sized [64][]int32
		for i := range asked {
			k := bits.Len(uint(len(asked[i].Filter.String())))
			sized[k] = append(sized[k], int32(i))
		}
		for _, list := range sized {
			for _, i := range list {
				if !yield(&asked[i]) {
					return
				}
			}
		}
	}
}

// candidate is a term that may be in force next.
type candidate struct {
	*term
	name   string
	held   *holding // nil: it is not in force
	fixed  bool     // it has to stay
	weight int      // of all needs that it brings the posts of
}

// score prefers what is in force by a tenth, so that two terms that are wanted
// about as much do not take turns.
func (c *candidate) score() int {
	if c.held != nil {
		return 11 * c.weight
	}
	return 10 * c.weight
}

// choose returns the terms that should be in force: those that must stay, then
// the most used as long as there is room. A term that another one covers is left
// out. full says of which kinds some were left out for want of room.
func (p *Planner) choose(now time.Time, needs []weighed) (chosen map[string]*term, full [kinds]bool) {
	list := p.candidates(now, needs)
	slices.SortFunc(list, func(a, b *candidate) int {
		return cmp.Or(-compareBools(a.fixed, b.fixed), -cmp.Compare(a.score(), b.score()), -compareBools(a.held != nil, b.held != nil),
			cmp.Compare(len(a.words), len(b.words)), cmp.Compare(a.name, b.name))
	})
	room := p.room
	chosen = map[string]*term{}
	by := &growing{under: map[string][]*term{}}
	for _, c := range list {
		switch {
		case !c.fixed && by.covers(c.term):
		case room[c.kind] <= 0:
			full[c.kind] = full[c.kind] || c.weight > 0
		default:
			room[c.kind]--
			chosen[c.name] = c.term
			by.add(c.term)
		}
	}
	// What a wider term covers that came later need not be there as well.
	for _, c := range list {
		if t := chosen[c.name]; t != nil && !c.fixed && by.coversOther(t) {
			delete(chosen, c.name)
			by.remove(t)
		}
	}
	return chosen, full
}

// candidates weighs all terms that are needed or in force.
func (p *Planner) candidates(now time.Time, needs []weighed) []*candidate {
	byName := make(map[string]*candidate, len(needs))
	byTerm := make(map[*term]*candidate, len(needs))
	add := func(t *term) {
		name := t.name()
		if byName[name] != nil {
			return
		}
		c := &candidate{term: t, name: name, held: p.held[name]}
		if c.held != nil {
			c.term = c.held.term
		}
		byName[name], byTerm[c.term] = c, c
	}
	for name := range p.held {
		add(p.held[name].term)
	}
	for _, n := range needs {
		add(n.term)
	}
	terms := slices.Collect(maps.Keys(byTerm))
	index := newCover(terms)
	for _, n := range needs {
		index.find(n.need, func(t *term) bool {
			byTerm[t].weight += n.weight
			return true
		})
	}
	list := make([]*candidate, 0, len(byName))
	for _, c := range byName {
		if h := c.held; h != nil {
			if h.weight = c.weight; c.weight > 0 {
				h.wanted = now
			}
			c.fixed = now.Before(h.since.Add(p.config.Floor))
			if c.weight == 0 && !now.Before(p.keep(h)) {
				continue
			}
		}
		list = append(list, c)
	}
	return list
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// growing is a set of terms that says whether one of them covers another term.
type growing struct {
	under map[string][]*term // by the first of their words
	boxes []*term
}

func (g *growing) add(t *term) {
	if t.kind == box {
		g.boxes = append(g.boxes, t)
		return
	}
	g.under[t.words[0]] = append(g.under[t.words[0]], t)
}

func (g *growing) remove(t *term) {
	is := func(o *term) bool { return o == t }
	if t.kind == box {
		g.boxes = slices.DeleteFunc(g.boxes, is)
		return
	}
	g.under[t.words[0]] = slices.DeleteFunc(g.under[t.words[0]], is)
}

func (g *growing) covers(t *term) bool { return g.any(t, nil) }

// coversOther is covers by a term other than itself.
func (g *growing) coversOther(t *term) bool { return g.any(t, t) }

func (g *growing) any(t, but *term) bool {
	hit := func(o *term) bool { return o != but && o.covers(t) }
	if t.kind == box {
		return slices.ContainsFunc(g.boxes, hit)
	}
	return slices.ContainsFunc(t.words, func(w string) bool { return slices.ContainsFunc(g.under[w], hit) })
}
