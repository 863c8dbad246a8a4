package fanout

import (
	"maps"
	"slices"
	"sync"
	"unique"

	"aviary/fanout/filter"
)

// Asked is one filter that clients have, and whose clients they are.
type Asked struct {
	Filter  *filter.Filter
	Clients int      // without a key
	Keys    []string // of the others: each once, however many clients it has; in no order
}

// asks is what Filters knows.
type asks struct {
	mu  sync.Mutex // taken before the hub's lock
	all []Asked    // as it was returned last; never changed in place

	// Owned by the hub's lock. nil: nobody has called Filters.
	changed map[string]bool // the filters whose clients are not as in all
}

// askedSlice is how many filters are looked at under one lock.
const askedSlice = 256

// Filters returns every filter that somebody has now, in the order of their
// canonical texts: what an upstream would have to be asked for. Clients without a
// filter are among them, as the empty one. From the second call on it costs what has
// changed since the last, and a copy; the result is not to be written to.
func (h *Hub) Filters() []Asked {
	a := &h.asks
	a.mu.Lock()
	defer a.mu.Unlock()
	h.mu.Lock()
	if a.changed == nil {
		a.changed = make(map[string]bool, len(h.groups))
		for text := range h.groups {
			a.changed[text] = true
		}
	}
	changed := a.changed
	if len(changed) == 0 {
		h.mu.Unlock()
		return a.all
	}
	a.changed = map[string]bool{}
	h.mu.Unlock()
	a.all = merged(a.all, changed, h.askedOf(slices.Sorted(maps.Keys(changed))))
	return a.all
}

// askedOf is what is asked for with some filters; those that nobody has any more
// are left out.
func (h *Hub) askedOf(texts []string) []Asked {
	now := make([]Asked, 0, len(texts))
	for part := range slices.Chunk(texts, askedSlice) {
		h.mu.RLock()
		for _, text := range part {
			if g := h.groups[text]; g != nil {
				now = append(now, g.asked())
			}
		}
		h.mu.RUnlock()
	}
	return now
}

// asked is the group's entry in Filters. The hub is locked.
func (g *Group) asked() Asked {
	a := Asked{Filter: g.filter, Clients: g.refs}
	if len(g.keys) > 0 {
		a.Keys = make([]string, 0, len(g.keys))
		for key, n := range g.keys {
			a.Keys = append(a.Keys, key.Value())
			a.Clients -= n
		}
	}
	return a
}

// merged returns all with now in the place of what has changed. Both are in the
// order of the texts.
func merged(all []Asked, changed map[string]bool, now []Asked) []Asked {
	out := make([]Asked, 0, len(all)+len(now))
	for _, old := range all {
		text := old.Filter.String()
		if changed[text] {
			continue
		}
		for len(now) > 0 && now[0].Filter.String() < text {
			out, now = append(out, now[0]), now[1:]
		}
		out = append(out, old)
	}
	return slices.Clip(append(out, now...))
}

// note has Filters look at a group again. The hub is locked.
func (a *asks) note(g *Group) {
	if a.changed == nil {
		return
	}
	a.changed[g.key()] = true
}

// keyOf is a key as subscriptions hold it; "" is none.
func keyOf(key string) (k unique.Handle[string]) {
	if key != "" {
		k = unique.Make(key)
	}
	return k
}

// countKey counts one member more or less for a key.
func (g *Group) countKey(k unique.Handle[string], by int) {
	if k == (unique.Handle[string]{}) {
		return
	}
	if g.keys == nil {
		g.keys = map[unique.Handle[string]]int{}
	}
	if g.keys[k] += by; g.keys[k] == 0 {
		delete(g.keys, k)
	}
}

// TellGap tells the clients of some filters, by their canonical texts, of posts
// that did not come for them: l with Missed -1. Nobody else sees the event, nor
// does a client of another filter when it comes back.
func (h *Hub) TellGap(filters map[string]bool, l Loss) {
	e := &Event{Kind: KindGap, Loss: &l, only: maps.Clone(filters)}
	delete(e.only, "") // whoever asks for everything has missed nothing that came
	if len(e.only) > 0 {
		h.Publish(e)
	}
}
