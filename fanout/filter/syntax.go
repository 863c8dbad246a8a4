package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ruleParser reads a rule of X's filtered stream; doc.go has the grammar.
type ruleParser struct {
	*notes
	param  string
	s      string
	i      int // byte at which to go on
	depth  int // of parentheses
	nots   int // negations around what is read
	terms  int
	sample *expr // the sample: of the rule, taken out of its place
	inner  bool  // it stood in a group or an alternative
}

func (p *ruleParser) fail(at int, format string, args ...any) *Error {
	return errorAt(p.param, utf8.RuneCountInString(p.s[:min(at, len(p.s))]), format, args...)
}

func (p *ruleParser) warn(at int, format string, args ...any) {
	p.add(p.param, utf8.RuneCountInString(p.s[:at]), format, args...)
}

// rule reads it all.
func (p *ruleParser) rule() (expr, *Error) {
	if n := utf8.RuneCountInString(p.s); n > MaxRule {
		return expr{}, errorAt(p.param, MaxRule, "the rule has %d characters: the limit is %d; divide it among several filter.NAME", n, MaxRule)
	}
	if err := checkText(p.param, p.s); err != nil {
		return expr{}, err
	}
	e, err := p.alternatives()
	switch {
	case err != nil:
		return expr{}, err
	case p.i < len(p.s):
		return expr{}, p.fail(p.i, "a parenthesis is closed that was not opened")
	case p.sample == nil || p.sample.lit.detail.lo >= 100:
		return e, nil
	}
	if p.inner {
		p.warn(p.sample.pos, "%s counts for the whole rule, wherever it stands", p.sample.lit.text)
	}
	return allOf(e, *p.sample), nil
}

// alternatives reads what OR joins.
func (p *ruleParser) alternatives() (expr, *Error) {
	var kids []expr
	for {
		e, err := p.conjunction()
		if err != nil {
			return expr{}, err
		}
		kids = append(kids, e)
		if !p.atOr() {
			break
		}
		p.i += len("OR")
	}
	if len(kids) == 1 {
		return kids[0], nil
	}
	p.inner = p.inner || p.sample != nil
	return anyOf(kids...), nil
}

// conjunction reads what stands side by side.
func (p *ruleParser) conjunction() (expr, *Error) {
	e := expr{op: opAnd}
	for {
		p.space()
		if p.i == len(p.s) || p.s[p.i] == ')' || p.atOr() {
			break
		}
		term, err := p.term()
		if err != nil {
			return expr{}, err
		}
		e.kids = append(e.kids, term)
	}
	switch {
	case len(e.kids) == 1:
		return e.kids[0], nil
	case len(e.kids) > 0:
		return e, nil
	case p.atOr():
		return expr{}, p.fail(p.i, "OR stands between two terms: there is none before it; to look for the word, write \"or\"")
	case p.i < len(p.s) && p.depth == 0:
		return expr{}, p.fail(p.i, "a parenthesis is closed that was not opened")
	case p.i < len(p.s):
		return expr{}, p.fail(p.i, "a term is missing before the closing parenthesis")
	}
	return expr{}, p.fail(p.i, "a term is missing at the end of the rule")
}

// term reads an operand or a group, with the minus that it may have.
func (p *ruleParser) term() (expr, *Error) {
	at := p.i
	not := p.s[p.i] == '-'
	if not {
		p.i++
		p.nots++
		if p.i == len(p.s) || p.s[p.i] == ')' || p.s[p.i] == '-' || startsWith(p.s[p.i:], unicode.IsSpace) {
			return expr{}, p.fail(at, "one minus stands directly before what must not be there; nothing follows this one")
		}
	}
	e, err := p.operand()
	if err != nil {
		return expr{}, err
	}
	if not {
		p.nots--
	}
	e.pos = at
	e.not = e.not != not
	return e, nil
}

func (p *ruleParser) operand() (expr, *Error) {
	if p.s[p.i] == '(' {
		return p.group()
	}
	if p.terms++; p.terms > MaxTerms {
		return expr{}, p.fail(p.i, "too many terms: the limit is %d; divide the rule among several filter.NAME", MaxTerms)
	}
	if p.s[p.i] == '"' {
		return p.phrase()
	}
	return p.word()
}

func (p *ruleParser) group() (expr, *Error) {
	open := p.i
	if p.depth++; p.depth > MaxDepth {
		return expr{}, p.fail(open, "parentheses within parentheses: the limit is %d", MaxDepth)
	}
	p.i++
	before := p.sample
	e, err := p.alternatives()
	switch {
	case err != nil && p.i == len(p.s) && err.Pos == utf8.RuneCountInString(p.s):
		return expr{}, p.fail(open, "this parenthesis is not closed")
	case err != nil:
		return expr{}, err
	case p.i == len(p.s):
		return expr{}, p.fail(open, "this parenthesis is not closed")
	}
	p.i++
	p.depth--
	p.inner = p.inner || p.sample != before
	return e, nil
}

func (p *ruleParser) space() {
	p.i = len(p.s) - len(strings.TrimLeftFunc(p.s[p.i:], unicode.IsSpace))
}

// atOr reports whether the operator OR comes next.
func (p *ruleParser) atOr() bool {
	rest, ok := strings.CutPrefix(p.s[p.i:], "OR")
	return ok && (rest == "" || startsWith(rest, endsWord))
}

func startsWith(s string, is func(rune) bool) bool {
	return strings.IndexFunc(s, is) == 0
}

// endsWord reports whether a word cannot hold r.
func endsWord(r rune) bool { return r == '(' || r == ')' || r == '"' || unicode.IsSpace(r) }
