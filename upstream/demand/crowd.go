package demand

import (
	"iter"
	"math/bits"
	"slices"

	"aviary/fanout"
	"aviary/fanout/filter"
)

const (
	// maxNeeds is how many needs are looked at: several times what an upstream takes,
	// and little enough (some 60 MB) that clients cannot make it costly. A client with
	// a large filter has thousands.
	maxNeeds = 100_000
	// maxCounts is how often a need of theirs is counted for clients with different
	// filters: a tenth of a second's work.
	maxCounts = 1_000_000
)

// A crowd is what clients ask for, kept from one Plan to the next, so that what has
// not changed is neither read nor looked up again.
type crowd struct {
	config *Config
	asks   *cover // the operator's terms: what they bring is needed by nobody
	books  *books

	filters []crowdFilter // as they were counted last
	needs   set[*counted]
	terms   set[*candidate]
	index   index
	fresh   []*candidate // came since the last weigh
	turn    uint64       // of weigh
	broad   bool         // somebody asks for every post there is
	better  bool         // a term in force was learnt anew since the planner asked
}

// crowdFilter is a filter of the crowd.
type crowdFilter struct {
	*filter.Filter
	keys []int32  // whose it is, as books number them
	from []string // … by what the hub calls them, in a list that is never changed
	read *reading // nil: it was too much
}

// counted is a need and how many clients have it.
type counted struct {
	*need
	place  int // in crowd.needs
	term   *candidate
	refs   int // readings that have it
	weight int
	weighs int // what the terms that bring it are weighed with
}

func newCrowd(c *Config, asks *cover, perKey [kinds]int) *crowd {
	return &crowd{
		config: c, asks: asks, index: newIndex(), books: newBooks(perKey, c.Limits.sum()),
		needs: newSet[*counted](), terms: newSet[*candidate](),
	}
}

// count reads the filters and adds up who needs what. Clients without a key count
// each; of one key each need counts once, and only as many terms as perKey allows.
// The shortest filters come first; what is beyond maxNeeds or maxCounts, or of a key
// beyond as many as an upstream takes in all, is not read. What the operator's terms
// bring is left out.
func (c *crowd) count(asked []fanout.Asked) {
	c.meet(asked)
	for _, n := range c.needs.list {
		n.weight = 0
	}
	c.books.begin(c.filters)
	c.broad = false
	needs, counts := maxNeeds, maxCounts
	for i := range shortestFirst(asked) {
		f, alone := &c.filters[i], asked[i].Clients
		if needs <= 0 || counts <= 0 || alone == 0 && !c.books.open(i) {
			c.forget(f)
			continue
		}
		if f.read == nil {
			f.read = c.read(f.Filter)
		}
		c.broad = c.broad || f.read.broad && alone+len(f.keys) > 0
		needs -= f.read.size()
		for _, n := range f.read.counted {
			n.weight += alone
		}
		counts -= c.books.enter(i, f.read.counted)
	}
}

// meet makes filters those that are there now: what is known of those that stay is
// kept. Both lists are in the order of their texts.
func (c *crowd) meet(asked []fanout.Asked) {
	old, now := c.filters, make([]crowdFilter, len(asked))
	for i := range asked {
		a := &asked[i]
		for len(old) > 0 && old[0].Filter != a.Filter && old[0].String() < a.Filter.String() {
			c.leave(&old[0])
			old = old[1:]
		}
		f := crowdFilter{Filter: a.Filter}
		if len(old) > 0 && old[0].Filter == a.Filter {
			f, old = old[0], old[1:]
		}
		if !sameList(f.from, a.Keys) {
			was := f.keys
			f.from, f.keys = a.Keys, c.books.know(a.Keys)
			c.books.leave(was)
		}
		now[i] = f
	}
	for i := range old {
		c.leave(&old[i])
	}
	c.filters = now
}

