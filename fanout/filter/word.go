package filter

import (
	"bytes"
	"unicode/utf8"
)

// scan adds what folded text holds: its bare tokens, and of each word that is
// more than a bare token with punctuation behind it whatever wholeWord makes of it.
func (b *Builder) scan(s []byte) {
	start := 0                     // of the current word
	ended, special := false, false // the word's first token has ended; it holds more
	for i := 0; i < len(s); {
		if end := tokenEnd(s, i); end > i {
			b.add(kindToken, s[i:end])
			special = special || ended
			if i = end; i == len(s) {
				break
			}
		}
		class, n := classAt(s, i)
		if class&isSpace == 0 {
			ended = true
			special = special || class&isEdge == 0
			i += n
			continue
		}
		if special {
			b.wholeWord(s[start:i])
		}
		i += n
		start, ended, special = i, false, false
	}
	if special {
		b.wholeWord(s[start:])
	}
}

// tokens adds the bare tokens of folded text and nothing else.
func (b *Builder) tokens(s []byte) {
	for i := 0; i < len(s); {
		end := tokenEnd(s, i)
		b.add(kindToken, s[i:end])
		if i = end; i < len(s) {
			_, n := classAt(s, i)
			i += n
		}
	}
}

// tokenEnd returns where the bare token ends that begins at s[i]; i if none does.
func tokenEnd(s []byte, i int) int {
	for i < len(s) {
		if s[i] < utf8.RuneSelf {
			if classes[s[i]]&isWord == 0 {
				break
			}
			i++
			continue
		}
		c, n := classAt(s, i)
		if c&isWord == 0 {
			break
		}
		i += n
	}
	return i
}

// wholeWord adds a white-space separated word as terms with punctuation in them
// see it. A word of word runes alone need not be added: such terms look among
// the bare tokens.
func (b *Builder) wholeWord(w []byte) {
	for len(w) > 0 && sign(w) == 0 {
		c, n := classAt(w, 0)
		if c&isEdge == 0 {
			break
		}
		w = w[n:]
	}
	if sign(w) != 0 {
		if w = b.entity(w); len(w) == 0 {
			return
		}
	}
	core := trimEdges(w)
	b.addWord(core)
	// "<http://example.com>" and "🔥example.com" hold example.com too.
	if inner := trimToWord(core); len(inner) < len(core) {
		b.addWord(inner)
	}
	// Of a link written out, the punctuation behind it may be a part.
	if len(core) < len(w) && linkPath(canonicalURL(core)) {
		b.addWord(w)
	}
}

// linkPath reports whether a word is a host with a path behind it.
func linkPath(w []byte) bool {
	host, path, _ := bytes.Cut(w, []byte("/"))
	return len(path) > 0 && bytes.IndexByte(host, '.') >= 0
}

// addWord adds a word, or a URL, in canonical form.
func (b *Builder) addWord(w []byte) {
	if w = canonicalURL(w); !plain(w) {
		b.add(kindWord, w)
	}
}

// entity adds the hashtag, mention or cashtag that a word begins with and
// returns what of the word remains to be looked at as a word. Posts bring their
// entities in fields of their own as well; the text counts for those that don't.
func (b *Builder) entity(w []byte) []byte {
	sign, name := w[0], w[1:]
	if sign == '$' {
		name = trimEdges(name)
		b.add(kindCashtag, name)
		return name
	}
	end := tokenEnd(name, 0)
	rest := name[end:]
	if !bytes.HasPrefix(rest, []byte("…")) { // cut off: this is not its whole name
		b.add(kindOfSign(sign), name[:end])
	}
	return rest
}

// sign returns the sign of the entity that folded text begins with, or 0.
func sign(s []byte) byte {
	if len(s) < 2 || s[0] != '#' && s[0] != '@' && s[0] != '$' {
		return 0
	}
	if c, _ := classAt(s, 1); c&isWord == 0 {
		return 0
	}
	return s[0]
}

func kindOfSign(sign byte) kind {
	switch sign {
	case '#':
		return kindHashtag
	case '@':
		return kindMention
	}
	return kindCashtag
}

// canonicalURL drops the scheme, a leading "www." and the slashes at the end of
// a folded word, so that a URL is found however it was written.
func canonicalURL(w []byte) []byte {
	for {
		n := schemeLen(w)
		if hasWWW(w[n:]) {
			n += len("www.")
		}
		if n == 0 {
			break
		}
		w = w[n:]
	}
	for len(w) > 0 && w[len(w)-1] == '/' {
		w = w[:len(w)-1]
	}
	return w
}

func hasWWW(w []byte) bool {
	return len(w) > len("www.") && string(w[:4]) == "www."
}

// schemeLen returns the length of the "http://" that w begins with, or of
// another scheme, or 0.
func schemeLen(w []byte) int {
	i := 0
	for i < len(w) && 'a' <= w[i] && w[i] <= 'z' {
		i++
	}
	if i == 0 || len(w) < i+3 || string(w[i:i+3]) != "://" {
		return 0
	}
	return i + len("://")
}
