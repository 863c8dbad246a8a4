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
		case r == '\ufe0f' || class == 0 && unicode.Is(unicode.So, r):
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
