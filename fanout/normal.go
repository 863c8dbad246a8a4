package fanout

import (
	"encoding/binary"
	"unicode/utf8"
)

// Normalize appends raw, one JSON text, to dst in the form that is safe in every
// frame and log: inside strings the code points U+0000–001F, 007F–009F, 2028 and
// 2029 become \uXXXX; a run of white space between tokens that holds a line end
// goes; what is not UTF-8 becomes U+FFFD. Nothing else changes, numbers keep
// their digits and objects their order. The result never holds CR, LF or NUL,
// whatever raw is, and Normalize of it is itself.
func Normalize(dst, raw []byte) []byte {
	if suspects(raw) == 0 {
		return append(dst, raw...)
	}
	return appendNormal(dst, raw)
}

// suspect marks the bytes that may begin something that Normalize changes. The
// lead bytes of U+0080–00BF and U+2000–2FFF are looked at more closely.
var suspect = func() (t [256]bool) {
	for b := range 0x20 {
		t[b] = true
	}
	t[0x7f], t[0xc2], t[0xe2] = true, true, true
	return
}()

// suspects counts the places that Normalize may change; 0: it changes nothing.
// Each may grow by at most growth bytes. Plain ASCII, which is most of it, goes
// by eight bytes at a time.
func suspects(raw []byte) int {
	n, i := 0, 0
	for ; i+8 <= len(raw); i += 8 {
		if !plain(binary.LittleEndian.Uint64(raw[i:])) {
			n += suspectsIn(raw, i, i+8)
		}
	}
	n += suspectsIn(raw, i, len(raw))
	if !utf8.Valid(raw) {
		for _, b := range raw {
			if b >= utf8.RuneSelf {
				n++
			}
		}
	}
	return n
}

// plain says that all eight bytes of w are ASCII from U+0020 to 007E: none has
// its top bit, is less than a space, or is DEL.
func plain(w uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	del := w ^ 0x7f*ones
	return (w|(w-' '*ones)&^w|(del-ones)&^del)&tops == 0
}

func suspectsIn(raw []byte, from, to int) (n int) {
	for i := from; i < to; i++ {
		b := raw[i]
		switch {
		case !suspect[b]:
		case b == 0xc2 && i+1 < len(raw) && raw[i+1] >= 0xa0:
		case b == 0xe2 && (i+2 >= len(raw) || raw[i+1] != 0x80 || raw[i+2]|1 != 0xa9):
		default:
			n++
		}
	}
	return n
}

// growth is what one suspect may add: a control character of one byte becomes
// an escape of six.
const growth = 5

func appendNormal(dst, raw []byte) []byte {
	inString := false
	for i := 0; i < len(raw); {
		b := raw[i]
		switch {
		case !inString && isSpace(b):
			end, line := spaceRun(raw, i)
			if !line {
				dst = append(dst, raw[i:end]...)
			}
			i = end
		case b == '"':
			inString = !inString
			dst = append(dst, b)
			i++
		case inString && b == '\\' && i+1 < len(raw) && (raw[i+1] == '"' || raw[i+1] == '\\'):
			dst = append(dst, b, raw[i+1])
			i += 2
		case b < ' ' || b == 0x7f:
			dst = appendEscape(dst, rune(b))
			i++
		case b < utf8.RuneSelf:
			dst = append(dst, b)
			i++
		default:
			r, size := utf8.DecodeRune(raw[i:])
			switch {
			case r == utf8.RuneError && size == 1:
				dst = append(dst, "\uFFFD"...)
			case r <= 0x9f || r == 0x2028 || r == 0x2029:
				dst = appendEscape(dst, r)
			default:
				dst = append(dst, raw[i:i+size]...)
			}
			i += size
		}
	}
	return dst
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// spaceRun returns the end of the white space that begins at i and whether a
// line ends in it.
func spaceRun(raw []byte, i int) (end int, line bool) {
	for ; i < len(raw) && isSpace(raw[i]); i++ {
		line = line || raw[i] == '\n' || raw[i] == '\r'
	}
	return i, line
}

func appendEscape(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
