package filter

// compiler lays a condition out flat, in the order that expr.go explains.
type compiler struct {
	nodes   []node
	details []detail
	named   []named
	of      map[*detail]uint64 // place of a detail that several leaves share
	terms   []term             // by node; only if wanted
	explain bool
}

// term is the literal of a node; an operator has none.
type term struct {
	lit *literal
	not bool
}

// filter compiles a condition. Its slices are as long as they must be, since they
// live as long as the filter's clients.
func (c *condition) filter() *Filter {
	var b compiler
	b.condition(c)
	return &Filter{text: c.text(), nodes: exact(b.nodes), details: exact(b.details), named: exact(b.named)}
}

func exact[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return append(make([]T, 0, len(s)), s...)
}

// condition adds all parts, under one AND.
func (b *compiler) condition(c *condition) {
	var parts []func(under op)
	for _, f := range []*form{c.content, c.language, c.rule} {
		if f != nil {
			parts = append(parts, func(under op) { b.tree(f, &f.tree, under) })
		}
	}
	if c.level > LevelNone {
		parts = append(parts, func(op) {
			b.leaf(&literal{text: "filter_level=" + c.level.String(), op: opLevel, detail: &detail{lo: uint32(c.level)}}, false)
		})
	}
	if len(c.named) > 0 {
		parts = append(parts, func(op) { b.rules(c.named) })
	}
	if len(parts) == 1 {
		parts[0](noOp)
	} else if len(parts) > 1 {
		b.join(opAnd, func() {
			for _, add := range parts {
				add(opAnd)
			}
		})
	}
}

// noOp stands above the first operator.
const noOp = ^op(0)

// rules adds the named rules, each a subtree of its own.
func (b *compiler) rules(rules []namedForm) {
	add := func() {
		for _, r := range rules {
			b.named = append(b.named, named{r.name, uint32(len(b.nodes))})
			b.tree(r.form, &r.form.tree, noOp)
		}
	}
	if len(rules) == 1 {
		add()
		return
	}
	b.join(opOr, add)
}

// tree adds a tree that stands under an operator.
func (b *compiler) tree(f *form, t *tree, under op) {
	kids := func() {
		for i := range t.kids {
			b.tree(f, &t.kids[i], t.op)
		}
	}
	switch {
	case t.isLeaf():
		b.leaf(f.lit(t.code), f.negated(t.code))
	case t.op == under:
		kids()
	default:
		b.join(t.op, kids)
	}
}

func (b *compiler) join(o op, kids func()) {
	at := len(b.nodes)
	b.add(node{op: o}, term{})
	kids()
	b.nodes[at].end = uint32(len(b.nodes))
}

func (b *compiler) leaf(l *literal, not bool) {
	n := node{op: l.op, not: not, end: uint32(len(b.nodes) + 1), arg: l.arg}
	if l.op != opFeature {
		n.arg = b.detail(l.detail)
	}
	b.add(n, term{l, not})
}

// detail returns the place of a detail, once for all leaves that share it.
func (b *compiler) detail(d *detail) uint64 {
	at, known := b.of[d]
	if !known {
		if b.of == nil {
			b.of = map[*detail]uint64{}
		}
		at = uint64(len(b.details))
		b.of[d] = at
		b.details = append(b.details, *d)
	}
	return at
}

func (b *compiler) add(n node, t term) {
	b.nodes = append(b.nodes, n)
	if b.explain {
		b.terms = append(b.terms, t)
	}
}