func (c *crowd) leave(f *crowdFilter) {
	c.books.leave(f.keys)
	c.forget(f)
}

// read returns what a filter needs.
func (c *crowd) read(f *filter.Filter) *reading {
	r := c.config.read(f)
	for _, n := range r.needs {
		if !c.asks.covers(n) {
			r.counted = append(r.counted, c.need(n))
		}
	}
	r.needs = nil
	return r
}

// forget lets go of what was read of a filter. Needs that nobody has any more go
// with the next weigh.
func (c *crowd) forget(f *crowdFilter) {
	if f.read != nil {
		for _, n := range f.read.counted {
			n.refs--
		}
		f.read = nil
	}
}

// need returns the one need of its name.
func (c *crowd) need(n *need) *counted {
	one := c.needs.named[n.name]
	if one == nil {
		one = &counted{need: n, term: c.learn(n.term)}
		one.term.refs++
		c.needs.add(one)
	}
	one.refs++
	return one
}

// term returns the one candidate for a term.
func (c *crowd) term(t *term) *candidate {
	name := t.name()
	one := c.terms.named[name]
	if one == nil {
		one = &candidate{term: t, name: name}
		c.terms.add(one)
		c.index.add(one)
		c.fresh = append(c.fresh, one)
	}
	return one
}

// learn is term for one that a filter asks for. Somebody else's that was adopted is
// known by its text alone, which does not always say what it brings.
func (c *crowd) learn(t *term) *candidate {
	one := c.term(t)
	if one.held != nil && one.refs == 1 && !slices.Equal(one.words, t.words) {
		c.index.remove(one)
		one.term, one.held.term, one.under, one.weight = t, t, "", 0
		c.index.add(one)
		if !slices.Contains(c.fresh, one) {
			c.fresh = append(c.fresh, one)
		}
		c.better = true
	}
	return one
}

// drop lets go of a candidate once.
func (c *crowd) drop(t *candidate) {
	if t.refs--; t.refs == 0 {
		c.index.remove(t)
		c.terms.remove(t)
	}
}

// hold and release say that a term is in force, and no longer.
func (c *crowd) hold(h *holding) {
	t := c.term(h.term)
	t.refs++
	t.held, h.term = h, t.term
}

func (c *crowd) release(h *holding) {
	t := c.terms.named[h.term.name()]
	t.held = nil
	c.drop(t)
}

// weigh gives every candidate the weight of all needs that it brings.
func (c *crowd) weigh() {
	fresh := newIndex()
	for _, t := range c.fresh {
		fresh.add(t)
	}
	c.fresh = nil
	c.turn++
	var places, gone []*counted
	for _, n := range c.needs.list {
		if old := n.weighs; old != 0 && len(fresh.under) > 0 {
			fresh.find(n.need, func(t *candidate) { t.weight += old })
		}
		if more := n.weight - n.weighs; more != 0 {
			c.index.find(n.need, func(t *candidate) { t.weight += more })
			n.weighs = n.weight
		}
		if n.weight > 0 {
			n.term.asked = c.turn
		}
		switch {
		case n.refs == 0:
			gone = append(gone, n)
		case len(n.boxes) > 0 && n.weight > 0:
			places = append(places, n)
		}
	}
	for _, n := range gone {
		c.needs.remove(n)
		c.drop(n.term)
	}
	c.weighBoxes(places)
}

// sameList reports whether two lists are one.
func sameList[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// shortestFirst yields the places of the filters by the length of their texts, to a
// power of two, so that the large ones are at the end of every queue.
func shortestFirst(asked []fanout.Asked) iter.Seq[int] {
	return func(yield func(int) bool) {
		var sized [64][]int32
		for i := range asked {
			k := bits.Len(uint(len(asked[i].Filter.String())))
			sized[k] = append(sized[k], int32(i))
		}
		for _, list := range sized {
			for _, i := range list {
				if !yield(int(i)) {
					return
				}
			}
		}
	}
}
