package filter

import (
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

func fold(s string) string { return string(appendFolded(nil, []byte(s))) }

// beyondCase is where scripts with upper and lower case, marks and pictures end.
const beyondCase = 0x20000

// Two runes are the same here exactly where they are for Unicode: the form may
// differ, what it tells apart may not.
func TestFoldAsUnicodeDoes(t *testing.T) {
	own := map[rune]bool{'İ': true, '＃': true, '＠': true, '＄': true} // see appendFolded
	folder := cases.Fold()
	ours, theirs := map[string]string{}, map[string]string{}
	for r := rune(0); r < beyondCase; r++ {
		if unicode.Is(unicode.Cherokee, r) { // package cases swaps its two cases
			if next := unicode.SimpleFold(r); fold(string(r)) != fold(string(next)) {
				t.Errorf("%U and %U are the same but for case", r, next)
			}
			continue
		}
		if !utf8.ValidRune(r) || own[r] {
			continue
		}
		a := fold(string(r))
		b := folder.String(norm.NFC.String(string(r)))
		if was, ok := ours[a]; ok && was != b {
			t.Errorf("%U folds to %+q, like something that is not the same for Unicode", r, a)
		}
		if was, ok := theirs[b]; ok && was != a {
			t.Errorf("%U folds to %+q, unlike what is the same for Unicode: %+q", r, a, was)
		}
		ours[a], theirs[b] = b, a
		if again := fold(a); again != a {
			t.Errorf("%U folds to %+q, that to %+q", r, a, again)
		}
	}
}

// The short cut past normalisation must never be taken where it matters.
func TestLooseCoversNFC(t *testing.T) {
	for r := rune(utf8.RuneSelf); r < 2*beyondCase; r++ {
		if !utf8.ValidRune(r) || classOf(r)&isLoose != 0 {
			continue
		}
		p := norm.NFC.PropertiesString(string(r))
		if p.CCC() != 0 || !norm.NFC.IsNormalString(string(r)) || !p.BoundaryBefore() {
			t.Errorf("%U can change beside others, but does not count as loose", r)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "ABC xyz_09": "abc xyz_09", "e\u0301E\u0301": "éé", "ÀB": "àb",
		"ΣΊΣΥΦΟΣ": "σίσυφοσ", "σίσυφος": "σίσυφοσ", "ẞß": "ssss", "ﬁre": "fire",
		"İı": "iı", "\u212a": "k", "＃ＡＢ": "#ａｂ", "한": "한", "\u1112\u1161\u11ab": "한", "\xff": "\ufffd",
		"𐐀": "𐐨", "H\u0331": "ẖ", "ΐ": "ΐ", "ŉ\u0323": "ʼṇ", "🔭❤️": "🔭❤️",
	} {
		if got := fold(in); got != want {
			t.Errorf("%+q folds to %+q, want %+q", in, got, want)
		}
	}
	if got := string(appendFolded([]byte("kept e"), []byte("\u0301É"))); got != "kept e\u0301é" {
		t.Errorf("what was in the buffer changed: %+q", got)
	}
}

func TestClasses(t *testing.T) {
	for r, want := range map[rune]uint8{
		'a': isWord, '9': isWord, '_': isWord, 'é': isWord, '東': isWord, '한': isWord, '٣': isWord, '\u0301': isWord,
		' ': isSpace, '\n': isSpace, '\u00a0': isSpace, '\u3000': isSpace,
		'.': isEdge, '#': isEdge, '、': isEdge, '…': isEdge, '\u2066': isEdge, '‿': isEdge,
		'+': 0, '$': 0, '<': 0, '🔭': 0, '½': 0, '\u200d': 0, '𐐀': isWord, '𐄀': isEdge,
	} {
		if got := classOf(r) & (isWord | isSpace | isEdge); got != want {
			t.Errorf("class of %q is %03b, want %03b", r, got, want)
		}
	}
	for r := rune(0); r < beyondCase; r++ {
		word := r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
		word = word && r != 0xfe0e && r != 0xfe0f
		if got := classOf(r)&isWord != 0; got != word {
			t.Errorf("%U: word rune is %v, want %v", r, got, word)
		}
		if got := classOf(r)&isSpace != 0; got != unicode.IsSpace(r) {
			t.Errorf("%U: space is %v", r, got)
		}
	}
}
