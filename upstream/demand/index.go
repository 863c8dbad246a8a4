package demand

import (
	"cmp"
	"slices"
)

// index finds the candidates with words that bring the posts of a need. Each is
// looked up under one of its words, the rarest when it came, so that a need meets few
// others.
type index struct {
	under map[string][]*candidate
	often map[string]int
}

func newIndex() index { return index{under: map[string][]*candidate{}, often: map[string]int{}} }

func (x *index) add(c *candidate) {
	if len(c.words) == 0 { // a box
		return
	}
	for _, w := range c.words {
		x.often[w]++
	}
	if c.under == "" {
		c.under = slices.MinFunc(c.words, func(a, b string) int { return cmp.Compare(x.often[a], x.often[b]) })
	}
	x.under[c.under] = append(x.under[c.under], c)
}

func (x *index) remove(c *candidate) {
	if len(c.words) == 0 {
		return
	}
	for _, w := range c.words {
		if x.often[w]--; x.often[w] == 0 {
			delete(x.often, w)
		}
	}
	list := x.under[c.under]
	if i := slices.Index(list, c); len(list) > 1 {
		list[i] = list[len(list)-1]
		list[len(list)-1] = nil
		x.under[c.under] = list[:len(list)-1]
	} else {
		delete(x.under, c.under)
	}
}

// find calls hit with the candidates that cover a need.
func (x *index) find(n *need, hit func(*candidate)) {
	for _, w := range n.words {
		for _, c := range x.under[w] {
			if subset(c.words, n.words) {
				hit(c)
			}
		}
	}
}

// maxPlaces is how many needs with a place are held against how many boxes, which
// has no index: a map of which everybody sees another part has as many as clients.
const maxPlaces = 1000

// weighBoxes weighs the boxes by what they bring: their own needs, and of the most
// wanted needs with a place those that lie within.
func (c *crowd) weighBoxes(places []*counted) {
	var boxes []*candidate
	for _, t := range c.terms.list {
		if t.kind == box {
			t.weight = 0
			boxes = append(boxes, t)
		}
	}
	if len(boxes) == 0 {
		return
	}
	for _, n := range places {
		if n.term.kind == box {
			n.term.weight += n.weight
		}
	}
	places = most(places, func(a, b *counted) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.name, b.name))
	})
	boxes = most(boxes, func(a, b *candidate) int {
		return cmp.Or(-compareBools(a.held != nil, b.held != nil), cmp.Compare(b.weight, a.weight), cmp.Compare(a.name, b.name))
	})
	for _, n := range places {
		for _, t := range boxes {
			if t != n.term && n.covered(t.term) {
				t.weight += n.weight
			}
		}
	}
}

// most returns the first maxPlaces of a list by some order.
func most[T any](list []T, order func(a, b T) int) []T {
	if len(list) <= maxPlaces {
		return list
	}
	slices.SortFunc(list, order)
	return list[:maxPlaces]
}
