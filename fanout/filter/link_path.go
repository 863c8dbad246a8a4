package filter

import (
	"strings"
	"unicode/utf8"
)

// The rules by which a link ends behind its host; see link.go.

// linkEnd is tailEnd for a link with a scheme. Links by t.co are letters and
// digits, at most 40, and perhaps a query; 0: this one is not.
func linkEnd(w []byte, host, end int) int {
	if string(w[host:end]) != "t.co" || end == len(w) || w[end] != '/' {
		return tailEnd(w, end)
	}
	slug := end + 1
	for slug < len(w) && asciiWord(w[slug]) && w[slug] != '_' {
		slug++
	}
	if slug-end-1 > 40 {
		return 0
	}
	return queryEnd(w, slug)
}

// tailEnd returns where the port, path and query end that stand at w[i].
func tailEnd(w []byte, i int) int {
	if i+1 < len(w) && w[i] == ':' {
		port := i + 1
		for port < len(w) && w[port]-'0' <= 9 {
			port++
		}
		if port > i+1 {
			i = port
		}
	}
	return queryEnd(w, pathEnd(w, i))
}

// pathEnd returns where the path ends: with "/" or what a word ends with; or with
// a pair of parentheses. Punctuation behind that is the sentence's.
func pathEnd(w []byte, i int) int {
	if i == len(w) || w[i] != '/' {
		return i
	}
	end := i
	for i < len(w) {
		r, n := utf8.DecodeRune(w[i:])
		switch {
		case r == '(':
			if n = pair(w[i:]); n == 0 {
				return end
			}
			end = i + n
		case pathWord(r) || strings.IndexByte("=/#+-", w[i]) >= 0:
			end = i + n
		case r != '–' && r != '—' && strings.IndexByte("!*';:,.$%[]~@&|", w[i]) < 0:
			return end
		}
		i += n
	}
	return end
}

func pathWord(r rune) bool {
	return r < utf8.RuneSelf && asciiWord(byte(r)) || accented(r) || 0x400 <= r && r < 0x500
}

// pair returns the length of the parenthesis that w begins with, closed, with no
// more than one inside, and not too long; 0: it is none.
func pair(w []byte) int {
	const longest = 256
	w = w[:min(len(w), longest)]
	depth := 0
	for i := 0; i < len(w); {
		r, n := utf8.DecodeRune(w[i:])
		i += n
		switch {
		case r == '(':
			if depth++; depth > 2 {
				return 0
			}
		case r == ')':
			if depth--; depth == 0 {
				return i
			}
		case !pathWord(r) && r != '–' && r != '—' && (r >= utf8.RuneSelf || strings.IndexByte("=/#+-!*';:,.$%[]~@&|", byte(r)) < 0):
			return 0
		}
	}
	return 0
}

// queryEnd returns where the query ends that stands at w[i].
func queryEnd(w []byte, i int) int {
	if i == len(w) || w[i] != '?' {
		return i
	}
	end := i
	for i++; i < len(w); i++ {
		switch c := w[i]; {
		case asciiWord(c) || strings.IndexByte("&=#/-", c) >= 0:
			end = i + 1
		case strings.IndexByte("!?*'@();:+$%[].,~|", c) < 0:
			return end
		}
	}
	return end
}
