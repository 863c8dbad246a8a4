package compat

import (
	"slices"
)

// room makes room for a rule by forgetting the rules of tokens that have not been
// used for longest and have no open stream; false: there are none.
func (b *book) room(set *ruleSet, r *rule) bool {
	fits := func() bool {
		return b.count < maxAllRules && b.bytes+r.size() <= maxAllBytes && (set.place != nil || len(b.sets) < maxTokens)
	}
	for e := b.order.Back(); e != nil && !fits(); {
		old := e.Value.(*ruleSet)
		e = e.Prev()
		if old != set && len(old.streams) == 0 {
			b.drop(old, old.rules)
		}
	}
	return fits()
}

// drop takes rules out of a set; the last one takes the set out of the book. The
// book is locked.
func (b *book) drop(set *ruleSet, rules []*rule) {
	gone := make(map[*rule]bool, len(rules))
	for _, r := range rules {
		gone[r] = true
		delete(set.byValue, r.value)
		b.count, b.bytes = b.count-1, b.bytes-r.size()
		if len(set.streams) > 0 {
			b.index.Remove(r.handle)
			b.asks = nil
		}
	}
	set.rules = slices.DeleteFunc(slices.Clone(set.rules), func(r *rule) bool { return gone[r] })
	if len(set.rules) == 0 && len(set.streams) == 0 {
		b.forget(set)
	}
}

func (b *book) forget(set *ruleSet) {
	if set.place != nil {
		b.order.Remove(set.place)
		delete(b.sets, set.owner)
		set.place = nil
	}
}
