package demand

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"aviary/fanout/filter"
)

// kind is what takes up room of its own upstream.
type kind uint8

const (
	phrase kind = iota // of track
	user               // of follow
	box                // of locations
	rule               // of X
	kinds
)

// String names the kind to people, in the plural.
func (k kind) String() string { return [...]string{"phrases", "user ids", "boxes", "rules"}[k] }

// A term is one thing that an upstream can be asked for. It brings every post
// that has all of its words, or of a box that lies in the box.
type term struct {
	kind  kind
	text  string   // what is asked for; with kind it is the term's name
	words []string // sorted, distinct; of a box none
	id    uint64
	box   filter.Box
}

// name tells terms apart: texts of different kinds may be the same.
func (t *term) name() string { return string('0'+rune(t.kind)) + t.text }

func userTerm(id uint64) *term {
	text := strconv.FormatUint(id, 10)
	return &term{kind: user, text: text, words: []string{userWord(text)}, id: id}
}

// userWord is how a user stands among the words of a need, where no word of a
// text can be the same.
func userWord(id string) string { return "follow=" + id }

// boxTerm is a box that v1.1 takes: one that is too narrow is widened.
func boxTerm(b filter.Box) *term {
	b.West, b.East = widened(b.West, b.East, 180)
	b.South, b.North = widened(b.South, b.North, 90)
	return &term{kind: box, text: b.String(), box: b}
}

func widened(low, high, most float64) (float64, float64) {
	if high-low >= MinSide {
		return low, high
	}
	low = math.Max(-most, math.Floor((low+high-MinSide)/2*1000)/1000)
	high = math.Max(high, math.Round((low+MinSide+0.002)*1000)/1000) // or it is written with sixteen digits
	if high > most {
		low, high = most-MinSide-0.002, most
	}
	return low, high
}

// phraseTerm is the phrase of as many of the words as fit, the longest first,
// which are the rarest as a rule; nil if none does.
func phraseTerm(words []string) *term {
	byLength := slices.Clone(words)
	slices.SortStableFunc(byLength, func(a, b string) int { return len(b) - len(a) })
	var some []string
	room := MaxPhrase + 1
	for _, w := range byLength {
		if len(w)+1 <= room {
			some = append(some, w)
			room -= len(w) + 1
		}
	}
	if len(some) == 0 {
		return nil
	}
	slices.Sort(some)
	return &term{kind: phrase, text: strings.Join(some, " "), words: some}
}

// covers reports whether the term brings all posts that another one brings.
func (t *term) covers(o *term) bool {
	if t.kind == box || o.kind == box {
		return t.kind == o.kind && o.box.Within(t.box)
	}
	return subset(t.words, o.words)
}

// subset reports whether sorted words are all among other sorted words.
func subset(some, all []string) bool {
	for _, w := range some {
		i, found := slices.BinarySearch(all, w)
		if !found {
			return false
		}
		all = all[i:]
	}
	return true
}
