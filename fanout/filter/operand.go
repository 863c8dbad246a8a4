package filter

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxNear   = 6  // of "a b"~N, as on X
	maxTokens = 64 // of one phrase
)

const curly = "“”„‟«»" // quotation marks of other kinds

// phrase reads "exact phrase" and "near phrase"~N.
func (p *ruleParser) phrase() (expr, *Error) {
	at := p.i
	text, err := p.quoted()
	if err != nil {
		return expr{}, err
	}
	near := 0
	if strings.HasPrefix(p.s[p.i:], "~") {
		if near, err = p.near(); err != nil {
			return expr{}, err
		}
	}
	if err := p.ended(); err != nil {
		return expr{}, err
	}
	l, err := p.words(text, at, near)
	return literalExpr(l, at), err
}

// quoted reads what stands in quotation marks.
func (p *ruleParser) quoted() (string, *Error) {
	at := p.i
	text, rest, closed := strings.Cut(p.s[at+1:], `"`)
	if !closed {
		return "", p.fail(at, "this quotation mark is not closed")
	}
	p.i = len(p.s) - len(rest)
	return text, nil
}

func (p *ruleParser) near() (int, *Error) {
	at := p.i
	p.i++
	digits := p.i
	for p.i < len(p.s) && '0' <= p.s[p.i] && p.s[p.i] <= '9' {
		p.i++
	}
	n, err := strconv.Atoi(p.s[digits:p.i])
	if err != nil || n < 1 || n > maxNear {
		e := p.fail(at, "behind ~ stands how many tokens may lie between, 1 to %d", maxNear)
		if err == nil && n > maxNear {
			e = e.near("~6")
		}
		return 0, e
	}
	return n, nil
}

// ended refuses what is glued to a closing quotation mark or bracket.
func (p *ruleParser) ended() *Error {
	if p.i < len(p.s) && (p.s[p.i] == '"' || !startsWith(p.s[p.i:], endsWord)) {
		return p.fail(p.i, "a space is missing before %s", quote(p.s[p.i:]))
	}
	return nil
}

// words makes what was in quotation marks a literal.
func (p *ruleParser) words(text string, at, near int) (literal, *Error) {
	folded := appendFolded(nil, []byte(text))
	if some, _ := pictures(folded); some {
		if core := trimEdges(bytes.TrimSpace(folded)); allPictures(core) {
			return wordLiteral(core), nil
		}
		return literal{}, p.fail(at, "emoji are looked for by themselves, not within a phrase: write them beside it, behind a space").near(apartText(folded))
	}
	return p.row(kindToken, "", folded, at, near)
}

// row makes tokens that stand in a row a literal: of the post's texts, or with
// another kind and the operator in front of something else.
func (p *ruleParser) row(k kind, operator string, folded []byte, at, near int) (literal, *Error) {
	tokens := tokensOf(folded)
	switch {
	case !slices.ContainsFunc(tokens, visible):
		return literal{}, p.fail(at, "%s never matches: it is nothing but punctuation, which posts are compared without", quote(string(folded)))
	case len(tokens) > maxTokens:
		return literal{}, p.fail(at, "a phrase of %d words: the limit is %d", len(tokens), maxTokens)
	case len(tokens) == 1 && operator == "":
		return tokenLiteral(tokens[0]), nil
	case len(tokens) == 1:
		return literal{text: operator + string(tokens[0]), op: opFeature, arg: k.ofBytes(tokens[0]), is: standsAlone | inRule}, nil
	}
	l := literal{
		text: operator + `"` + string(bytes.Join(tokens, []byte(" "))) + `"`,
		op:   opPhrase, is: standsAlone | inRule, detail: &detail{near: uint8(near)},
	}
	if near > 0 {
		l.text += "~" + strconv.Itoa(near)
	}
	for _, t := range tokens {
		l.detail.tokens = append(l.detail.tokens, k.ofBytes(t))
	}
	return l, nil
}

// tokensOf returns the bare tokens of folded text.
func tokensOf(s []byte) (tokens [][]byte) {
	for i := 0; i < len(s); {
		end := tokenEnd(s, i)
		if end > i {
			tokens = append(tokens, s[i:end])
		}
		if i = end; i < len(s) {
			_, n := classAt(s, i)
			i += n
		}
	}
	return tokens
}

// word reads what has no quotation marks in front: a keyword, an entity, an operator.
func (p *ruleParser) word() (expr, *Error) {
	at := p.i
	end := strings.IndexFunc(p.s[at:], endsWord)
	if end < 0 {
		end = len(p.s) - at
	}
	word := p.s[at : at+end]
	if colon := strings.IndexByte(word, ':'); colon > 0 {
		if o, err := p.operator(word, colon); o != nil || err != nil {
			return p.operation(o, err)
		}
	}
	p.i += end
	l, err := p.keyword(word, at)
	return literalExpr(l, at), err
}

// keyword makes a word a literal: an entity by its sign, an emoji, or tokens as
// posts are divided into them.
func (p *ruleParser) keyword(word string, at int) (literal, *Error) {
	folded := appendFolded(nil, []byte(word))
	if first, _ := utf8.DecodeRune(folded); strings.ContainsRune("–—−", first) {
		return literal{}, p.fail(at, "this dash is not the minus sign that negates").near("-" + strings.TrimLeft(word, "–—−"))
	} else if strings.ContainsRune(curly, first) {
		text, _, _ := strings.Cut(strings.TrimLeft(p.s[at:], curly), `"`)
		if end := strings.IndexAny(text, curly); end >= 0 {
			text = text[:end]
		}
		return literal{}, p.fail(at, "a phrase stands in straight quotation marks").near(asNear(`"` + text + `"`))
	}
	if hasSign(folded) {
		return parseEntity(p.param, folded, utf8.RuneCountInString(p.s[:at]))
	}
	if some, _ := pictures(folded); some {
		if core := trimEdges(folded); allPictures(core) {
			return wordLiteral(core), nil
		}
		return literal{}, p.fail(at, "an emoji is a term of its own: a space is missing beside it").near(apartText(folded))
	}
	l, err := p.row(kindToken, "", folded, at, 0)
	if err != nil {
		if strings.Trim(word, "|") == "" {
			return l, err.near("OR")
		}
		return l, err
	}
	switch {
	case word == "or" || word == "and" || word == "AND" || word == "NOT" || word == "Or" || word == "And":
		p.warn(at, "%s is looked for as a word; %s", word, map[byte]string{
			'o': "write OR for either", 'a': "to ask for both a space is enough", 'n': "write - directly before what must not be there",
		}[word[0]|0x20])
	case strings.Contains(word, ",") && l.op == opPhrase:
		p.warn(at, "%s is looked for as the phrase %s; a list is written with OR", quote(word), l.text)
	case l.op == opFeature && !plain(folded):
		p.warn(at, "%s is looked for as %s: punctuation and symbols only divide words", quote(word), l.text)
	}
	return l, nil
}

// wordLiteral looks for a whole word that is more than a bare token.
func wordLiteral(w []byte) literal {
	l := literal{text: string(w), op: opFeature, arg: kindWord.ofBytes(w), is: standsAlone | inTrack}
	if allPictures(w) {
		l.is |= inRule
	}
	return l
}
