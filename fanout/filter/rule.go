package filter

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// The limits of one rule. X allows 1,024 to 2,048 code points; what is more here
// is for rules that grew out of several.
const (
	MaxRule  = 4096 // code points of a rule, as it is written and as it is understood
	MaxTerms = 400  // operators and keywords in it
	MaxDepth = 32   // parentheses within parentheses
	MaxNamed = 32   // rules of filter.NAME
)

// ruleForm reads a rule, brings it into normal form and refuses what X would.
func (n *notes) ruleForm(param, s string) (*form, *Error) {
	p := ruleParser{param: param, s: s, notes: n}
	e, err := p.rule()
	if err != nil {
		return nil, err
	}
	f := newForm(&e)
	if err := p.check(f, &e); err != nil {
		return nil, err
	}
	if f.tree.leaves() > MaxTerms || utf8.RuneCountInString(f.ruleText()) > MaxRule {
		f = p.asWritten(&e)
		if length := utf8.RuneCountInString(f.ruleText()); length > MaxRule {
			return nil, errorAt(param, 0, "the rule has %d characters as it is understood: the limit is %d; divide it among several filter.NAME", length, MaxRule)
		}
	}
	n.repostPlaces(param, f)
	return f, nil
}

// asWritten is the normal form of a condition that is too large when expanded.
func (p *ruleParser) asWritten(e *expr) *form {
	f := &form{wide: true}
	b := codes{form: f}
	b.collect(e)
	b.assign()
	f.tree = b.tree(e, false)
	return f
}

// check refuses a rule that lets nothing through, or too much: every alternative
// must look for something that may stand alone.
func (p *ruleParser) check(f *form, written *expr) *Error {
	if f.tree.isFalse() {
		a, b := f.clash[0], f.clash[1]
		return p.fail(max(f.at[a], f.at[b], 0), "the rule never matches: nothing is both %s and %s", quote(f.text(a)), quote(f.text(b)))
	}
	weak, found := f.weak()
	if !found {
		return nil
	}
	if len(weak) == 0 {
		return p.fail(0, "the rule lets nearly every post through: it needs a keyword, from: or another operator that can stand alone")
	}
	text := make([]string, len(weak))
	for i, code := range weak {
		text[i] = f.text(code)
	}
	at, _ := weakAt(written, false)
	return p.fail(at, "the branch %s has nothing that can stand alone: add a keyword, from: or another such operator to it", quote(strings.Join(text, " ")))
}

// weakAt returns where in a condition, as it was written, an alternative begins
// that looks for nothing that may stand alone.
func weakAt(e *expr, not bool) (at int, weak bool) {
	not = not != e.not
	if e.isLiteral() {
		return e.pos, not || e.lit.is&standsAlone == 0
	}
	either := (e.op == opOr) != not
	at = e.pos
	for i := range e.kids {
		begin, weak := weakAt(&e.kids[i], not)
		switch {
		case either && weak:
			return begin, true
		case !either && !weak:
			return 0, false
		case i == 0:
			at = begin
		}
	}
	return at, !either
}

// weak returns an alternative of the form that looks for nothing that may stand
// alone, if there is one.
func (f *form) weak() (conj, bool) {
	if f.wide {
		return f.weakest(&f.tree)
	}
	i := slices.IndexFunc(f.conjs, func(c conj) bool { return !f.looksFor(c, standsAlone) })
	if i < 0 {
		return nil, false
	}
	return f.conjs[i], true
}

// weakest is weak for a tree: what it says where all that may stand alone is
// false and the rest true.
func (f *form) weakest(t *tree) (out conj, found bool) {
	if t.isLeaf() {
		return conj{t.code}, f.negated(t.code) || f.lit(t.code).is&standsAlone == 0
	}
	for i := range t.kids {
		c, found := f.weakest(&t.kids[i])
		switch {
		case found && t.op == opOr:
			return c, true
		case !found && t.op == opAnd:
			return nil, false
		case found:
			out = append(out, c...)
		}
	}
	return out, t.op == opAnd
}

// ruleText writes the form as a rule.
func (f *form) ruleText() string { return string(f.appendRule(nil, &f.tree)) }

func (f *form) appendRule(out []byte, t *tree) []byte {
	if t.isLeaf() {
		return append(out, f.text(t.code)...)
	}
	for i := range t.kids {
		if i > 0 && t.op == opOr {
			out = append(out, " OR "...)
		} else if i > 0 {
			out = append(out, ' ')
		}
		if k := &t.kids[i]; k.isLeaf() {
			out = f.appendRule(out, k)
		} else {
			out = append(f.appendRule(append(out, '('), k), ')')
		}
	}
	return out
}
