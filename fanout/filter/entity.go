package filter

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file finds the hashtags, mentions and cashtags that a text holds, by the
// rules of the open twitter-text library. Sources send their entities in fields
// of their own as well; the text counts for those that don't. All text here is
// folded.

// isSign reports whether an entity can begin with c.
func isSign(c byte) bool { return c == '#' || c == '@' || c == '$' }

// sign returns the sign that folded text begins with if a word rune follows, or 0.
func sign(s []byte) byte {
	if len(s) < 2 || !isSign(s[0]) {
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

// entity adds the entity whose sign is s[at], in the word w, if there is one; the
// bare token behind the sign ends at token.
func (b *Builder) entity(s []byte, at, token int, w *word) {
	name := entityName(s, at, token)
	if len(name) == 0 || w.tokens > 0 && inLink(s, at, w) {
		return
	}
	b.name(kindOfSign(s[at]), name)
}

// entityName returns the name of the entity whose sign is s[at], or nothing
// where that is no more than a sign.
func entityName(s []byte, at, token int) []byte {
	var end int
	switch s[at] {
	case '#':
		end = hashtagEnd(s, at, token)
	case '@':
		end = mentionEnd(s, at)
	default:
		end = cashtagEnd(s, at)
	}
	if bytes.HasPrefix(s[max(end, at+1):], []byte("…")) { // cut off: this is not its whole name
		return nil
	}
	return s[at+1 : max(end, at+1)]
}

// hashtagEnd returns where the hashtag ends whose "#" is s[at]: letters, marks,
// digits and a few signs, one letter or mark among them, with none of these and
// no "&" in front, and no "#" or "://" behind. The bare token behind the "#"
// ends at token. 0: it is none.
func hashtagEnd(s []byte, at, token int) int {
	if at > 0 && s[at-1] != ' ' {
		r, _ := utf8.DecodeLastRune(s[:at])
		if r == '&' || inHashtag(r) {
			return 0
		}
	}
	end := token
	for end < len(s) && s[end] != ' ' {
		r, n := utf8.DecodeRune(s[end:])
		if !inHashtag(r) {
			break
		}
		end += n
	}
	if !hasLetter(s[at+1:end]) || bytes.HasPrefix(s[end:], []byte("#")) || bytes.HasPrefix(s[end:], []byte("://")) {
		return 0
	}
	return end
}

// hasLetter reports whether a name holds a letter or a mark; the one that frames
// keys ("#️⃣") is none.
func hasLetter(name []byte) bool {
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRune(name[i:])
		if 'a' <= r && r <= 'z' || r >= utf8.RuneSelf && r != '\u20e3' && unicode.In(r, unicode.L, unicode.M) {
			return true
		}
		i += n
	}
	return false
}

// inHashtag reports whether a rune can be part of a hashtag: those of a bare
// token and the signs that words are written with in some language.
func inHashtag(r rune) bool {
	if r < utf8.RuneSelf {
		return classes[r]&isWord != 0
	}
	switch r {
	case '·', '\u05be', '\u05f3', '\u05f4', '\u0f0b', '\u0f0c', '\u200c', '\u200d',
		'〃', '〜', '\u309b', '\u309c', '゠', '・', '\ua67e', '～':
		return true
	}
	return classOf(r)&isWord != 0
}

// mentionEnd returns where the mention ends whose "@" is s[at]: up to 20 ASCII
// letters, digits and "_". In front is nothing that makes an e-mail address or an
// oath of it, but "rt" may be; behind it neither another "@", an accented letter,
// "://", nor the name of a list.
func mentionEnd(s []byte, at int) int {
	if at > 0 && (asciiWord(s[at-1]) || strings.IndexByte("!#$%&*@", s[at-1]) >= 0) && !afterRT(s[:at]) {
		return 0
	}
	end := at + 1
	for end < len(s) && asciiWord(s[end]) {
		end++
	}
	rest := s[end:]
	if n := end - at - 1; n == 0 || n > 20 {
		return 0
	}
	if len(rest) == 0 || rest[0] == ' ' {
		return end
	}
	switch r, _ := utf8.DecodeRune(rest); {
	case r == '@', accented(r), bytes.HasPrefix(rest, []byte("://")),
		r == '/' && len(rest) > 1 && 'a' <= rest[1] && rest[1] <= 'z':
		return 0
	}
	return end
}

// afterRT reports whether s ends in "rt", that begins a word.
func afterRT(s []byte) bool {
	s, found := bytes.CutSuffix(s, []byte("rt"))
	return found && (len(s) == 0 || !asciiWord(s[len(s)-1]) && strings.IndexByte("+~.-", s[len(s)-1]) < 0)
}

// cashtagEnd returns where the cashtag ends whose "$" is s[at]: one to six ASCII
// letters, perhaps "." or "_" and one or two more, between white space and white
// space or punctuation.
func cashtagEnd(s []byte, at int) int {
	if at > 0 {
		if c, n := classBefore(s, at); c&isSpace == 0 && !unicode.Is(invisible, lastRune(s[:at], n)) {
			return 0
		}
	}
	end := at + 1 + letters(s[at+1:])
	if n := end - at - 1; n == 0 || n > 6 {
		return 0
	}
	if end < len(s) && (s[end] == '.' || s[end] == '_') {
		if n := letters(s[end+1:]); (n == 1 || n == 2) && cashtagStops(s, end+1+n) {
			return end + 1 + n
		}
	}
	if !cashtagStops(s, end) {
		return 0
	}
	return end
}

func cashtagStops(s []byte, at int) bool {
	if at == len(s) {
		return true
	}
	if s[at] < utf8.RuneSelf {
		return s[at] == '_' || classes[s[at]]&isWord == 0
	}
	c, _ := classAt(s, at)
	return c&(isSpace|isEdge) != 0
}

// letters counts the ASCII letters that s begins with.
func letters(s []byte) (n int) {
	for n < len(s) && 'a' <= s[n] && s[n] <= 'z' {
		n++
	}
	return n
}

func lastRune(s []byte, n int) rune {
	r, _ := utf8.DecodeRune(s[len(s)-n:])
	return r
}

// asciiWord reports whether c is part of a screen name.
func asciiWord(c byte) bool { return c < utf8.RuneSelf && classes[c]&isWord != 0 }

// accented reports whether r is a Latin letter beyond ASCII, or a mark upon one.
func accented(r rune) bool {
	return 0xc0 <= r && r < 0x250 && r != '×' && r != '÷' || 0x300 <= r && r < 0x370 || 0x1e00 <= r && r < 0x1f00
}
