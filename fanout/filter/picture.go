package filter

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// pictures reports whether folded text holds emoji or the like, and whether it
// holds nothing else that would be divided from them.
func pictures(s []byte) (some, only bool) {
	letters, digits, keycap := false, false, false
	for i := 0; i < len(s); {
		class, n := classAt(s, i)
		r, _ := utf8.DecodeRune(s[i:])
		switch {
		case r == '\u20e3':
			some, keycap = true, true
		case r == '\ufe0f' || class&isPicture != 0:
			some = true
		case class&isWord != 0 && unicode.Is(unicode.Nd, r):
			digits = true
		case class&isWord != 0 || class&(isSpace|isEdge) != 0:
			letters = true
		}
		i += n
	}
	return some, !letters && (!digits || keycap)
}

// emojiLen returns the length of the emoji that s begins with: a flag of two
// letters, or a picture with what colours it, and all that joiners tie to it.
func emojiLen(s []byte) int {
	first, end := utf8.DecodeRune(s)
	if r, n := utf8.DecodeRune(s[end:]); isFlag(first) && isFlag(r) {
		end += n
	}
	for end < len(s) {
		r, n := utf8.DecodeRune(s[end:])
		switch {
		case '\ufe0e' <= r && r <= '\ufe0f', '\U0001f3fb' <= r && r <= '\U0001f3ff', '\U000e0020' <= r && r <= '\U000e007f':
		case r == '\u200d' && end+n < len(s):
			class, next := classAt(s, end+n)
			if class&isPicture == 0 {
				return end
			}
			n += next
		default:
			return end
		}
		end += n
	}
	return end
}

// isFlag reports whether r is one of the letters that flags are spelt with.
func isFlag(r rune) bool { return '\U0001f1e6' <= r && r <= '\U0001f1ff' }

func allPictures(s []byte) bool {
	some, only := pictures(s)
	return some && only
}

// apartText writes emoji and words with a space between.
func apartText(s []byte) string {
	var out []string
	for i := 0; i < len(s); {
		end := tokenEnd(s, i)
		if end > i {
			out = append(out, string(s[i:end]))
			i = end
			continue
		}
		for end < len(s) {
			class, n := classAt(s, end)
			if class&(isWord|isSpace|isEdge) != 0 {
				break
			}
			end += n
		}
		if end == i {
			_, n := classAt(s, i)
			i += n
			continue
		}
		if allPictures(s[i:end]) {
			out = append(out, string(s[i:end]))
		}
		i = end
	}
	return strings.Join(out, " ")
}
