package filter

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// field is a text in the form in which posts and terms are compared, with a bit
// for each of its bytes that is part of a word rune, so that bare tokens are the
// runs of set bits. ASCII is folded and classed eight bytes at a time. One field
// is used for one text after another.
type field struct {
	text  []byte   // folded; behind its end the buffer goes on for padding bytes
	words []uint64 // bit i%64 of words[i/64] is that of text[i]; at least one bit beyond is clear
}

const (
	padding = 16 // what may be read, or written over, behind the end of a text

	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// set takes s in, folded.
func (f *field) set(s string) {
	f.reset(len(s))
	marks := uint64(0) // of words[i/64], up to i
	i := 0
	for ; i < len(s); i += 8 {
		x, _ := load(s[i:])
		if x&highs != 0 {
			f.words[i/64] = marks
			f.runes(s, i)
			return
		}
		lower, word := foldASCII(x)
		binary.LittleEndian.PutUint64(f.text[i:], lower)
		marks |= word << (i % 64)
		if i%64 == 56 {
			f.words[i/64] = marks
			marks = 0
		}
	}
	f.words[i/64] = marks
	f.text = f.text[:len(s)]
}

// reset makes room for a text of n bytes that does not grow.
func (f *field) reset(n int) {
	if cap(f.text) < n+padding {
		f.text = make([]byte, n+n/2+4*padding)
	}
	f.text = f.text[:cap(f.text)]
	bits := n/64 + 2
	if cap(f.words) < bits {
		f.words = make([]uint64, bits+bits/2)
	}
	f.words = f.words[:bits]
	clear(f.words)
}

// load returns the first n ≤ 8 bytes of s, the first one lowest.
func load(s string) (x uint64, n int) {
	if len(s) >= 8 {
		return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56, 8
	}
	for i := range len(s) {
		x |= uint64(s[i]) << (8 * i)
	}
	return x, len(s)
}

// foldASCII folds eight bytes of ASCII, and has a bit of words for each.
func foldASCII(x uint64) (lower, words uint64) {
	// With 0x80 as a guard in front of it, a byte has its top bit afterwards if
	// it is not less than what was added up to 0x80.
	upper := (x + (0x80-'A')*ones) &^ (x + (0x7f-'Z')*ones) & highs
	x |= upper >> 2 // 'a' - 'A'
	word := (x+(0x80-'a')*ones)&^(x+(0x7f-'z')*ones) |
		(x+(0x80-'0')*ones)&^(x+(0x7f-'9')*ones) |
		(x+(0x80-'_')*ones)&^(x+(0x7f-'_')*ones)
	// The multiplication gathers the eight top bits in the top byte.
	return x, (word & highs >> 7) * 0x0102040810204080 >> 56
}

// mark sets the bits of up to eight bytes from text[o] on.
func (f *field) mark(o int, set uint64) {
	f.words[o/64] |= set << (o % 64)
	f.words[o/64+1] |= set >> (64 - o%64)
}

// markRun sets the bits of text[from:to], if from is not negative.
func (f *field) markRun(from, to int) {
	for ; from >= 0 && from < to; from += 64 {
		f.mark(from, 1<<min(to-from, 64)-1)
	}
}

// runes goes on where the ASCII at the beginning of s ends, at s[i] and text[i].
// Nearly all text is in NFC as it comes: the first rune that raises a doubt has
// all of it checked, and composed if need be.
func (f *field) runes(s string, i int) {
	f.grow(s, i)
	doubt := false
	o := i    // how far the text is written
	run := -1 // where the word runes before text[o] begin that are not marked yet
	for i < len(s) {
		if s[i] < utf8.RuneSelf {
			f.markRun(run, o)
			run = -1
			x, n := load(s[i:])
			if high := x & highs; high != 0 {
				n = bits.TrailingZeros64(high) / 8
				x &= 1<<(8*n) - 1
			}
			lower, word := foldASCII(x)
			binary.LittleEndian.PutUint64(f.text[o:], lower)
			f.mark(o, word)
			o += n
			i += n
			continue
		}
		r, n := decode(s[i:])
		class := classOf(r)
		if class&isLoose != 0 && !doubt {
			doubt = true
			if norm.NFC.QuickSpanString(s) < len(s) {
				s, i, o, run = norm.NFC.String(s), 0, 0, -1
				f.grow(s, 0)
				continue
			}
		}
		i += n
		if class&isWord == 0 {
			f.markRun(run, o)
			run = -1
		} else if run < 0 {
			run = o
		}
		switch {
		case class&isCased == 0:
			o += encode(f.text[o:], r)
		case r < foldTableSize && foldTable[r] != 0:
			o += encode(f.text[o:], rune(foldTable[r]))
		default:
			o = len(appendFoldedRune(f.text[:o], r))
			doubt = true
		}
	}
	f.markRun(run, o)
	f.text = f.text[:o]
	// Folding can undo NFC: H with a line below is two runes, h with one is one.
	if doubt && norm.NFC.QuickSpan(f.text) < o {
		f.takeFolded(norm.NFC.Bytes(f.text))
	}
}

// decode is utf8.DecodeRuneInString for what is not ASCII; two and three bytes,
// nearly all there is, are quicker.
func decode(s string) (r rune, size int) {
	switch c := s[0]; {
	case 0xc2 <= c && c < 0xe0 && len(s) > 1 && s[1]&0xc0 == 0x80:
		return rune(c&0x1f)<<6 | rune(s[1]&0x3f), 2
	case 0xe0 < c && c < 0xed && len(s) > 2 && s[1]&0xc0 == 0x80 && s[2]&0xc0 == 0x80:
		return rune(c&0xf)<<12 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), 3
	}
	return utf8.DecodeRuneInString(s)
}

// encode is utf8.EncodeRune, which is quicker here for the same runes.
func encode(to []byte, r rune) int {
	switch {
	case 0x80 <= r && r < 0x800:
		to[1], to[0] = 0x80|byte(r&0x3f), 0xc0|byte(r>>6)
		return 2
	case 0x800 <= r && r < 0xd800:
		to[2], to[1], to[0] = 0x80|byte(r&0x3f), 0x80|byte(r>>6&0x3f), 0xe0|byte(r>>12)
		return 3
	}
	return utf8.EncodeRune(to, r)
}

// grow makes room for the longest that s can become: folding, and a bad byte,
// make three bytes of one at most. s[:i] is ASCII and in the text already.
func (f *field) grow(s string, i int) {
	var next field
	if cap(f.text) < 3*len(s)+padding || cap(f.words) < 3*len(s)/64+2 {
		next.reset(3 * len(s))
	} else {
		next = field{f.text[:cap(f.text)], f.words[:3*len(s)/64+2]}
	}
	copy(next.text, f.text[:i])
	n := copy(next.words, f.words[:(i+63)/64])
	clear(next.words[n:])
	*f = next
}

// takeFolded takes in text that is folded and valid UTF-8.
func (f *field) takeFolded(s []byte) {
	f.reset(len(s))
	f.text = f.text[:copy(f.text, s)]
	for i := 0; i < len(s); {
		class, n := classAt(s, i)
		if class&isWord != 0 {
			f.mark(i, 1<<n-1)
		}
		i += n
	}
}
