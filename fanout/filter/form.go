package filter

import (
	"cmp"
	"slices"
)

// A form is a condition in normal form. However it was written, what follows by
// the laws of AND, OR and NOT from the same condition is the same form:
//
//   - NOT stands before literals only (De Morgan);
//   - it is expanded to an OR of conjunctions, and these are its prime implicants:
//     all that imply the condition and of which nothing can be left out. A
//     function has exactly one such set (Blake's canonical form), found by adding
//     what two of them imply together and dropping what another implies;
//   - the set is written as the tree that joins parts with no literal in common,
//     "x (a OR b)" rather than "(a x) OR (b x)", see factor.
//
// A condition whose set would be too large stays a tree as it was written, but
// for order, repeats and nesting.
type form struct {
	lits  []literal // sorted, distinct
	at    []int     // by code, where in the rule it was first written
	conjs []conj    // the prime implicants, sorted; nil with wide
	wide  bool      // there would be too many
	tree  tree
	clash [2]uint32 // two literals that no post satisfies both, if any conjunction was dropped for such
	steps int       // of rewriting that are left
	met   []int     // scratch of alternatives
}

// A code is a literal by its index in form.lits, or negated: len(lits) more.
// A conj is a conjunction: codes, sorted and distinct. The empty one is true.
type conj = []uint32

// tree is an expr in negation normal form: no operator under its like, no
// operator with one kid, kids sorted and distinct.
type tree struct {
	op   op // opAnd, opOr; else a literal
	code uint32
	kids []tree
}

func leafOf(code uint32) tree { return tree{op: opFeature, code: code} }

func (t *tree) isLeaf() bool  { return t.op > opOr }
func (t *tree) isFalse() bool { return t.op == opOr && len(t.kids) == 0 }

// leaves counts the literals of a tree, repeats included.
func (t *tree) leaves() int {
	if t.isLeaf() {
		return 1
	}
	n := 0
	for i := range t.kids {
		n += t.kids[i].leaves()
	}
	return n
}

// newForm brings a condition into normal form.
func newForm(e *expr) *form {
	f := &form{steps: maxSteps}
	b := codes{form: f}
	b.collect(e)
	b.assign()
	f.tree = b.tree(e, false)
	f.expand()
	return f
}

func (f *form) negated(code uint32) bool    { return code >= uint32(len(f.lits)) }
func (f *form) variable(code uint32) uint32 { return code % uint32(len(f.lits)) }
func (f *form) lit(code uint32) *literal    { return &f.lits[f.variable(code)] }
func (f *form) opposite(code uint32) uint32 {
	return (code + uint32(len(f.lits))) % uint32(2*len(f.lits))
}

// text returns a literal with the "-" that it may have.
func (f *form) text(code uint32) string {
	if f.negated(code) {
		return "-" + f.lit(code).name()
	}
	return f.lit(code).name()
}

// rank puts what must not hold behind everything else.
func (f *form) rank(t *tree) int {
	switch {
	case !t.isLeaf():
		return 1
	case f.negated(t.code):
		return 2
	}
	return 0
}

// compare orders trees: what is looked for, groups, what must not be there.
func (f *form) compare(a, b *tree) int {
	if c := cmp.Compare(f.rank(a), f.rank(b)); c != 0 {
		return c
	}
	if a.isLeaf() {
		return cmp.Compare(a.code, b.code)
	}
	for i := range min(len(a.kids), len(b.kids)) {
		if c := f.compare(&a.kids[i], &b.kids[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(a.kids), len(b.kids))
}

// join puts sorted trees under an operator, with what they need to be in order:
// true and false are folded away, and so are repeats and a literal beside its
// opposite.
func (f *form) join(o op, kids []tree) tree {
	flat := make([]tree, 0, len(kids))
	for _, k := range kids {
		switch {
		case k.op == o:
			flat = append(flat, k.kids...)
		case !k.isLeaf() && len(k.kids) == 0: // false under AND, true under OR
			return k
		default:
			flat = append(flat, k)
		}
	}
	compare := func(a, b tree) int { return f.compare(&a, &b) }
	slices.SortFunc(flat, compare)
	flat = slices.CompactFunc(flat, func(a, b tree) bool { return compare(a, b) == 0 })
	if len(flat) == 1 {
		return flat[0]
	}
	if f.opposed(flat) {
		if o == opAnd {
			return tree{op: opOr}
		}
		return tree{op: opAnd}
	}
	return tree{op: o, kids: flat}
}

// opposed reports whether a literal and its opposite are among sorted trees.
func (f *form) opposed(kids []tree) bool {
	for i := len(kids) - 1; i >= 0 && kids[i].isLeaf() && f.negated(kids[i].code); i-- {
		want := leafOf(f.opposite(kids[i].code))
		if _, found := slices.BinarySearchFunc(kids, want, func(a, b tree) int { return f.compare(&a, &b) }); found {
			f.clash = [2]uint32{want.code, kids[i].code}
			return true
		}
	}
	return false
}

// expr turns the normal form back into a condition, to be joined with others.
func (f *form) expr(t *tree) expr {
	if t.isLeaf() {
		e := literalExpr(*f.lit(t.code), f.at[t.code])
		e.not = f.negated(t.code)
		return e
	}
	e := expr{op: t.op, kids: make([]expr, len(t.kids))}
	for i := range t.kids {
		e.kids[i] = f.expr(&t.kids[i])
	}
	return e
}
