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
// Each may grow by at most growth bytes. Nearly all of nearly every text is
// plain ASCII, which is passed over eight bytes at a time.
func suspects(raw []byte) int {
	n, ascii := 0, true
	for i := 0; i < len(raw); {
		if len(raw)-i >= 8 && plain(binary.LittleEndian.Uint64(raw[i:])) {
			i += 8
			continue
		}
		for end := min(i+8, len(raw)); i < end; i++ {
			ascii = ascii && raw[i] < utf8.RuneSelf
			if suspect[raw[i]] && !harmless(raw[i:]) {
				n++
			}
		}
	}
	if ascii || utf8.Valid(raw) {
		return n
	}
	for _, b := range raw {
		if b >= utf8.RuneSelf {
			n++
		}
	}
	return n
}

// plain reports whether each of eight bytes is ASCII and no suspect: the usual
// arithmetic for "a byte less than n" and "a byte equal to n", exact while the
// top bits are clear.
func plain(w uint64) bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	control := w - ones*' '
	del := w ^ ones*0x7f
	return (w|control|(del-ones))&tops == 0
}

// harmless looks at what follows a suspect: most of U+0080–00BF and of
// U+2000–2FFF is left as it is.
func harmless(rest []byte) bool {
	switch rest[0] {
	case 0xc2:
		return len(rest) > 1 && rest[1] >= 0xa0
	case 0xe2:
		return len(rest) < 3 || rest[1] != 0x80 || rest[2]|1 != 0xa9
	}
	return false
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
