package fanout

import (
	"cmp"
	"maps"
	"slices"
	"unique"

	"aviary/fanout/filter"
)

// Asked is one filter that clients have, and whose clients they are.
type Asked struct {
	Filter  *filter.Filter
	Clients int      // without a key
	Keys    []string // of the others: each once, however many clients it has; in no order
}

// Filters returns every filter that somebody has now, in the order of their
// canonical texts: what an upstream would have to be asked for. Clients without a
// filter are among them, as the empty one.
func (h *Hub) Filters() []Asked {
	h.mu.RLock()
	all := make([]Asked, 0, len(h.groups))
	for _, g := range h.groups {
		a := Asked{Filter: g.filter, Clients: g.refs}
		if len(g.keys) > 0 {
			a.Keys = make([]string, 0, len(g.keys))
			for key, n := range g.keys {
				a.Keys = append(a.Keys, key.Value())
				a.Clients -= n
			}
		}
		all = append(all, a)
	}
	h.mu.RUnlock()
	slices.SortFunc(all, func(a, b Asked) int { return cmp.Compare(a.Filter.String(), b.Filter.String()) })
	return all
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
