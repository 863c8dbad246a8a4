package filter

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Literal is one thing that an Alternative asks for: a word, a user, a box, an
// operator; or, negated, that it is not there.
type Literal struct {
	lit *literal
	not bool
}

func compareLiteral(a, b Literal) int {
	if c := compareLiterals(a.lit, b.lit); c != 0 || a.not == b.not {
		return c
	}
	if b.not {
		return -1
	}
	return 1
}

// String returns the literal as a rule has it, or track, with "-" if it is negated;
// users and boxes are "follow=12" and "locations=west,south,east,north".
func (l Literal) String() string {
	if l.not {
		return "-" + l.lit.name()
	}
	return l.lit.name()
}

// Negated reports whether the post must not have it.
func (l Literal) Negated() bool { return l.not }

// InRule reports whether String is an operand of X's rules, InTrack whether it is
// a term of track.
func (l Literal) InRule() bool { return l.lit.is&inRule != 0 }

// InTrack reports whether String, if it is not negated, is a term of track.
func (l Literal) InTrack() bool { return l.lit.is&inTrack != 0 && !l.not }

// StandsAlone reports whether it is enough for a rule.
func (l Literal) StandsAlone() bool { return !l.not && l.lit.is&standsAlone != 0 }

// ForReposts reports whether only reposts have it, ForPlaces whether only posts
// that say where they were written.
func (l Literal) ForReposts() bool {
	return !l.not && (l.lit.is&isRepost != 0 || strings.HasPrefix(l.lit.text, "retweets_of"))
}

// ForPlaces reports whether only posts that say where they were written have it.
func (l Literal) ForPlaces() bool {
	return !l.not && (l.lit.op == opOverlaps || l.lit.op == opInside || l.lit.op == opCircle || l.lit.text == "has:geo")
}

// IsSample reports whether it is sample:, which counts for the whole of a rule.
func (l Literal) IsSample() bool { return l.lit.op == opSample }

// Lang returns the language that it asks for, "" if that is not what it does.
func (l Literal) Lang() string {
	if l.not {
		return ""
	}
	return l.lit.lang()
}

func (l *literal) lang() string {
	if l.is&isLang == 0 {
		return ""
	}
	return strings.TrimPrefix(l.text, "lang:")
}

// Terms appends the terms by which track finds every post that has the literal:
// a word is its own, of a phrase, a hashtag, or a link it is the bare tokens.
func (l Literal) Terms(dst []string) []string {
	if l.not {
		return dst
	}
	text, within := l.lit.text, ""
	switch {
	case l.lit.is&inTrack != 0:
		dst = append(dst, text)
		if text[0] != '#' {
			return dst
		}
		within = text[1:]
	case l.lit.op == opPhrase && text[0] == '"':
		within = text[1:strings.LastIndexByte(text, '"')]
	case l.lit.op == opURL:
		within = text[len("url:"):]
	case l.lit.op == opLink:
		return appendStrings(dst, innerTokens([]byte(l.lit.detail.text)))
	}
	return appendStrings(dst, tokensOf([]byte(within)))
}

func appendStrings(dst []string, tokens [][]byte) []string {
	for _, t := range tokens {
		if visible(t) && !slices.ContainsFunc(dst, func(s string) bool { return s == string(t) }) {
			dst = append(dst, string(t))
		}
	}
	return dst
}

// User returns the id of the user by which follow finds every post that has the
// literal: that of follow, or the number behind from:, to: and retweets_of:, which
// is taken for an id and not for a name made of digits; 0 if there is none.
func (l Literal) User() uint64 {
	switch {
	case l.not:
		return 0
	case l.lit.is&inFollow != 0:
		return l.lit.num
	}
	name, value, _ := strings.Cut(l.lit.text, ":")
	if name != "from" && name != "to" && name != "retweets_of" {
		return 0
	}
	id, err := strconv.ParseUint(value, 10, 64)
	if err != nil || value != strconv.FormatUint(id, 10) {
		return 0
	}
	return id
}

// Area returns the box that locations finds every post with that has the literal,
// or the box around its circle. Inside: such a post lies wholly in it, rather than
// sharing a border with it.
func (l Literal) Area() (box Box, inside, ok bool) {
	switch l.lit.op {
	case opOverlaps, opInside, opCircle:
		return l.lit.detail.box, l.lit.op != opOverlaps, !l.not
	}
	return Box{}, false, false
}

// Within reports whether the box lies in another; borders may be shared.
func (b Box) Within(o Box) bool { return b.within(o) }

// Overlaps reports whether two boxes share a point; borders belong to them.
func (b Box) Overlaps(o Box) bool { return b.overlaps(o) }

// CompareBoxes orders boxes by west, south, east, north.
func CompareBoxes(a, b Box) int {
	return cmp.Or(cmp.Compare(a.West, b.West), cmp.Compare(a.South, b.South), cmp.Compare(a.East, b.East), cmp.Compare(a.North, b.North))
}

// innerTokens returns the bare tokens that a link must hold in order to hold s:
// those that something else bounds on both sides.
func innerTokens(s []byte) [][]byte {
	core := s[tokenEnd(s, 0):]
	for len(core) > 0 {
		c, n := classBefore(core, len(core))
		if c&isWord == 0 {
			break
		}
		core = core[:len(core)-n]
	}
	return tokensOf(bytes.Clone(core))
}
