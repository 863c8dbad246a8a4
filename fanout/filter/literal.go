package filter

import (
	"cmp"
	"strconv"
	"strings"
)

// A literal is one thing that a filter looks for: a word, a user, a box. Filters
// written in parameters and in rules are made of the same literals.
type literal struct {
	text   string // canonical, as a rule has it or track; follow and locations: "", see name
	op     op
	is     traits
	arg    uint64  // opFeature: the feature
	num    uint64  // inFollow: the id
	detail *detail // other ops
}

// traits are what the rewriting of filters needs to know of a literal.
type traits uint8

const (
	standsAlone traits = 1 << iota // X: a standalone operator, enough for a rule or a branch of it
	inTrack                        // track can say it
	inRule                         // a rule can say it
	inFollow
	inLocations
	isLang // lang: or language; a post has one
	isGeo  // asks where a post was written: reposts never say
	isRepost
)

// compareLiterals orders literals as the canonical form does: by text, and behind
// those that have one user ids and boxes by number.
func compareLiterals(a, b *literal) int {
	if c := cmp.Compare(a.is&(inFollow|inLocations), b.is&(inFollow|inLocations)); c != 0 {
		return c
	}
	switch {
	case a.is&inFollow != 0:
		return cmp.Compare(a.num, b.num)
	case a.is&inLocations != 0:
		return compareBoxes(a.detail.box, b.detail.box)
	}
	return strings.Compare(a.text, b.text)
}

// param returns the list that a literal of track, follow or locations stands in.
func (l *literal) param() string {
	switch {
	case l.is&inFollow != 0:
		return "follow"
	case l.is&inLocations != 0:
		return "locations"
	}
	return "track"
}

// name is the text of a literal outside of its parameter.
func (l *literal) name() string {
	switch l.param() {
	case "follow":
		return "follow=" + strconv.FormatUint(l.num, 10)
	case "locations":
		return "locations=" + l.detail.box.String()
	}
	return l.text
}

// holds tells whether p, which is not nil, has what the literal looks for.
func (l *literal) holds(p *Post) bool {
	if l.op == opFeature {
		return has(p.Features, l.arg)
	}
	return l.detail.holds(l.op, p)
}

func tokenLiteral(token []byte) literal {
	return literal{text: string(token), op: opFeature, arg: kindToken.ofBytes(token), is: standsAlone | inTrack | inRule}
}

func langLiteral(tag string) literal {
	return literal{text: "lang:" + tag, op: opFeature, arg: kindLang.of(tag), is: isLang | inRule}
}

// An expr is a condition as somebody wrote it: a literal, or several conditions
// joined. One that joins nothing is true as opAnd and false as opOr.
type expr struct {
	op   op // opAnd, opOr; else a literal
	not  bool
	pos  int // byte of the rule at which it begins
	lit  literal
	kids []expr
}

func anyOf(kids ...expr) expr { return expr{op: opOr, kids: kids} }
func allOf(kids ...expr) expr { return expr{op: opAnd, kids: kids} }

func (e *expr) isLiteral() bool { return e.op > opOr }

func literalExpr(l literal, pos int) expr { return expr{op: l.op, lit: l, pos: pos} }
