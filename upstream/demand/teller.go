package demand

import (
	"slices"
	"time"

	"aviary/fanout"
)

// A Teller knows of which filters all posts come, as far as they can be asked for,
// and says when that changes, so that their clients can be told. It is not for
// concurrent use.
type Teller struct {
	known map[string]*told // by the filters' texts
}

// told is what a filter's clients were told last.
type told struct {
	needs  []*need
	config *Config   // that the needs are of
	since  time.Time // when their posts stopped to come, or were first asked for; zero: they come
}

// Found is a filter whose posts all come from now on.
type Found struct {
	Filter string    // its canonical text
	Since  time.Time // when they did not come any more, or when the filter was first seen
}

// Compare holds the filters that clients have against what is in force upstream.
// Lost are those, by canonical text, whose posts came and no longer do. A filter
// that is new is neither: its clients were told in their hello.
func (t *Teller) Compare(now time.Time, f *Force, asked []fanout.Asked) (lost []string, found []Found) {
	known := make(map[string]*told, len(asked))
	for i := range asked {
		text := asked[i].Filter.String()
		k, old := t.known[text]
		if !old {
			k = &told{}
		}
		known[text] = k
		if k.config != f.config {
			k.needs, k.config = f.config.read(asked[i].Filter).needs, f.config
		}
		switch served := !slices.ContainsFunc(k.needs, func(n *need) bool { return !f.terms.covers(n) }); {
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
