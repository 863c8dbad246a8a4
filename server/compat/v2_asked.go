package compat

import (
	"slices"
	"strings"

	"aviary/fanout"
)

// asked returns the rules of the open streams: those with a key by whose they are.
func (b *book) asked(keyed bool) []fanout.Asked {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asks != nil {
		return b.asks
	}
	at := map[string]int{}
	b.asks = []fanout.Asked{}
	for _, set := range b.sets {
		var keys []string
		clients := len(set.streams)
		for t := range set.streams {
			if key := t.seat.client.Key; keyed && key != "" {
				keys, clients = append(keys, key), clients-1
			}
		}
		if len(set.streams) == 0 {
			continue
		}
		for _, r := range set.rules {
			text := r.filter.String()
			i, known := at[text]
			if !known {
				i = len(b.asks)
				at[text], b.asks = i, append(b.asks, fanout.Asked{Filter: r.filter})
			}
			b.asks[i].Clients += clients
			b.asks[i].Keys = append(b.asks[i].Keys, keys...)
		}
	}
	for i := range b.asks {
		slices.Sort(b.asks[i].Keys)
		b.asks[i].Keys = slices.Compact(b.asks[i].Keys)
	}
	slices.SortFunc(b.asks, func(a, b fanout.Asked) int { return strings.Compare(a.Filter.String(), b.Filter.String()) })
	return b.asks
}
