package filter

import (
	"cmp"
	"slices"
)

const (
	maxConjs = 512     // of a condition that is expanded, and of each part of it
	maxSteps = 1 << 17 // pairs of conjunctions that expanding may compare: some milliseconds
)

// expand finds the prime implicants and writes them as a tree. A condition that
// is an OR of conjunctions as it stands, as parameters always are, may be of any
// size, one that has to be multiplied out must stay below maxConjs.
func (f *form) expand() {
	conjs, ok := f.multiply(&f.tree)
	if ok {
		conjs = f.absorb(conjs)
		conjs, ok = f.consensus(conjs)
	}
	if !ok {
		f.wide = true
		return
	}
	conjs = slices.DeleteFunc(conjs, f.twoLanguages)
	slices.SortFunc(conjs, slices.Compare)
	f.conjs = conjs
	f.tree = f.factor(conjs, maxFactorDepth)
}

// multiply returns conjunctions of which a tree is the OR.
func (f *form) multiply(t *tree) ([]conj, bool) {
	if t.isLeaf() {
		return []conj{{t.code}}, true
	}
	if t.op == opOr {
		out := make([]conj, 0, len(t.kids))
		leaves := make(conj, len(t.kids))
		for i := range t.kids {
			if t.kids[i].isLeaf() {
				leaves[i] = t.kids[i].code
				out = append(out, leaves[i:i+1:i+1])
				continue
			}
			more, ok := f.multiply(&t.kids[i])
			if !ok {
				return nil, false
			}
			if out = append(out, more...); len(out) > max(maxConjs, len(t.kids)) {
				return nil, false
			}
		}
		return out, true
	}
	var own conj
	for i := range t.kids {
		if t.kids[i].isLeaf() {
			own = append(own, t.kids[i].code) // kids are sorted by code, but for groups between
		}
	}
	out := []conj{own}
	for i := range t.kids {
		if t.kids[i].isLeaf() {
			continue
		}
		more, ok := f.multiply(&t.kids[i])
		if !ok {
			return nil, false
		}
		if out, ok = f.product(out, more); !ok {
			return nil, false
		}
	}
	return out, true
}

// product returns the conjunctions of (a OR …) AND (b OR …).
func (f *form) product(a, b []conj) ([]conj, bool) {
	n := len(a) * len(b)
	if f.steps -= n; n > 2*maxConjs || f.steps < 0 {
		return nil, false
	}
	out := make([]conj, 0, n)
	for _, x := range a {
		for _, y := range b {
			if c := merge(x, y); !f.contradicts(c) {
				out = append(out, c)
			}
		}
	}
	out = f.absorb(out)
	return out, len(out) <= maxConjs && f.steps >= 0
}

// merge returns the codes of both, sorted and distinct.
func merge(a, b conj) conj {
	out := make(conj, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			out, a = append(out, a[0]), a[1:]
		case b[0] < a[0]:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// contradicts reports whether a conjunction holds a literal and its opposite.
func (f *form) contradicts(c conj) bool {
	n := uint32(len(f.lits))
	i := 0
	for k := len(c) - 1; k >= 0 && c[k] >= n; k-- {
		i = k
	}
	if len(c) == 0 || c[i] < n {
		return false
	}
	for p, q := 0, i; p < i && q < len(c); {
		switch v := c[q] - n; {
		case c[p] == v:
			f.clash = [2]uint32{v, v + n}
			return true
		case c[p] < v:
			p++
		default:
			q++
		}
	}
	return false
}

// twoLanguages reports whether a conjunction asks for two languages at once.
func (f *form) twoLanguages(c conj) bool {
	first := -1
	for _, code := range c {
		if f.negated(code) || f.lit(code).is&isLang == 0 {
			continue
		}
		if first >= 0 {
			f.clash = [2]uint32{uint32(first), code}
			return true
		}
		first = int(code)
	}
	return false
}

// absorb drops repeats and conjunctions of which another says less: of
// "a OR (a b)" the second.
func (f *form) absorb(conjs []conj) []conj {
	slices.SortFunc(conjs, func(a, b conj) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b))
	})
	conjs = slices.CompactFunc(conjs, slices.Equal)
	if len(conjs) > 0 && len(conjs[0]) == 0 {
		return conjs[:1]
	}
	single := make([]uint64, len(f.lits)/32+1) // bits of codes that are conjunctions of their own
	var signs []uint64                         // of kept[longer:], a bit for each code
	kept := conjs[:0]
	longer := 0
next:
	for _, c := range conjs {
		if len(c) == 1 {
			single[c[0]/64] |= 1 << (c[0] % 64)
			kept = append(kept, c)
			longer = len(kept)
			continue
		}
		sign := uint64(0)
		for _, code := range c {
			if single[code/64]>>(code%64)&1 != 0 {
				continue next
			}
			sign |= 1 << (code % 64)
		}
		for i, s := range signs {
			k := kept[longer+i]
			if f.steps--; len(k) == len(c) {
				break // sorted by length: no longer one can be part of c
			}
			if s&^sign == 0 && within(k, c) {
				continue next
			}
		}
		kept, signs = append(kept, c), append(signs, sign)
	}
	return kept
}

// within reports whether all codes of a are in b.
func within(a, b conj) bool {
	for _, code := range a {
		for len(b) > 0 && b[0] < code {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != code {
			return false
		}
	}
	return true
}

// consensus adds what two conjunctions imply together: of "(a x) OR (b -x)" also
// "a b". One round for each literal that is there both ways finds all (Tison).
func (f *form) consensus(conjs []conj) ([]conj, bool) {
	n := uint32(len(f.lits))
	both := make([]uint8, n)
	mixed := false
	for _, c := range conjs {
		for _, code := range c {
			both[code%n] |= 1 << (code / n)
			mixed = mixed || both[code%n] == 3
		}
	}
	if !mixed {
		return conjs, true
	}
	for x := range n {
		if both[x] != 3 {
			continue
		}
		var with, without []conj
		for _, c := range conjs {
			if _, found := slices.BinarySearch(c, x); found {
				with = append(with, c)
			} else if _, found := slices.BinarySearch(c, x+n); found {
				without = append(without, c)
			}
		}
		if len(conjs)+len(with)*len(without) > 2*maxConjs {
			return nil, false
		}
		for _, a := range with {
			for _, b := range without {
				c := merge(a, b)
				c = slices.DeleteFunc(c, func(code uint32) bool { return code%n == x })
				if !f.contradicts(c) {
					conjs = append(conjs, c)
				}
			}
		}
		if conjs = f.absorb(conjs); len(conjs) > maxConjs || f.steps < 0 {
			return nil, false
		}
	}
	return conjs, true
}
