package filter

import (
	"unicode"
	"unicode/utf8"
)

// What a rune does to the text around it. A rune that is none of word, space and
// edge (an emoji, "+", "<") is a symbol: it ends a bare token and belongs to a word.
const (
	isWord    uint8 = 1 << iota // letter, decimal digit, combining mark or "_": what bare tokens are made of
	isSpace                     // Unicode white space: separates words
	isEdge                      // punctuation or an invisible direction mark: not part of a word when it stands at its border
	isCased                     // folding changes it
	isLoose                     // it may not be in NFC beside its neighbours
	isPicture                   // an emoji, or another symbol that depicts something
)

// classes answers classOf for the Basic Multilingual Plane. The range tables of
// package unicode are searched by halving, too slow for every rune of every
// post; 64 KB of bytes are not, and filling them takes well under a millisecond.
var classes = makeClasses()

func makeClasses() *[1 << 16]uint8 {
	t := new([1 << 16]uint8)
	mark := func(bit uint8, table *unicode.RangeTable) {
		for _, r := range table.R16 {
			for c := uint32(r.Lo); c <= uint32(r.Hi); c += uint32(r.Stride) {
				t[c] |= bit
			}
		}
	}
	mark(isWord, unicode.L)
	mark(isWord, unicode.Nd)
	mark(isWord, unicode.M)
	mark(isSpace, unicode.White_Space)
	mark(isEdge, unicode.P)
	mark(isEdge, invisible)
	mark(isPicture, unicode.So)
	t['_'] = isWord
	for _, r := range unicode.CaseRanges {
		for c := r.Lo; c <= r.Hi && c < 1<<16; c++ {
			t[c] |= isCased
		}
	}
	mark(isCased, foldsLong)
	mark(isLoose, unicode.M)
	mark(isLoose, recomposed)
	for c := 0xfe00; c <= 0xfe0f; c++ {
		t[c] &^= isLoose // variation selectors: half of all emoji have one
	}
	t[0xfe0e], t[0xfe0f] = 0, 0 // "as text", "as emoji": marks, but of symbols
	for _, c := range "＃＠＄" {
		t[c] |= isCased
	}
	return t
}

// invisible holds the marks that editors leave around a word without anybody
// seeing them: direction marks and isolates, the soft hyphen, the byte order
// mark. Joiners are not among them: they are part of words and of emoji.
var invisible = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x00ad, Hi: 0x00ad, Stride: 1}, {Lo: 0x061c, Hi: 0x061c, Stride: 1},
	{Lo: 0x200b, Hi: 0x200b, Stride: 1}, {Lo: 0x200e, Hi: 0x200f, Stride: 1},
	{Lo: 0x202a, Hi: 0x202e, Stride: 1}, {Lo: 0x2060, Hi: 0x2064, Stride: 1},
	{Lo: 0x2066, Hi: 0x2069, Stride: 1}, {Lo: 0xfeff, Hi: 0xfeff, Stride: 1},
}, LatinOffset: 1}

// recomposed covers the runes besides marks that NFC changes or joins to the rune
// before (NFC_Quick_Check No or Maybe): singletons, composition exclusions, the
// later parts of Hangul syllables. A few more lie in its ranges.
var recomposed = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x0374, Hi: 0x0374, Stride: 1}, {Lo: 0x037e, Hi: 0x037e, Stride: 1},
	{Lo: 0x0387, Hi: 0x0387, Stride: 1}, {Lo: 0x0958, Hi: 0x095f, Stride: 1},
	{Lo: 0x09dc, Hi: 0x09df, Stride: 1}, {Lo: 0x0a33, Hi: 0x0a5e, Stride: 1},
	{Lo: 0x0b5c, Hi: 0x0b5d, Stride: 1}, {Lo: 0x0f43, Hi: 0x0fb9, Stride: 1},
	{Lo: 0x1161, Hi: 0x11c2, Stride: 1}, {Lo: 0x1f71, Hi: 0x1ffd, Stride: 1},
	{Lo: 0x2000, Hi: 0x2001, Stride: 1}, {Lo: 0x2126, Hi: 0x212b, Stride: 1},
	{Lo: 0x2329, Hi: 0x232a, Stride: 1}, {Lo: 0x2adc, Hi: 0x2adc, Stride: 1},
	{Lo: 0xf900, Hi: 0xfaff, Stride: 1}, {Lo: 0xfb1d, Hi: 0xfb4e, Stride: 1},
}}

func classOf(r rune) uint8 {
	switch {
	case r < 1<<16:
		return classes[uint16(r)]
	case 0x1f000 <= r && r < 0x1fb00:
		return isPicture // neither letters nor punctuation; those of a later Unicode are here too
	case unicode.In(r, unicode.L, unicode.Nd, unicode.M):
		return isWord | isCased | isLoose // a few old scripts here have case; fold looks closer
	case unicode.Is(unicode.P, r):
		return isEdge | isLoose
	}
	return isLoose
}

// The functions below work on folded text.

// plain reports whether s is made of word runes alone, so that it is a bare token.
func plain(s []byte) bool {
	for i := 0; i < len(s); {
		c, n := classAt(s, i)
		if c&isWord == 0 {
			return false
		}
		i += n
	}
	return true
}

// classAt returns the class of the rune at s[i] and its length in bytes. Folded
// text is valid UTF-8, so nothing is checked again.
func classAt(s []byte, i int) (class uint8, n int) {
	switch c := s[i]; {
	case c < utf8.RuneSelf:
		return classes[c], 1
	case c < 0xe0:
		return classes[uint16(c&0x1f)<<6|uint16(s[i+1]&0x3f)], 2
	case c < 0xf0:
		return classes[uint16(c)<<12|uint16(s[i+1]&0x3f)<<6|uint16(s[i+2]&0x3f)], 3
	}
	r, n := utf8.DecodeRune(s[i:])
	return classOf(r), n
}

// classBefore is classAt for the rune that ends at s[i].
func classBefore(s []byte, i int) (class uint8, n int) {
	if s[i-1] < utf8.RuneSelf {
		return classes[s[i-1]], 1
	}
	r, n := utf8.DecodeLastRune(s[:i])
	return classOf(r), n
}

// trimEdges cuts punctuation and invisible marks off both ends.
func trimEdges(s []byte) []byte { return trim(s, isEdge, isEdge) }

// trimToWord cuts everything off both ends that no bare token is made of:
// punctuation, and symbols like "<" or an emoji glued to the word.
func trimToWord(s []byte) []byte { return trim(s, isWord, 0) }

// trim cuts the runes off both ends whose bits under mask are as given.
func trim(s []byte, mask, bits uint8) []byte {
	for len(s) > 0 {
		c, n := classAt(s, 0)
		if c&mask != bits {
			break
		}
		s = s[n:]
	}
	for len(s) > 0 {
		c, n := classBefore(s, len(s))
		if c&mask != bits {
			break
		}
		s = s[:len(s)-n]
	}
	return s
}
