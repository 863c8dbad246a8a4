package filter

import "slices"

// codes numbers the literals of a condition and makes a tree of it. Both walks
// meet the literals in the same order.
type codes struct {
	form *form
	met  []metLiteral
	of   []uint32 // by place in the order of writing, the index in form.lits
	next int
}

type metLiteral struct {
	lit   *literal
	place int
}

func (b *codes) collect(e *expr) {
	if e.isLiteral() {
		b.met = append(b.met, metLiteral{&e.lit, len(b.met)})
	}
	for i := range e.kids {
		b.collect(&e.kids[i])
	}
}

func (b *codes) assign() {
	slices.SortFunc(b.met, func(x, y metLiteral) int { return compareLiterals(x.lit, y.lit) })
	b.of = make([]uint32, len(b.met))
	f := b.form
	f.lits = make([]literal, 0, len(b.met))
	for i, m := range b.met {
		if i == 0 || compareLiterals(b.met[i-1].lit, m.lit) != 0 {
			f.lits = append(f.lits, *m.lit)
		}
		b.of[m.place] = uint32(len(f.lits) - 1)
	}
	f.at = make([]int, 2*len(f.lits))
	for i := range f.at {
		f.at[i] = -1
	}
}

// tree returns e, or what is not e, in negation normal form.
func (b *codes) tree(e *expr, not bool) tree {
	not = not != e.not
	if e.isLiteral() {
		code := b.of[b.next]
		if b.next++; not {
			code += uint32(len(b.form.lits))
		}
		if at := &b.form.at[code]; *at < 0 || e.pos < *at {
			*at = e.pos
		}
		return leafOf(code)
	}
	kids := make([]tree, len(e.kids))
	for i := range e.kids {
		kids[i] = b.tree(&e.kids[i], not)
	}
	if not {
		return b.form.join(opAnd+opOr-e.op, kids)
	}
	return b.form.join(e.op, kids)
}
