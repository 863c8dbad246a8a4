package jsontext

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// quoted takes a string and returns what is between its quotes, and whether it
// holds escapes. Eight bytes are looked at at once: strings are nine tenths of
// a post.
func (r *Reader) quoted() (raw []byte, escaped bool) {
	b, i := r.b, r.i+1
	at := i
	for {
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			quote, slash := x^(ones*'"'), x^(ones*'\\')
			special := ((quote-ones)&^quote | (slash-ones)&^slash | (x-ones*0x20)&^x) & highs
			if special != 0 {
				i += bits.TrailingZeros64(special) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			r.bad()
			return nil, false
		}
		switch c := b[i]; {
		case c == '"':
			r.i = i + 1
			return b[at:i], escaped
		case c == '\\':
			n := escapeLen(b[i:])
			if n == 0 {
				r.bad()
				return nil, false
			}
			escaped = true
			i += n
		case c < 0x20:
			r.bad()
			return nil, false
		default:
			i++
		}
	}
}

// escapeLen returns the length of the escape that b begins with; 0: it is none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b[2:]); ok {
			return 6
		}
	}
	return 0
}

// hex4 reads the four digits of a \u escape.
func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var n rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		n = n<<4 | rune(c)
	}
	return n, true
}

// unescape undoes the escapes of a checked string, into scratch. Half a
// surrogate pair becomes U+FFFD, as in encoding/json.
func (r *Reader) unescape(raw []byte) []byte {
	at := len(r.scratch)
	s := r.scratch
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			n := bytes.IndexByte(raw[i:], '\\')
			if n < 0 {
				n = len(raw) - i
			}
			s = append(s, raw[i:i+n]...)
			i += n
			continue
		}
		switch c := raw[i+1]; c {
		case 'b':
			s = append(s, '\b')
		case 'f':
			s = append(s, '\f')
		case 'n':
			s = append(s, '\n')
		case 'r':
			s = append(s, '\r')
		case 't':
			s = append(s, '\t')
		case 'u':
			u, _ := hex4(raw[i+2:])
			i += 6
			if utf16.IsSurrogate(u) {
				pair := rune(utf8.RuneError)
				if i+6 <= len(raw) && raw[i] == '\\' && raw[i+1] == 'u' {
					low, _ := hex4(raw[i+2:])
					pair = utf16.DecodeRune(u, low)
				}
				if u = pair; u != utf8.RuneError {
					i += 6
				}
			}
			s = utf8.AppendRune(s, u)
			continue
		default: // " \ /
			s = append(s, c)
		}
		i += 2
	}
	r.scratch = s
	return s[at:len(s):len(s)]
}

// View returns a string over b, without a copy: b must not change while the
// string is used.
func View(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
