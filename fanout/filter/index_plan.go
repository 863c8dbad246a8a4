package filter

import "slices"

// A planner decides where a filter waits: under which features there is no match
// that it would miss, and the fewest posts that it would look at in vain.
//
//	a leaf   the rarest of the features it needs; a box: all its cells
//	AND      the child that is cheapest
//	OR       all children
//
// A negated leaf, or one that needs no feature, can be waited for nowhere, and
// an OR over such a leaf neither.
type planner struct {
	sketch  *sketch
	filter  *Filter
	places  []place
	steps   []step // that are shared, of the entry
	known   int    // steps[:known] are those the entry has already
	needs   []uint64
	cells   []uint64
	visited int    // nodes looked at
	least   uint64 // how much must be gained for a move
}

// place is one watch to be.
type place struct {
	ref
	also [2]uint16
	sure bool
}

// nowhere is the cost of what cannot be waited for.
const nowhere = 1 << 60

// chain is the operators above a node that remain to be checked when it holds.
type chain struct {
	at, skip uint32 // an AND, and the child of it that is known to hold
	outer    *chain
	kept     uint32 // its place in steps, plus one, if it has one: the rest is not needed then
}

// plan fills places and steps for the whole of f; none if it can wait nowhere.
func (pl *planner) plan(f *Filter) {
	pl.begin(f)
	if len(f.nodes) > 0 && pl.cost(0) < nowhere {
		pl.cover(0, nil, beside{})
	}
}

func (pl *planner) begin(f *Filter) {
	pl.filter, pl.places, pl.steps, pl.known, pl.visited = f, pl.places[:0], pl.steps[:0], 0, 0
}

// cost returns in how many posts of late, of those that were counted, the
// features occurred under which the subtree would wait, and a little for each.
func (pl *planner) cost(i uint32) (cost uint64) {
	f := pl.filter
	pl.visited++
	switch n := &f.nodes[i]; n.op {
	case opAnd:
		cost = nowhere
		for k := i + 1; k < n.end; k = f.nodes[k].end {
			cost = min(cost, pl.cost(k))
		}
	case opOr:
		for k := i + 1; k < n.end && cost < nowhere; k = f.nodes[k].end {
			cost += pl.cost(k)
		}
		cost = min(cost, nowhere)
	default:
		if box, ok := f.area(i); ok {
			pl.cells = appendBoxKeys(pl.cells[:0], box)
			for _, key := range pl.cells {
				cost += 1 + pl.sketch.estimate(key)
			}
			return cost
		}
		_, cost = pl.rarest(i)
	}
	return cost
}

// rarest returns the rarest feature that the leaf at index i needs.
func (pl *planner) rarest(i uint32) (feature, cost uint64) {
	cost = nowhere
	pl.needs = pl.filter.needs(i, pl.needs[:0])
	for _, need := range pl.needs {
		if n := pl.sketch.estimate(need) + 1; n < cost && need != noFeature {
			feature, cost = need, n
		}
	}
	return feature, cost
}

// cover adds the places where the subtree waits. It must not cost nowhere.
func (pl *planner) cover(i uint32, above *chain, also beside) {
	f := pl.filter
	switch n := &f.nodes[i]; n.op {
	case opAnd:
		pick, best := i, uint64(nowhere)
		for k := i + 1; k < n.end; k = f.nodes[k].end {
			if c := pl.cost(k); c < best {
				pick, best = k, c
			}
		}
		also = pl.siblings(i, pick, also)
		pl.cover(pick, &chain{at: i, skip: pick, outer: above}, also)
	case opOr:
		for k := i + 1; k < n.end; k = f.nodes[k].end {
			pl.cover(k, above, also)
		}
	default:
		pl.coverLeaf(i, above, also)
	}
}

func (pl *planner) coverLeaf(i uint32, above *chain, also beside) {
	p := place{ref: ref{node: i}}
	if pl.filter.nodes[i].op != opFeature {
		p.step = step{at: i, skip: i, up: pl.keep(above)}
	} else if above != nil {
		p.step = step{at: above.at, skip: above.skip, up: pl.keep(above.outer)}
	} else {
		p.sure = true
	}
	if box, ok := pl.filter.area(i); ok {
		p.also = also.marks()
		for _, key := range appendBoxKeys(pl.cells[:0], box) {
			p.feature = key
			pl.places = append(pl.places, p)
		}
		return
	}
	p.feature, _ = pl.rarest(i)
	for _, need := range pl.needs {
		if need != p.feature {
			also.add(need, pl.sketch)
		}
	}
	p.also = also.marks()
	pl.places = append(pl.places, p)
}

// keep puts a chain into steps and returns its place there plus one.
func (pl *planner) keep(c *chain) uint32 {
	switch {
	case c == nil:
		return 0
	case c.kept > 0:
		return c.kept
	}
	s := step{at: c.at, skip: c.skip, up: pl.keep(c.outer)}
	if i := slices.Index(pl.steps[:pl.known], s); i >= 0 {
		c.kept = uint32(i + 1)
		return c.kept
	}
	pl.steps = append(pl.steps, s)
	c.kept = uint32(len(pl.steps))
	return c.kept
}

// siblings adds to also what the other children of an AND need, as far as they
// are leaves.
func (pl *planner) siblings(and, pick uint32, also beside) beside {
	f := pl.filter
	for k := and + 1; k < f.nodes[and].end; k = f.nodes[k].end {
		if op := f.nodes[k].op; k == pick || op == opAnd || op == opOr {
			continue
		}
		pl.needs = f.needs(k, pl.needs[:0])
		for _, need := range pl.needs {
			also.add(need, pl.sketch)
		}
	}
	return also
}

// beside is the two rarest features that a post must have beside the one under
// which a filter waits. A post that lacks one is told apart without a look at the filter.
type beside struct {
	features [2]uint64 // noFeature: none
	costs    [2]uint64
}

func (b *beside) add(feature uint64, s *sketch) {
	cost := s.estimate(feature) + 1
	switch {
	case feature == noFeature || feature == b.features[0] || feature == b.features[1]:
	case b.features[0] == noFeature || cost < b.costs[0]:
		b.features[1], b.costs[1] = b.features[0], b.costs[0]
		b.features[0], b.costs[0] = feature, cost
	case b.features[1] == noFeature || cost < b.costs[1]:
		b.features[1], b.costs[1] = feature, cost
	}
}

func (b *beside) marks() [2]uint16 { return [2]uint16{markOf(b.features[0]), markOf(b.features[1])} }

// marks is a rough picture of a post's features: 4,096 bits, of which each feature
// sets one. Bit 0 is always set, so that no feature asks for nothing.
type marks [64]uint64

func markOf(feature uint64) uint16 { return uint16(feature >> 52) }

func (m *marks) set(features []uint64) {
	*m = marks{1}
	for _, f := range features {
		i := markOf(f)
		m[i>>6%64] |= 1 << (i & 63)
	}
}

// has is 1 if all the marks are set, else 0.
func (m *marks) has(also [2]uint16) uint64 {
	return m[also[0]>>6%64] >> (also[0] & 63) & (m[also[1]>>6%64] >> (also[1] & 63)) & 1
}
