package filter

import (
	"slices"
	"unicode/utf8"
)

// parsed is a filter as it was written, parameter by parameter.
type parsed struct {
	content  expr // track, follow, locations: any is enough
	language expr
	level    Level
	rule     *form // q; nil: none
	named    []namedForm
}

// A condition is a filter in normal form: all of its parts must hold.
type condition struct {
	content  *form // nil: no such part
	language *form
	level    Level
	rule     *form
	named    []namedForm // any of them; none: no such part
}

type namedForm struct {
	name string
	form *form
}

// condition brings a filter into normal form. What q asks for and the parameters
// could say is moved there, so that "q=go lang:en" and "track=go&language=en" are
// the same. Each part is in normal form for itself; track, language and q are
// looked at as one, unless that is too large or track stands beside follow or
// locations: then q stays by itself.
func (p *parsed) condition(l Limits) (*condition, *Error) {
	c := &condition{level: p.level, rule: p.rule, named: p.named}
	if len(p.content.kids) > 0 {
		c.content = newForm(&p.content)
	}
	if len(p.language.kids) > 0 {
		c.language = newForm(&p.language)
	}
	if c.rule == nil {
		return c, nil
	}
	whole, withTrack := c.rule, c.content == nil || c.content.sayable(inRule)
	if c.content != nil && withTrack || c.language != nil {
		whole = c.together(withTrack)
		if whole.tree.isFalse() {
			return nil, errorAt("q", 0, "no post satisfies both the rule and the other parameters")
		}
	}
	c.divide(whole, withTrack, l)
	return c, nil
}

// together is the rule AND the language AND, if wanted, track.
func (c *condition) together(withTrack bool) *form {
	parts := []expr{c.rule.expr(&c.rule.tree)}
	if c.language != nil {
		parts = append(parts, c.language.expr(&c.language.tree))
	}
	if c.content != nil && withTrack {
		parts = append(parts, c.content.expr(&c.content.tree))
	}
	e := allOf(parts...)
	return newForm(&e)
}

// divide makes parameters of a rule, as far as they can say it, and puts them in
// place of what it was made of; a rule that they cannot say must fit its limits.
func (c *condition) divide(whole *form, withTrack bool, l Limits) {
	if whole.wide && whole != c.rule {
		return
	}
	rule, language := whole.takeLanguage()
	if withTrack && rule.sayable(inTrack) && rule.fitsTrack(min(l.Phrases, DefaultLimits().Phrases)) {
		c.content, c.language, c.rule = rule, language, nil
		return
	}
	if rule.tree.leaves() > MaxTerms || utf8.RuneCountInString(rule.ruleText()) > MaxRule {
		return
	}
	if withTrack {
		c.content = nil
	}
	c.language, c.rule = language, rule
}

// sayable reports whether the form is an OR of conjunctions of literals that have
// the traits, and of no negated ones.
func (f *form) sayable(is traits) bool {
	return !f.wide && !slices.ContainsFunc(f.conjs, func(c conj) bool {
		return slices.ContainsFunc(c, func(code uint32) bool { return f.negated(code) || f.lit(code).is&is == 0 })
	})
}

// fitsTrack reports whether the form is within the limits of track.
func (f *form) fitsTrack(phrases int) bool {
	return len(f.conjs) <= phrases && !slices.ContainsFunc(f.conjs, func(c conj) bool {
		n := len(c) - 1
		for _, code := range c {
			n += len(f.lit(code).text)
		}
		return n > maxPhrase
	})
}

// takeLanguage divides a rule into one without a language and the languages, any
// of which the whole of it asks for; nil if it does not.
func (f *form) takeLanguage() (rule, language *form) {
	if f.tree.op != opAnd {
		return f, nil
	}
	at := slices.IndexFunc(f.tree.kids, f.isLanguage)
	if at < 0 || slices.IndexFunc(f.tree.kids[at+1:], f.isLanguage) >= 0 {
		return f, nil
	}
	r, lang := *f, *f
	lang.tree = f.tree.kids[at]
	r.tree = f.join(opAnd, slices.Delete(slices.Clone(f.tree.kids), at, at+1))
	if !f.wide {
		spoken := func(code uint32) bool { return f.lit(code).is&isLang != 0 }
		lang.conjs = project(f.conjs, func(code uint32) bool { return !f.negated(code) && spoken(code) })
		r.conjs = project(f.conjs, func(code uint32) bool { return f.negated(code) || !spoken(code) })
	}
	return &r, &lang
}

// isLanguage reports whether a tree is a language or several of which any will do.
func (f *form) isLanguage(t tree) bool {
	if t.isLeaf() {
		return !f.negated(t.code) && f.lit(t.code).is&isLang != 0
	}
	return t.op == opOr && !slices.ContainsFunc(t.kids, func(k tree) bool { return !k.isLeaf() || !f.isLanguage(k) })
}
