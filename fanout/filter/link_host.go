package filter

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// The rules by which a host name is one; see link.go.

func asciiHost(r rune) bool {
	return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-'
}

// hostRune reports whether a host name can hold r: Unicode ones hold even pictures.
func hostRune(r rune) bool {
	return asciiHost(r) || r == '_' || r >= utf8.RuneSelf && classOf(r)&(isEdge|isSpace) == 0
}

// domainEnd returns where the host name ends that begins at w[at]; 0: it is none.
// It ends with the last top-level domain that is known; behind a scheme, any two
// letters at its end will do, unless one that is known ends inside a label.
func domainEnd(w []byte, at int, scheme bool) (end int) {
	inside, mayEnd := false, false // the label before can stand before a top level
	for {
		label, latin := labelEnd(w, at)
		if mayEnd {
			if to := topLevel(w[at:], label-at); to > 0 {
				end, inside = at+to, at+to < label
			} else if scheme && !inside && (label == len(w) || w[label] != '.') && anyTopLevel(w[at:], label-at) {
				return label
			}
		}
		if !scheme { // only Latin letters make a host then, but for its top level
			label = latin
		}
		inner, last := labelFits(w[at:label])
		if !inner || !scheme && !last || label == len(w) || w[label] != '.' {
			return end
		}
		at, mayEnd = label+1, last
	}
}

// labelEnd returns where the label ends that begins at w[at], and where its first
// rune is that is not Latin.
func labelEnd(w []byte, at int) (end, latin int) {
	latin = -1
	for end = at; end < len(w); {
		if asciiHost(rune(w[end])) {
			end++
			continue
		}
		r, n := utf8.DecodeRune(w[end:])
		if !hostRune(r) {
			break
		}
		if latin < 0 && !accented(r) {
			latin = end
		}
		end += n
	}
	if latin < 0 {
		latin = end
	}
	return end, latin
}

// labelFits reports whether a label can stand in a host name, and whether it can
// stand before the top level.
func labelFits(l []byte) (inner, last bool) {
	if len(l) == 0 || len(l) > 63 && utf8.RuneCount(l) > 63 {
		return false, false
	}
	first, end := l[0], l[len(l)-1]
	if first == '-' || first == '_' || end == '-' || end == '_' ||
		bytes.HasPrefix(l, []byte("xn--")) && bytes.ContainsFunc(l, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return false, false
	}
	return true, bytes.IndexByte(l, '_') < 0
}

// topLevel returns the length of the known top-level domain that the label w[:n]
// is, or begins with where a script without spaces goes on; 0: there is none.
func topLevel(w []byte, n int) int {
	end := letters(w[:n])
	if bytes.HasPrefix(w[:n], []byte("xn--")) {
		for end < n && asciiHost(rune(w[end])) {
			end++
		}
	}
	if !mayFollow(w[end:]) {
		return 0
	}
	if knownTopLevel(w[:end]) {
		return end
	}
	return foreignTopLevel(w[:n])
}

// anyTopLevel reports whether the label w[:n] looks like a top-level domain: two
// letters or more.
func anyTopLevel(w []byte, n int) bool {
	return utf8.RuneCount(w[:n]) > 1 && mayFollow(w[n:]) &&
		bytes.IndexFunc(w[:n], func(r rune) bool { return !unicode.In(r, unicode.L, unicode.M) }) < 0
}

// mayFollow reports whether w can stand behind a host name.
func mayFollow(w []byte) bool {
	return len(w) == 0 || w[0] == '_' || !asciiWord(w[0]) && w[0] != '@' && w[0] != '-' && w[0] != '+'
}
