package filter

import "math/bits"

// search finds the posts of one block, from one on, that a filter lets through.
type search struct {
	block  *block
	filter *Filter
	posts  []*Post
	from   uint32
	needs  [32]uint64
}

// everyPost is a cost that no feature has: all posts have to be gone through.
const everyPost = blockPosts + 1

func (s *search) all(found *bitmap) {
	if s.filter.Empty() || len(s.filter.nodes) == 0 {
		s.each(&s.block.all, func(i uint32, _ *Post) { found.add(i) })
		return
	}
	s.find(0, found)
}

// find adds the posts for which the subtree at index i holds. Of an AND it finds
// those of the cheapest child and holds them against the others; of an OR, those
// of each: what a post costs is the branch that it is found by.
func (s *search) find(i uint32, found *bitmap) {
	f := s.filter
	n := &f.nodes[i]
	switch {
	case n.op == opOr && s.cost(i, everyPost) < everyPost:
		for k := i + 1; k < n.end; k = f.nodes[k].end {
			s.find(k, found)
		}
	case n.op == opAnd:
		pick, best := i, everyPost
		for k := i + 1; k < n.end; k = f.nodes[k].end {
			if c := s.cost(k, best); c < best {
				pick, best = k, c
			}
		}
		if pick == i {
			s.hold(i, &s.block.all, found)
		} else if best > 0 {
			var some bitmap
			s.find(pick, &some)
			s.each(&some, func(at uint32, p *Post) {
				if f.beside(i, pick, p) {
					found.add(at)
				}
			})
		}
	default:
		s.leaf(i, found)
	}
}

func (s *search) leaf(i uint32, found *bitmap) {
	f := s.filter
	if _, ok := f.area(i); ok {
		s.hold(i, &s.block.geo, found)
		return
	}
	run, ok := s.rarest(i)
	if !ok {
		s.hold(i, &s.block.all, found)
		return
	}
	for _, pair := range run {
		if at := pair % blockPosts; at >= s.from && f.eval(i, s.posts[at]) {
			found.add(at)
		}
	}
}

// hold adds those of some posts for which the subtree at index i holds.
func (s *search) hold(i uint32, some, found *bitmap) {
	s.each(some, func(at uint32, p *Post) {
		if s.filter.eval(i, p) {
			found.add(at)
		}
	})
}

func (s *search) each(some *bitmap, do func(i uint32, p *Post)) {
	for w := s.from / 64; int(w) < len(some); w++ {
		word := some[w]
		if w == s.from/64 {
			word &= ^uint64(0) << (s.from % 64)
		}
		for ; word != 0; word &= word - 1 {
			at := w*64 + uint32(bits.TrailingZeros64(word))
			do(at, s.posts[at])
		}
	}
}

// cost returns how many posts would be looked at for the subtree at index i;
// everyPost: all. Where it is not below the limit, it does not go into details.
func (s *search) cost(i uint32, limit int) (cost int) {
	f := s.filter
	switch n := &f.nodes[i]; n.op {
	case opAnd:
		cost = everyPost
		for k := i + 1; k < n.end && cost > 0; k = f.nodes[k].end {
			cost = min(cost, s.cost(k, min(cost, limit)))
		}
	case opOr:
		for k := i + 1; k < n.end && cost < limit; k = f.nodes[k].end {
			cost += s.cost(k, limit-cost)
		}
	default:
		if _, ok := f.area(i); ok {
			for _, word := range s.block.geo {
				cost += bits.OnesCount64(word)
			}
			return cost
		}
		run, ok := s.rarest(i)
		if !ok {
			return everyPost
		}
		return len(run)
	}
	return min(cost, everyPost)
}

// rarest returns the shortest run among those of the features that a leaf needs;
// ok is false if it needs none.
func (s *search) rarest(i uint32) (run []uint32, ok bool) {
	for _, need := range s.filter.needs(i, s.needs[:0]) {
		if r := s.block.find(need); !ok || len(r) < len(run) {
			run, ok = r, true
		}
	}
	return run, ok
}
