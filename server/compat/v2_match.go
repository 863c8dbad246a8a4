package compat

import (
	"cmp"
	"slices"

	"aviary/fanout/filter"
)

// attach adds an open stream to its token's set, whose rules count from now on;
// false: there are none. The book is locked.
func (b *book) attach(o owner, t *streamV2) bool {
	set := b.of(o)
	if set == nil || len(set.rules) == 0 {
		return false
	}
	if len(set.streams) == 0 {
		for _, r := range set.rules {
			r.handle = b.index.Add(r.filter, r)
		}
	}
	set.streams[t], t.set = struct{}{}, set
	b.asks = nil
	return true
}

// detach is the end of attach. The book is locked.
func (b *book) detach(t *streamV2) {
	delete(t.set.streams, t)
	b.asks = nil
	if len(t.set.streams) > 0 {
		return
	}
	for _, r := range t.set.rules {
		b.index.Remove(r.handle)
	}
	if len(t.set.rules) == 0 {
		b.forget(t.set)
	}
}

// matches calls each with every set that has rules that match, and those rules, by
// id. The book is locked; the rules are only lent.
func (b *book) matches(p *filter.Post, each func(*ruleSet, []*rule)) {
	var sets []*ruleSet
	b.index.Match(p, func(r *rule) {
		if len(r.set.hits) == 0 {
			sets = append(sets, r.set)
		}
		r.set.hits = append(r.set.hits, r)
	})
	for _, set := range sets {
		slices.SortFunc(set.hits, func(a, b *rule) int { return cmp.Compare(a.id, b.id) })
		each(set, set.hits)
		clear(set.hits)
		set.hits = set.hits[:0]
	}
}
