package filter

import (
	"bytes"
	"math/bits"
)

// word is a white-space separated stretch of a text on its way through scan.
type word struct {
	from   int  // where it begins
	tokens int  // how many bare tokens it has so far
	first  int  // where the first of them begins, if there is one
	rest   int  // where that ends
	last   int  // where the last one ends
	symbol bool // it holds what is neither part of a token nor punctuation

	to              int // where it ends; 0: not known yet
	linkAt, linkEnd int // the link in it that was found last, if to is known
}

// scan adds what the text in b.field holds: its bare tokens in their order, the
// entities that begin with a sign, and of each word that is more than one bare
// token between punctuation whatever wholeWord makes of it.
func (b *Builder) scan() {
	s := b.field.text
	open := s[:len(s)+padding]
	features, order := b.features, b.beginOrder()
	var w word
	start, end := -1, 0 // of the token that has begun, or of the last one
	last := uint64(0)
	for k, set := range b.field.words {
		borders := set ^ (set<<1 | last) // where a bit differs from the one before
		last = set >> 63
		for ; borders != 0; borders &= borders - 1 {
			at := 64*k + bits.TrailingZeros64(borders)
			if start < 0 {
				start = at
				continue
			}
			if start == end+1 && s[end] == ' ' && w.tokens < 2 && !w.symbol { // between two plain words
				w.from, w.tokens = start, 0
			} else if start > end {
				b.features = features
				b.gap(s, end, start, &w)
				if isSign(s[start-1]) {
					b.entity(s, start-1, at, &w)
				}
				features = b.features
			}
			h := kindToken.ofToken(open, start, at)
			features = append(features, h)
			order = append(order, uint32(h))
			if w.tokens++; w.tokens == 1 {
				w.first, w.rest = start, at
			}
			start, end = -1, at
			w.last = at
		}
	}
	b.features, b.order = features, order
	b.gap(s, end, len(s), &w)
	if w.tokens > 1 || w.symbol {
		b.wholeWord(s, &w, len(s))
	}
}

// gap takes what stands between two tokens, s[i:to]: the words that end there, and
// emoji, each of which is found as if it were a word, whatever it is glued to.
func (b *Builder) gap(s []byte, i, to int, w *word) {
	for i < to {
		class, n := classAt(s, i)
		if class&isSpace != 0 {
			if w.tokens > 1 || w.symbol {
				b.wholeWord(s, w, i)
			}
			*w = word{from: i + n}
		} else if class&isEdge == 0 {
			w.symbol = true
			if class&isPicture != 0 {
				n = emojiLen(s[i:to])
				b.features = append(b.features, kindWord.ofBytes(s[i:i+n]))
			}
		}
		i += n
	}
}

// tokens adds the bare tokens of the text in b.field under a kind and nothing else.
func (b *Builder) tokens(k kind) {
	open := b.field.text[:len(b.field.text)+padding]
	features := b.features
	start := -1 // of the token that has begun
	last := uint64(0)
	for n, set := range b.field.words {
		borders := set ^ (set<<1 | last) // where a bit differs from the one before
		last = set >> 63
		for ; borders != 0; borders &= borders - 1 {
			at := 64*n + bits.TrailingZeros64(borders)
			if start < 0 {
				start = at
				continue
			}
			features = append(features, k.ofToken(open, start, at))
			start = -1
		}
	}
	b.features = features
}

// tokensInOrder adds the bare tokens of the text in b.field, under a kind, as a
// field of Post.Order too.
func (b *Builder) tokensInOrder(k kind) {
	before := len(b.features)
	b.tokens(k)
	order := b.beginOrder()
	for _, h := range b.features[before:] {
		order = append(order, uint32(h))
	}
	b.order = order
}

// beginOrder returns b.order, ready for another field.
func (b *Builder) beginOrder() []uint32 {
	if n := len(b.order); n > 0 && b.order[n-1] != 0 {
		return append(b.order, 0)
	}
	return b.order
}

// wholeWord adds w, which ends at to, as terms with punctuation in them see it. A
// word of word runes alone need not be added: such terms look among the bare
// tokens.
func (b *Builder) wholeWord(s []byte, w *word, to int) {
	if w.tokens > 1 && bytes.IndexByte(s[w.rest:w.last], '.') >= 0 {
		b.writtenLinks(s[w.from:to], w.first-w.from, w.last-w.from)
	}
	if w.symbol {
		b.oddWord(s[w.from:to])
		return
	}
	from := w.first
	if from > w.from && (s[from-1] == '#' || s[from-1] == '@') {
		for from = w.rest; ; { // of an entity, what follows its name is the word
			class, n := classAt(s, from)
			if class&isEdge == 0 {
				break
			}
			from += n
		}
		if w.tokens == 2 {
			return
		}
	}
	b.addWord(s[from:w.last])
	// Of a link written out, the punctuation behind it may be a part.
	if w.last < to && linkPath(canonicalURL(s[from:w.last])) {
		b.addWord(s[from:to])
	}
}

// oddWord is wholeWord for a word with a symbol in it.
func (b *Builder) oddWord(w []byte) {
	for len(w) > 0 && sign(w) == 0 {
		c, n := classAt(w, 0)
		if c&isEdge == 0 {
			break
		}
		w = w[n:]
	}
	switch sign(w) {
	case '$':
		w = trimEdges(w[1:])
	case '#', '@':
		w = w[1+tokenEnd(w[1:], 0):]
	}
	core := trimEdges(w)
	b.addWord(core)
	// "<http://example.com>" and "🔥example.com" hold example.com too.
	if inner := trimToWord(core); len(inner) < len(core) {
		b.addWord(inner)
	}
	if len(core) < len(w) && linkPath(canonicalURL(core)) {
		b.addWord(w)
	}
}

// tokenEnd returns where the bare token ends that begins at s[i]; i if none does.
func tokenEnd(s []byte, i int) int {
	for i < len(s) {
		c, n := classAt(s, i)
		if c&isWord == 0 {
			break
		}
		i += n
	}
	return i
}

// addWord adds a word, or a URL, in canonical form.
func (b *Builder) addWord(w []byte) {
	if w = canonicalURL(w); !plain(w) {
		b.features = append(b.features, kindWord.ofBytes(w))
	}
}

// linkPath reports whether a word is a host with a path behind it.
func linkPath(w []byte) bool {
	host, path, _ := bytes.Cut(w, []byte("/"))
	return len(path) > 0 && bytes.IndexByte(host, '.') >= 0
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
