package demand

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"time"
)

// candidate is a term that clients need, or that is in force. It stays the same
// from one Plan to the next.
type candidate struct {
	*term
	name   string
	place  int      // in crowd.terms
	under  string   // the word by which the index knows it
	refs   int      // needs that ask for it, and one if it is in force
	weight int      // of all needs that it brings the posts of
	asked  uint64   // the last weigh in which a need that counts asks for it
	held   *holding // nil: it is not in force
}

// score prefers what is in force by a tenth, so that two terms that are wanted
// about as much do not take turns.
func (c *candidate) score() int {
	if c.held != nil {
		return 11 * c.weight
	}
	return 10 * c.weight
}

// fixed reports whether it has to stay, as it came a short while ago.
func (c *candidate) fixed() bool { return c.held != nil && c.held.fixed }

// queued is a candidate that waits for its turn.
type queued struct {
	*candidate
	rank int // what must stay, then the most used, what is in force before what is not
}

func (c *candidate) queued() queued {
	q := queued{c, 4 * c.score()}
	if c.held != nil {
		q.rank++
	}
	if c.held != nil && c.held.fixed {
		q.rank = math.MaxInt
	}
	return q
}

// queue yields candidates, the first of the order first. It is a heap.
type queue []queued

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(c any)   { *q = append(*q, c.(queued)) }
func (q *queue) Pop() any {
	last := len(*q) - 1
	c := (*q)[last]
	*q = (*q)[:last]
	return c
}

func (q queue) Less(i, j int) bool {
	a, b := &q[i], &q[j]
	if a.rank != b.rank {
		return a.rank > b.rank
	}
	return cmp.Or(cmp.Compare(b.score(), a.score()), cmp.Compare(len(a.words), len(b.words)), cmp.Compare(a.name, b.name)) < 0
}

// choose returns the terms that should be in force: those that must stay, then
// the most used as long as there is room. A term that another one covers is left
// out. full says of which kinds some were left out for want of room. Terms of one kind
// never cover those of another.
func (p *Planner) choose(now time.Time) (chosen map[string]*term, full [kinds]bool) {
	chosen = map[string]*term{}
	for k, q := range p.queues(now) {
		heap.Init(&q)
		room := p.room[k]
		by := &growing{under: map[string][]*candidate{}}
		var some []*candidate
		for len(q) > 0 && (room > 0 || !full[k]) {
			c := heap.Pop(&q).(queued).candidate
			switch {
			case !c.fixed() && by.covers(c):
			case room <= 0:
				full[k] = full[k] || c.weight > 0
			default:
				room--
				some = append(some, c)
				by.add(c)
			}
		}
		// What a wider term covers that came later need not be there as well.
		for _, c := range some {
			if !c.fixed() && by.coversOther(c) {
				by.remove(c)
				continue
			}
			chosen[c.name] = c.term
		}
	}
	return chosen, full
}

// queues are the candidates of each kind: what nobody wants, and did not for long, is
// none, and neither is what the upstream refused.
func (p *Planner) queues(now time.Time) (all [kinds]queue) {
	for _, c := range p.crowd.terms.list {
		if h := c.held; h != nil {
			switch {
			case c.weight > 0:
				h.wanted = now
			case h.weight > 0:
				h.wanted = latest(h.wanted, p.seen)
			}
			h.weight, h.fixed = c.weight, now.Before(h.since.Add(p.config.Floor))
		}
		if p.names[c.name] {
			continue
		}
		if c.asked == p.crowd.turn || c.held != nil && (c.weight > 0 || now.Before(p.keep(c.held))) {
			all[c.kind] = append(all[c.kind], c.queued())
		}
	}
	return all
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

// growing is a set of candidates that says whether one of them covers another.
type growing struct {
	under map[string][]*candidate
	boxes []*candidate
}

func (g *growing) add(c *candidate) {
	if c.kind == box {
		g.boxes = append(g.boxes, c)
		return
	}
	g.under[c.under] = append(g.under[c.under], c)
}

func (g *growing) remove(c *candidate) {
	is := func(o *candidate) bool { return o == c }
	if c.kind == box {
		g.boxes = slices.DeleteFunc(g.boxes, is)
		return
	}
	g.under[c.under] = slices.DeleteFunc(g.under[c.under], is)
}

func (g *growing) covers(c *candidate) bool { return g.any(c, nil) }

// coversOther is covers by a candidate other than itself.
func (g *growing) coversOther(c *candidate) bool { return g.any(c, c) }

func (g *growing) any(c, but *candidate) bool {
	hit := func(o *candidate) bool { return o != but && o.covers(c.term) }
	if c.kind == box {
		return slices.ContainsFunc(g.boxes, hit)
	}
	return slices.ContainsFunc(c.words, func(w string) bool { return slices.ContainsFunc(g.under[w], hit) })
}
