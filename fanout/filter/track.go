package filter

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPhrase is the length of a phrase in bytes of UTF-8 (v1.1: 1 to 60).
const maxPhrase = 60

// A term is one word of a phrase in canonical form.
type term struct {
	text    string // as it is written
	feature uint64 // of the posts that hold it
}

// track reads phrases: any one is enough, and of a phrase every term must be found.
func (p *parsed) track(list []item) *Error {
	for _, it := range list {
		phrase, err := parsePhrase(it)
		if err != nil {
			return err
		}
		p.phrases = append(p.phrases, phrase)
	}
	return nil
}

func parsePhrase(it item) ([]term, *Error) {
	if len(it.text) > maxPhrase {
		return nil, phraseTooLong(it, len(it.text))
	}
	var phrase []term
	pos, rest := it.pos, it.text
	for rest != "" {
		word := rest
		if i := strings.IndexFunc(rest, unicode.IsSpace); i >= 0 {
			word = rest[:i]
		}
		t, err := parseTerm(word, pos)
		if err != nil {
			return nil, err
		}
		phrase = append(phrase, t)
		gap := strings.TrimLeftFunc(rest[len(word):], unicode.IsSpace)
		pos += utf8.RuneCountInString(rest[:len(rest)-len(gap)])
		rest = gap
	}
	slices.SortFunc(phrase, func(a, b term) int { return cmp.Compare(a.text, b.text) })
	phrase = slices.Compact(phrase)
	// Folding may make text longer, and the canonical form must parse too.
	if n := len(phraseText(phrase)); n > maxPhrase {
		return nil, phraseTooLong(it, n)
	}
	return phrase, nil
}

func phraseTooLong(it item, n int) *Error {
	return errorAt("track", it.pos, "the phrase %s has %d bytes of UTF-8: the limit is %d", quote(it.text), n, maxPhrase)
}

func phraseText(phrase []term) string {
	words := make([]string, len(phrase))
	for i, t := range phrase {
		words[i] = t.text
	}
	return strings.Join(words, " ")
}

// parseTerm makes one word canonical, and refuses what no post can hold: the
// words of posts have lost the punctuation around them and the "www." in front.
func parseTerm(word string, pos int) (term, *Error) {
	t := appendFolded(nil, []byte(word))
	t = bytes.TrimFunc(t, func(r rune) bool { return unicode.Is(invisible, r) })
	if !visible(t) {
		return term{}, nothingToFind(word, pos)
	}
	if hasSign(t) {
		return parseEntity(t, pos)
	}
	if hasWWW(t[schemeLen(t):]) {
		return term{}, errorAt("track", pos, "%s never matches: links are compared without www.", quote(word)).
			near(validTerm(canonicalURL(t)))
	}
	if schemeLen(t) > 0 || bytes.IndexByte(t, '.') >= 0 {
		t = canonicalURL(t)
	}
	// Punctuation at the end may be part of a link, never of another word.
	core := trimEdges(t)
	switch {
	case !visible(core):
		return term{}, nothingToFind(word, pos)
	case plain(t):
		return term{string(t), kindToken.ofBytes(t)}, nil
	case hasSign(t), len(core) != len(t) && !(bytes.HasPrefix(t, core) && linkPath(core)):
		return term{}, errorAt("track", pos, "%s never matches: words are compared without the punctuation around them", quote(word)).
			near(validTerm(core))
	}
	return term{string(t), kindWord.ofBytes(t)}, nil
}

// parseEntity reads a term that asks for a hashtag, a mention or a cashtag.
func parseEntity(t []byte, pos int) (term, *Error) {
	name := trimToWord(t[1:])
	if !visible(name) {
		return term{}, nothingToFind(string(t), pos)
	}
	if len(name) != len(t)-1 {
		return term{}, errorAt("track", pos, "%s never matches: the name behind the sign begins and ends with a letter or digit", quote(string(t))).
			near(validTerm(append(t[:1:1], name...)))
	}
	return term{string(t), kindOfSign(t[0]).ofBytes(name)}, nil
}

func nothingToFind(word string, pos int) *Error {
	return errorAt("track", pos, "%s never matches: it is nothing but punctuation, which posts are compared without", quote(word))
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
