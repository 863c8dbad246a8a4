package filter

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
)

// appendFolded appends s in the form in which posts and terms are compared: NFC
// and Unicode case folding; what is in that form already stays as it is. Accents
// stay: "touché" is not "touche". Folding is full ("Straße" is "STRASSE", "ΟΔΟΣ"
// is "οδος") and the same for every language; of the two Turkish letters İ
// counts as "i", since that is what its users search for, and ı stays itself as
// Unicode has it. Bytes that are not UTF-8 become U+FFFD.
func appendFolded(dst, s []byte) []byte {
	var f field
	f.set(string(s))
	return append(dst, f.text...)
}

func appendFoldedRune(dst []byte, r rune) []byte {
	switch {
	case r == 'ß' || r == 'ẞ':
		return append(dst, "ss"...)
	case r == '＃' || r == '＠' || r == '＄':
		return append(dst, byte(r-'＃'+'#')) // full width forms lie as far apart as in ASCII
	case unicode.Is(foldsLong, r):
		return append(dst, cases.Fold().String(string(r))...)
	}
	return utf8.AppendRune(dst, foldOne(r))
}

// foldOne folds a rune that folds to one rune. Going by the upper case brings
// together what shares one: σ and ς, s and ſ.
func foldOne(r rune) rune {
	if r == 'ı' {
		return r
	}
	return unicode.ToLower(unicode.ToUpper(r))
}

// foldsLong holds the runes that fold to several (Unicode CaseFolding.txt,
// status F): ß, ligatures, Greek letters with a written-under iota.
var foldsLong = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0x00df, Hi: 0x00df, Stride: 1}, {Lo: 0x0149, Hi: 0x0149, Stride: 1},
	{Lo: 0x01f0, Hi: 0x01f0, Stride: 1}, {Lo: 0x0390, Hi: 0x0390, Stride: 1},
	{Lo: 0x03b0, Hi: 0x03b0, Stride: 1}, {Lo: 0x0587, Hi: 0x0587, Stride: 1},
	{Lo: 0x1e96, Hi: 0x1e9a, Stride: 1}, {Lo: 0x1e9e, Hi: 0x1e9e, Stride: 1},
	{Lo: 0x1f50, Hi: 0x1f56, Stride: 2}, {Lo: 0x1f80, Hi: 0x1faf, Stride: 1},
	{Lo: 0x1fb2, Hi: 0x1fb4, Stride: 1}, {Lo: 0x1fb6, Hi: 0x1fb7, Stride: 1},
	{Lo: 0x1fbc, Hi: 0x1fbc, Stride: 1}, {Lo: 0x1fc2, Hi: 0x1fc4, Stride: 1},
	{Lo: 0x1fc6, Hi: 0x1fc7, Stride: 1}, {Lo: 0x1fcc, Hi: 0x1fcc, Stride: 1},
	{Lo: 0x1fd2, Hi: 0x1fd3, Stride: 1}, {Lo: 0x1fd6, Hi: 0x1fd7, Stride: 1},
	{Lo: 0x1fe2, Hi: 0x1fe4, Stride: 1}, {Lo: 0x1fe6, Hi: 0x1fe7, Stride: 1},
	{Lo: 0x1ff2, Hi: 0x1ff4, Stride: 1}, {Lo: 0x1ff6, Hi: 0x1ff7, Stride: 1},
	{Lo: 0x1ffc, Hi: 0x1ffc, Stride: 1}, {Lo: 0xfb00, Hi: 0xfb06, Stride: 1},
	{Lo: 0xfb13, Hi: 0xfb17, Stride: 1},
}, LatinOffset: 1}

// foldTable folds the scripts with upper and lower case that are read most
// (Latin, Greek, Cyrillic, Vietnamese); zero where more than one rune results.
const foldTableSize = 0x2000

var foldTable = makeFoldTable()

func makeFoldTable() *[foldTableSize]uint16 {
	t := new([foldTableSize]uint16)
	for r := range rune(foldTableSize) {
		t[r] = uint16(r)
		if classes[r]&isCased != 0 {
			t[r] = uint16(foldOne(r))
		}
		if unicode.Is(foldsLong, r) {
			t[r] = 0
		}
	}
	return t
}
