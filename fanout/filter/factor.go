package filter

import (
	"math/bits"
	"slices"
)

const (
	maxFactorDepth = 16  // operators within operators
	maxFactorVars  = 256 // literals of a part that is tried for factors: beyond, the table below grows large
)

// factor writes an OR of prime implicants as a tree in which parts that share no
// literal are joined: "x (a OR b)", "(a OR b) (c OR d)", "e OR (x (a OR b))". It
// divides as finely as it can see, and since the implicants are always the same
// for a condition, so is the tree.
func (f *form) factor(conjs []conj, depth int) tree {
	if len(conjs) == 0 {
		return tree{op: opOr}
	}
	if len(conjs) == 1 || depth == 0 || allSingle(conjs) {
		return f.flat(conjs)
	}
	if parts := f.alternatives(conjs); len(parts) > 1 {
		kids := make([]tree, len(parts))
		for i, part := range parts {
			kids[i] = f.factor(part, depth-1)
		}
		return f.join(opOr, kids)
	}
	if factors := f.factors(conjs); len(factors) > 1 {
		kids := make([]tree, 0, len(factors))
		if product := f.unspeakable(factors); product != nil {
			kids = append(kids, f.flat(product))
		}
		for _, part := range factors {
			if part != nil {
				kids = append(kids, f.factor(part, depth-1))
			}
		}
		return f.join(opAnd, kids)
	}
	return f.flat(conjs)
}

// flat writes conjunctions as they are.
func (f *form) flat(conjs []conj) tree {
	kids := make([]tree, len(conjs))
	for i, c := range conjs {
		if len(c) == 1 {
			kids[i] = leafOf(c[0])
			continue
		}
		own := make([]tree, len(c))
		for k, code := range c {
			own[k] = leafOf(code)
		}
		kids[i] = f.join(opAnd, own)
	}
	return f.join(opOr, kids)
}

// alternatives divides conjunctions into parts that share no literal.
func (f *form) alternatives(conjs []conj) [][]conj {
	if f.met == nil {
		f.met = make([]int, len(f.lits))
	}
	met := f.met // of a literal, 1 + the first conjunction that holds it
	root := make([]int, len(conjs))
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for i, c := range conjs {
		root[i] = i
		for _, code := range c {
			v := f.variable(code)
			if met[v] == 0 {
				met[v] = i + 1
				continue
			}
			a, b := find(met[v]-1), find(i)
			root[max(a, b)] = min(a, b)
		}
	}
	for _, c := range conjs {
		for _, code := range c {
			met[f.variable(code)] = 0
		}
	}
	at := make([]int, len(conjs)) // of a root, 1 + its part
	var parts [][]conj
	for i, c := range conjs {
		r := find(i)
		if at[r] == 0 {
			parts = append(parts, nil)
			at[r] = len(parts)
		}
		parts[at[r]-1] = append(parts[at[r]-1], c)
	}
	return parts
}

// factors divides conjunctions into sets of which they are the product.
func (f *form) factors(conjs []conj) [][]conj {
	var vars []uint32
	for _, c := range conjs {
		for _, code := range c {
			vars = append(vars, f.variable(code))
		}
	}
	slices.Sort(vars)
	vars = slices.Compact(vars)
	if len(vars) > maxFactorVars {
		return nil
	}
	number := make(map[uint32]int, len(vars))
	for i, v := range vars {
		number[v] = i
	}
	groups := apart(f.together(conjs, number))
	if len(groups) < 2 {
		return nil
	}
	return f.divide(conjs, groups, number)
}

// together tells for each literal which ones stand with it in a conjunction.
func (f *form) together(conjs []conj, number map[uint32]int) []varSet {
	with := make([]varSet, len(number))
	for _, c := range conjs {
		var all varSet
		for _, code := range c {
			all.add(number[f.variable(code)])
		}
		for _, code := range c {
			with[number[f.variable(code)]].join(all)
		}
	}
	return with
}

// apart groups literals that are in one factor for certain: in a product every
// literal of one factor stands with every literal of another somewhere.
func apart(with []varSet) []varSet {
	var groups []varSet
	var seen varSet
	for i := range with {
		if seen.has(i) {
			continue
		}
		var group varSet
		for queue := []int{i}; len(queue) > 0; queue = queue[1:] {
			v := queue[0]
			if seen.has(v) {
				continue
			}
			seen.add(v)
			group.add(v)
			for w := range with {
				if !with[v].has(w) && !seen.has(w) {
					queue = append(queue, w)
				}
			}
		}
		groups = append(groups, group)
	}
	return groups
}

// divide returns the groups by which conjunctions really can be divided, as what
// they hold of each, and what is left.
func (f *form) divide(conjs []conj, groups []varSet, number map[uint32]int) (factors [][]conj) {
	for _, g := range groups {
		inside := func(code uint32) bool { return g.has(number[f.variable(code)]) }
		part := project(conjs, inside)
		rest := project(conjs, func(code uint32) bool { return !inside(code) })
		if len(part) == len(conjs) && len(part) > 1 || len(part)*len(rest) != len(conjs) {
			continue
		}
		factors = append(factors, part)
		conjs = rest
	}
	if len(conjs) > 1 || len(conjs[0]) > 0 {
		factors = append(factors, conjs)
	}
	return factors
}

// project returns what the conjunctions hold of some literals.
func project(conjs []conj, of func(code uint32) bool) []conj {
	out := make([]conj, len(conjs))
	for i, c := range conjs {
		for _, code := range c {
			if of(code) {
				out[i] = append(out[i], code)
			}
		}
	}
	slices.SortFunc(out, slices.Compare)
	return slices.CompactFunc(out, slices.Equal)
}

// unspeakable takes the factors away that X would refuse to see alone, and returns
// their product with one that makes up for it: in "a (-b OR -c)" the branches of the
// group look for nothing, in "(a -b) OR (a -c)" they do. nil: there is no such factor.
func (f *form) unspeakable(factors [][]conj) (product []conj) {
	best := -1
	for i, part := range factors {
		if f.looks(part, standsAlone) && (best < 0 || len(part) < len(factors[best])) {
			best = i
		}
	}
	for i, part := range factors {
		if best < 0 || len(part) == 1 || f.looks(part, 0) {
			continue
		}
		if product == nil {
			product, factors[best] = factors[best], nil
		}
		var all []conj
		for _, a := range product {
			for _, b := range part {
				all = append(all, merge(a, b))
			}
		}
		product, factors[i] = all, nil
	}
	return product
}

// looks reports whether all conjunctions look for something with the given traits.
func (f *form) looks(conjs []conj, is traits) bool {
	return !slices.ContainsFunc(conjs, func(c conj) bool { return !f.looksFor(c, is) })
}

func (f *form) looksFor(c conj, is traits) bool {
	return slices.ContainsFunc(c, func(code uint32) bool { return !f.negated(code) && f.lit(code).is&is == is })
}

func allSingle(conjs []conj) bool {
	return !slices.ContainsFunc(conjs, func(c conj) bool { return len(c) != 1 })
}

// varSet is a set of literals of a part, by number.
type varSet [maxFactorVars / bits.UintSize]uint

func (s *varSet) add(i int)      { s[i/bits.UintSize] |= 1 << (i % bits.UintSize) }
func (s *varSet) has(i int) bool { return s[i/bits.UintSize]>>(i%bits.UintSize)&1 != 0 }
func (s *varSet) join(o varSet) {
	for i := range s {
		s[i] |= o[i]
	}
}
