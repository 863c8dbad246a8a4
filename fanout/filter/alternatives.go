package filter

import (
	"cmp"
	"slices"
)

// Alternatives are the ways in which a post can pass a filter: it satisfies every
// Literal of at least one of Any, is in one of Languages, if there are some, and
// has at least the Level. They are for reasoning about filters, such as what an
// upstream has to be asked for so that a client can get its posts.
type Alternatives struct {
	// Any holds the conjunctions; one without literals is satisfied by every post.
	Any [][]Literal
	// Languages are those of the parameter language, sorted; one in a rule is a Literal.
	Languages []string
	Level     Level
	// Exact: the filter asks for nothing else. Otherwise a post that satisfies the
	// alternatives may fail the filter; none that fails them passes it.
	Exact bool
}

// Alternatives multiplies the filter out. Where that makes more than most
// conjunctions, whole parts of the filter are left out, so that what remains still
// holds for all its posts; ok is false if nothing can remain.
func (f *Filter) Alternatives(most int) (a Alternatives, ok bool) {
	c, err := parseString(f.String())
	if err != nil { // cannot be: the text parses to itself
		return a, false
	}
	a.Exact, a.Level = true, c.level
	if c.language != nil {
		for _, t := range c.language.alternatesOf() {
			a.Languages = append(a.Languages, c.language.lit(t.code).lang())
		}
	}
	var parts [][][]Literal
	add := func(part [][]Literal, exact, ok bool) {
		a.Exact = a.Exact && exact && ok
		if ok {
			parts = append(parts, part)
		}
	}
	for _, form := range []*form{c.content, c.rule} {
		if form != nil {
			add(form.literals(most))
		}
	}
	if len(c.named) > 0 {
		add(unionOf(c.named, most))
	}
	asked := c.content != nil || c.rule != nil || len(c.named) > 0
	if asked && len(parts) == 0 {
		return a, false
	}
	a.Any = [][]Literal{{}}
	slices.SortStableFunc(parts, func(p, q [][]Literal) int { return cmp.Compare(len(p), len(q)) })
	for _, part := range parts {
		if len(part)*len(a.Any) > most {
			a.Exact = false
			continue
		}
		a.Any = crossed(a.Any, part)
	}
	return a, len(a.Any) <= most
}

// unionOf returns the alternatives of all named rules.
func unionOf(rules []namedForm, most int) (all [][]Literal, exact, ok bool) {
	exact = true
	for _, r := range rules {
		own, same, ok := r.form.literals(most)
		if !ok || len(all)+len(own) > most {
			return nil, false, false
		}
		all, exact = append(all, own...), exact && same
	}
	return all, exact, true
}

// crossed joins every conjunction of a with every one of b; what contradicts
// itself goes.
func crossed(a, b [][]Literal) (out [][]Literal) {
	for _, x := range a {
		for _, y := range b {
			c := slices.Concat(x, y)
			slices.SortFunc(c, compareLiteral)
			c = slices.CompactFunc(c, func(p, q Literal) bool { return compareLiteral(p, q) == 0 })
			if !opposed(c) {
				out = append(out, c)
			}
		}
	}
	return out
}

// opposed reports whether sorted literals hold one and its opposite: they are
// neighbours.
func opposed(c []Literal) bool {
	for i := 1; i < len(c); i++ {
		if c[i].not != c[i-1].not && compareLiterals(c[i].lit, c[i-1].lit) == 0 {
			return true
		}
	}
	return false
}

// literals returns the conjunctions of a form as literals.
func (f *form) literals(most int) (out [][]Literal, exact, ok bool) {
	conjs, exact, ok := f.conjs, true, true
	if f.wide {
		conjs, exact, ok = f.necessary(&f.tree, most)
	}
	if !ok || len(conjs) > most {
		return nil, false, false
	}
	out = make([][]Literal, len(conjs))
	for i, c := range conjs {
		for _, code := range c {
			out[i] = append(out[i], Literal{f.lit(code), f.negated(code)})
		}
		slices.SortFunc(out[i], compareLiteral)
	}
	return out, exact, true
}

// necessary is multiply for a tree that is too large for it: conjunctions one of
// which holds wherever the tree does. Below an AND, groups that make too many are
// left out.
func (f *form) necessary(t *tree, most int) (out []conj, exact, ok bool) {
	if t.isLeaf() {
		return []conj{{t.code}}, true, true
	}
	exact = true
	if t.op == opOr {
		for i := range t.kids {
			more, same, ok := f.necessary(&t.kids[i], most)
			if !ok || len(out)+len(more) > most {
				return nil, false, false
			}
			out, exact = append(out, more...), exact && same
		}
		return out, exact, true
	}
	var own conj
	var groups [][]conj
	for i := range t.kids {
		if t.kids[i].isLeaf() {
			own = append(own, t.kids[i].code)
			continue
		}
		more, same, ok := f.necessary(&t.kids[i], most)
		if exact = exact && same && ok; ok {
			groups = append(groups, more)
		}
	}
	slices.Sort(own)
	slices.SortStableFunc(groups, func(a, b []conj) int { return cmp.Compare(len(a), len(b)) })
	out = []conj{own}
	for _, g := range groups {
		if len(out)*len(g) > most {
			exact = false
			continue
		}
		out = f.merged(out, g)
	}
	return out, exact, len(own) > 0 || len(groups) > 0 && len(out) > 0
}

func (f *form) merged(a, b []conj) (out []conj) {
	for _, x := range a {
		for _, y := range b {
			if c := merge(x, y); !f.contradicts(c) {
				out = append(out, c)
			}
		}
	}
	return out
}
