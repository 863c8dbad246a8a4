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
	turn  uint64           // of Compare

	// Of the last call.
	force  *Force
	called time.Time

	// Of the last call that had time for everything.
	asked []fanout.Asked
	by    *cover
}

// told is what a filter's clients were told last.
type told struct {
	by    *cover    // what was in force then
	since time.Time // when their posts stopped to come, or were first asked for; zero: they come
	turn  uint64    // when the filter was last there
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
// that is new is neither, as its clients were told in their hello; but if its posts come
// only since the last call, that hello may have been before. What is too much for
// one call is left for the next, the largest filters last. The Teller keeps asked,
// which is not to be written to: the same one again costs nothing.
func (t *Teller) Compare(now time.Time, f *Force, asked []fanout.Asked) (lost []string, found []Found) {
	before, since := t.force, t.called
	t.force, t.called = f, now
	if t.by == f.terms && sameList(t.asked, asked) {
		return nil, nil
	}
	if t.known == nil {
		t.known = map[string]*told{}
	}
	t.turn++
	left := tellBytes
	for i := range shortestFirst(asked) {
		text := asked[i].Filter.String()
		k := t.known[text]
		if k != nil {
			k.turn = t.turn
		}
		if k != nil && k.by == f.terms || left <= 0 {
			continue
		}
		left -= len(text)
		old := k != nil
		if !old {
			k = &told{turn: t.turn}
			t.known[text] = k
			if before != nil && before.terms != f.terms && !before.serves(asked[i].Filter) {
				k.since = since
			}
		}
		k.by = f.terms
		switch served := f.serves(asked[i].Filter); {
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
	if t.asked, t.by = nil, nil; left > 0 {
		t.asked, t.by = asked, f.terms
	}
	t.forget()
	return lost, found
}

// forget lets go of filters that nobody has any more.
func (t *Teller) forget() {
	for text, k := range t.known {
		if k.turn != t.turn {
			delete(t.known, text)
		}
	}
}

// serves reports whether all posts of a filter come, as far as they can be asked for.
func (f *Force) serves(client *filter.Filter) bool {
	r := f.config.read(client)
	return !(r.broad && f.narrowed()) && !slices.ContainsFunc(r.needs, func(n *need) bool { return !f.terms.covers(n) })
}
