package filter

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// This file finds the links that are written out in a text, by the rules of the
// open twitter-text library: with a scheme and without one, beside letters of
// scripts that write no spaces, never as a part of an e-mail address or behind a
// sign. All text here is folded and without white space.

// writtenLinks adds the links in the word w; w[first:last] is added as a word
// anyway. Of one that ends, or begins, within a token of the text, what it is made
// of are tokens too.
func (b *Builder) writtenLinks(w []byte, first, last int) {
	for from := 0; ; {
		at, end := nextLink(w, from)
		if end == 0 {
			return
		}
		b.link(w[at:end], false)
		if at != first || end != last {
			b.addWord(w[at:end])
			if at > 0 && wordBefore(w, at) || end < len(w) && wordAt(w, end) {
				b.pieces(w[at:end])
			}
		}
		from = end
	}
}

func wordAt(s []byte, i int) bool {
	class, _ := classAt(s, i)
	return class&isWord != 0
}

func wordBefore(s []byte, i int) bool {
	class, _ := classBefore(s, i)
	return class&isWord != 0
}

// pieces adds the bare tokens of a link.
func (b *Builder) pieces(link []byte) {
	for i := 0; i < len(link); {
		end := tokenEnd(link, i)
		if end > i {
			b.features = append(b.features, kindToken.ofBytes(link[i:end]))
			i = end
			continue
		}
		_, n := classAt(link, i)
		i += n
	}
}

// inLink reports whether s[at] lies inside a link that begins in the word w. The
// link found last is kept in w, so that a word is gone through once.
func inLink(s []byte, at int, w *word) bool {
	if w.to == 0 {
		w.to = wordEnd(s, at)
		w.linkAt, w.linkEnd = w.from, w.from
	}
	for w.linkEnd <= at {
		begin, end := nextLink(s[w.from:w.to], w.linkEnd-w.from)
		if end == 0 {
			begin, end = len(s), len(s)
		}
		w.linkAt, w.linkEnd = w.from+begin, w.from+end
	}
	return w.linkAt <= at
}

func wordEnd(s []byte, at int) int {
	for at < len(s) {
		c, n := classAt(s, at)
		if c&isSpace != 0 {
			break
		}
		at += n
	}
	return at
}

// nextLink returns where the first link at or behind w[from] lies; end is 0 if
// there is none. It looks at no byte more than a few times, however odd w is.
func nextLink(w []byte, from int) (at, end int) {
	for {
		i := bytes.IndexByte(w[from:], '.')
		if i < 0 {
			return 0, 0
		}
		dot := from + i
		host := hostStart(w, from, dot)
		at, scheme := schemeBefore(w, from, host)
		if !scheme { // then only Latin letters make a host
			host = latinStart(w, host, dot)
			at = host
		}
		if end = domainEnd(w, host, scheme); end > 0 && mayPrecede(w[:at], scheme) {
			if scheme {
				end = linkEnd(w, host, end)
			} else {
				end = tailEnd(w, end)
			}
			if end > 0 {
				return at, end
			}
		}
		// No part of what could have been the host is one.
		for from = dot + 1; from < len(w); {
			r, n := utf8.DecodeRune(w[from:])
			if r != '.' && !asciiHost(r) && !accented(r) && (!scheme || !hostRune(r)) {
				break
			}
			from += n
		}
	}
}

// hostStart returns where the run of host runes begins that holds w[dot].
func hostStart(w []byte, from, dot int) int {
	for dot > from {
		if asciiHost(rune(w[dot-1])) {
			dot--
			continue
		}
		r, n := utf8.DecodeLastRune(w[from:dot])
		if r != '.' && !hostRune(r) {
			break
		}
		dot -= n
	}
	return dot
}

// latinStart returns where the run of Latin letters, digits and "-" begins that
// ends at dot.
func latinStart(w []byte, from, dot int) int {
	for dot > from {
		r, n := utf8.DecodeLastRune(w[from:dot])
		if !asciiHost(r) && !accented(r) {
			break
		}
		dot -= n
	}
	return dot
}

// schemeBefore returns where the "http://" or "https://" begins that ends at host.
func schemeBefore(w []byte, from, host int) (at int, ok bool) {
	for _, scheme := range []string{"https://", "http://"} {
		if at := host - len(scheme); at >= from && string(w[at:host]) == scheme {
			return at, true
		}
	}
	return 0, false
}

// mayPrecede reports whether a link, with a scheme or without, can begin behind w.
func mayPrecede(w []byte, scheme bool) bool {
	if len(w) == 0 {
		return true
	}
	c := w[len(w)-1]
	if c == '_' {
		return scheme
	}
	return !asciiWord(c) && !isSign(c) && (scheme || strings.IndexByte("-./", c) < 0)
}
