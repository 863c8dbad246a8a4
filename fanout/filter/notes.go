package filter

import "fmt"

// notes collects warnings: what was understood otherwise than it may have been
// meant.
type notes struct{ said []string }

const maxNotes = 10 // a rule full of the same mistake says it often enough

func (n *notes) add(param string, pos int, format string, args ...any) {
	if n == nil || len(n.said) >= maxNotes {
		return
	}
	n.said = append(n.said, fmt.Sprintf("%s: %s (at character %d)", param, fmt.Sprintf(format, args...), pos))
}

// repostPlaces warns of an alternative that asks for reposts somewhere.
func (n *notes) repostPlaces(param string, f *form) {
	for _, c := range f.conjs {
		if f.looksFor(c, isGeo) && f.looksFor(c, isRepost) {
			n.add(param, 0, "reposts have no place: what asks for is:retweet and a place at once finds nothing")
			return
		}
	}
}
