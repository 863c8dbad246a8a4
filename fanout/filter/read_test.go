package filter

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// entitiesOf returns what the post of a text holds of hashtags, mentions or
// cashtags, by trying everything that stands behind a sign.
func entitiesOf(text string, sign byte) (found []string) {
	p := postOf(text)
	s := fold(text)
	for at := range len(s) {
		if s[at] != sign {
			continue
		}
		for end := at + 1; end < len(s); {
			_, n := utf8.DecodeRuneInString(s[end:])
			end += n
			name := s[at+1 : end]
			if has(p.Features, kindOfSign(sign).of(name)) && !slices.Contains(found, name) {
				found = append(found, name)
			}
		}
	}
	return found
}

// linksOf returns the links that the post of a text names.
func linksOf(text string) []string {
	return strings.FieldsFunc(postOf(text).Links, func(r rune) bool { return r == '\n' })
}
