package filter

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPhrase is the length of a phrase in bytes of UTF-8 (v1.1: 1 to 60).
const maxPhrase = 60

// track reads phrases: any one is enough, and of a phrase every term must be found.
func (p *parsed) track(list []item) *Error {
	for _, it := range list {
		phrase, err := parsePhrase(it)
		if err != nil {
			return err
		}
		p.content.kids = append(p.content.kids, phrase)
	}
	return nil
}

func parsePhrase(it item) (expr, *Error) {
	if len(it.text) > maxPhrase {
		return expr{}, phraseTooLong(it, len(it.text))
	}
	phrase := expr{op: opAnd}
	words := make([]string, 0, 4)
	pos, rest := it.pos, it.text
	for rest != "" {
		word := rest
		if i := strings.IndexFunc(rest, unicode.IsSpace); i >= 0 {
			word = rest[:i]
		}
		l, err := parseTerm(word, pos)
		if err != nil {
			return expr{}, err
		}
		if !slices.Contains(words, l.text) {
			words = append(words, l.text)
			phrase.kids = append(phrase.kids, literalExpr(l, 0))
		}
		gap := strings.TrimLeftFunc(rest[len(word):], unicode.IsSpace)
		pos += utf8.RuneCountInString(rest[:len(rest)-len(gap)])
		rest = gap
	}
	// Folding may make text longer, and the canonical form must parse too.
	if n := len(strings.Join(words, " ")); n > maxPhrase {
		return expr{}, phraseTooLong(it, n)
	}
	return phrase, nil
}

func phraseTooLong(it item, n int) *Error {
	return errorAt("track", it.pos, "the phrase %s has %d bytes of UTF-8: the limit is %d", quote(it.text), n, maxPhrase)
}

// parseTerm makes one word canonical, and refuses what no post can hold: the
// words of posts have lost the punctuation around them and the "www." in front.
func parseTerm(word string, pos int) (literal, *Error) {
	t := appendFolded(nil, []byte(word))
	t = bytes.TrimFunc(t, func(r rune) bool { return unicode.Is(invisible, r) })
	if !visible(t) {
		return literal{}, nothingToFind("track", word, pos)
	}
	if hasSign(t) {
		return parseEntity("track", t, pos)
	}
	if hasWWW(t[schemeLen(t):]) {
		return literal{}, errorAt("track", pos, "%s never matches: links are compared without www.", quote(word)).
			near(validTerm(canonicalURL(t)))
	}
	if schemeLen(t) > 0 || bytes.IndexByte(t, '.') >= 0 {
		t = canonicalURL(t)
	}
	// Punctuation at the end may be part of a link, never of another word.
	core := trimEdges(t)
	switch {
	case !visible(core):
		return literal{}, nothingToFind("track", word, pos)
	case plain(t):
		return tokenLiteral(t), nil
	case hasSign(t), len(core) != len(t) && !(bytes.HasPrefix(t, core) && linkPath(core)):
		return literal{}, errorAt("track", pos, "%s never matches: words are compared without the punctuation around them", quote(word)).
			near(validTerm(core))
	}
	return wordLiteral(t), nil
}

// parseEntity reads a term that asks for a hashtag, a mention or a cashtag.
func parseEntity(param string, t []byte, pos int) (literal, *Error) {
	name := trimToWord(t[1:])
	if !visible(name) {
		return literal{}, nothingToFind(param, string(t), pos)
	}
	if len(name) != len(t)-1 {
		return literal{}, errorAt(param, pos, "%s never matches: the name behind the sign begins and ends with a letter or digit", quote(string(t))).
			near(validTerm(append(t[:1:1], name...)))
	}
	l := literal{text: string(t), op: opFeature, arg: kindOfSign(t[0]).ofBytes(name), is: standsAlone}
	if bytes.IndexByte(name, ',') < 0 {
		l.is |= inTrack
	}
	if bytes.IndexFunc(name, endsWord) < 0 {
		l.is |= inRule
	}
	return l, nil
}

func nothingToFind(param, word string, pos int) *Error {
	return errorAt(param, pos, "%s never matches: it is nothing but punctuation, which posts are compared without", quote(word))
}

// hasSign reports whether a term begins with the sign of an entity.
func hasSign(t []byte) bool { return len(t) > 0 && (t[0] == '#' || t[0] == '@' || t[0] == '$') }

// visible reports whether there is more in s than combining marks.
func visible(s []byte) bool {
	return bytes.IndexFunc(s, func(r rune) bool { return !unicode.IsMark(r) }) >= 0
}

// validTerm returns s if it could stand in a filter, else "".
func validTerm(s []byte) string {
	t, err := parseTerm(string(s), 0)
	if err != nil || len(t.text) > maxPhrase {
		return ""
	}
	return t.text
}
