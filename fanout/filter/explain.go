package filter

import (
	"cmp"
	"slices"
)

// Terms returns everything the filter looks for, each as its canonical text,
// sorted and distinct; what must not be there has a "-" in front.
func (f *Filter) Terms() []string {
	var terms []string
	if f != nil {
		for _, t := range f.terms() {
			if t.lit != nil {
				terms = append(terms, t.text())
			}
		}
	}
	slices.Sort(terms)
	return slices.Compact(terms)
}

// Explanation tells why a filter lets a post through, or why not.
type Explanation struct {
	Matches bool

	// Branches are, of each part of the filter, the alternatives that the post
	// satisfies. Of a part that it does not satisfy they are those that came
	// nearest, at most ten, with what was missing.
	Branches []Branch
}

// Branch is one alternative of a part of a filter.
type Branch struct {
	Rule    string   // the part: its parameter: "track", "q", "filter.NAME"
	Text    string   // the alternative, canonical
	Tokens  []string // what of it the post satisfies, canonical
	Missing []string // what else it needs; empty if the post satisfies the alternative
}

// maxNearest is how many alternatives of a part that failed are told.
const maxNearest = 10

// Explain tells which alternatives of the filter let the post through, or what
// it was that the post lacked. It reads the filter anew from its text and is for
// people, not for every post.
func (f *Filter) Explain(p *Post) Explanation {
	e := Explanation{Matches: f.Match(p)}
	if f.Empty() || p == nil {
		return e
	}
	c, err := parseString(f.text)
	if err != nil {
		return e // cannot be: the text parses to itself
	}
	if c.content != nil {
		e.Branches = append(e.Branches, c.content.branches("", p)...)
	}
	if c.language != nil {
		e.Branches = append(e.Branches, c.language.branches("language", p)...)
	}
	if c.level > LevelNone {
		e.Branches = append(e.Branches, levelBranch(c.level, p))
	}
	if c.rule != nil {
		e.Branches = append(e.Branches, c.rule.branches("q", p)...)
	}
	return e.addNamed(c.named, p)
}

// addNamed adds the named rules that hold; any of them is enough, and the others
// say something only where none does.
func (e Explanation) addNamed(rules []namedForm, p *Post) Explanation {
	var hold, fail []Branch
	for _, r := range rules {
		if b := r.form.branches(namedPrefix+r.name, p); len(b[0].Missing) == 0 {
			hold = append(hold, b...)
		} else {
			fail = append(fail, b...)
		}
	}
	if len(hold) > 0 {
		fail = nil
	}
	e.Branches = slices.Concat(e.Branches, hold, fail)
	return e
}

func levelBranch(level Level, p *Post) Branch {
	b := Branch{Rule: "filter_level", Text: "filter_level=" + level.String()}
	if p.Level >= level {
		b.Tokens = []string{b.Text}
	} else {
		b.Missing = []string{b.Text}
	}
	return b
}

// branches explains one part. Without a rule, the parameter is that of the literals.
func (f *form) branches(rule string, p *Post) (out []Branch) {
	alternates := f.alternatesOf()
	if !f.wide {
		alternates = make([]tree, len(f.conjs))
		for i, c := range f.conjs {
			alternates[i] = f.flat([]conj{c})
		}
	}
	holds := false
	for i := range alternates {
		t := &alternates[i]
		b := Branch{Rule: rule, Text: string(f.appendRule(nil, t))}
		if rule == "" {
			b.Rule = f.param(t)
		}
		f.witness(t, p, &b)
		holds = holds || len(b.Missing) == 0
		out = append(out, b)
	}
	if holds {
		return slices.DeleteFunc(out, func(b Branch) bool { return len(b.Missing) > 0 })
	}
	slices.SortStableFunc(out, func(a, b Branch) int {
		return cmp.Or(cmp.Compare(len(a.Missing), len(b.Missing)), cmp.Compare(len(b.Tokens), len(a.Tokens)))
	})
	return out[:min(len(out), maxNearest)]
}

// param returns the parameter that a tree of track, follow and locations is from.
func (f *form) param(t *tree) string {
	for !t.isLeaf() {
		t = &t.kids[0]
	}
	return f.lit(t.code).param()
}

// witness adds to b what of a tree holds and what is missing; of alternatives
// only the one of which the least is missing.
func (f *form) witness(t *tree, p *Post, b *Branch) {
	switch {
	case t.isLeaf():
		if text := f.text(t.code); f.lit(t.code).holds(p) != f.negated(t.code) {
			b.Tokens = append(b.Tokens, text)
		} else {
			b.Missing = append(b.Missing, text)
		}
	case t.op == opAnd:
		for i := range t.kids {
			f.witness(&t.kids[i], p, b)
		}
	default:
		var best Branch
		for i := range t.kids {
			var own Branch
			if f.witness(&t.kids[i], p, &own); i == 0 || len(own.Missing) < len(best.Missing) {
				best = own
			}
		}
		b.Tokens = append(b.Tokens, best.Tokens...)
		b.Missing = append(b.Missing, best.Missing...)
	}
}
