package demand

import (
	"slices"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// A Teller knows of which filters all posts come, as far as they can be asked for,
// and says when that changes, so that their clients can be told. It is not for
// concurrent use.
type Teller struct {
	known map[string]*told // by the filters' texts
}

// told is what a filter's clients were told last.
type told struct {
	by    *cover    // what was in force then
	since time.Time // when their posts stopped to come, or were first asked for; zero: they come
}

// tellBytes is how much text of filters one Compare reads, a tenth of a second's
// work: after a change those of many thousand clients are read.
const tellBytes = 1 << 20

// Found is a filter whose posts all come from now on.
type Found struct {
	Filter string    // its canonical text
	Since  time.Time // when they did not come any more, or when the filter was first seen
}

// Compare holds the filters that clients have against what is in force upstream.
// Lost are those, by canonical text, whose posts came and no longer do. A filter
// that is new is neither: its clients were told in their hello. What is too much for
// one call is left for the next, the largest filters last.
func (t *Teller) Compare(now time.Time, f *Force, asked []fanout.Asked) (lost []string, found []Found) {
	known := make(map[string]*told, len(asked))
	left := tellBytes
	for a := range shortestFirst(asked) {
		text := a.Filter.String()
		k, old := t.known[text]
		if old {
			known[text] = k
		}
		if old && k.by == f.terms || left <= 0 {
			continue
		}
		left -= len(text)
		if !old {
			k = &told{}
			known[text] = k
		}
		k.by = f.terms
		switch served := f.serves(a.Filter); {
		case served && !k.since.IsZero():
			found = append(found, Found{text, k.since})
			k.since = time.Time{}
		case !served && k.since.IsZero():
			k.since = now
			if old {
				lost = append(lost, text)
			}
		}
	}
	t.known = known
	return lost, found
}

// serves reports whether all posts of a filter come, as far as they can be asked for.
func (f *Force) serves(client *filter.Filter) bool {
	return !slices.ContainsFunc(f.config.read(client).needs, func(n *need) bool { return !f.terms.covers(n) })
}
