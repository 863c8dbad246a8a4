package fanout

import (
	"sort"
	"time"

	"aviary/fanout/filter"
)

// maxTombstones bounds the tombstones whatever their age.
const maxTombstones = 1_000_000

// tombstones are the events that outlive the log: what took posts away, for
// clients that come back and against late duplicates, and the gaps, for clients
// that the log overtakes. Owned by the hub's lock.
type tombstones struct {
	list []*Event              // by position
	dead map[filter.Key]*Event // the delete that keeps a post out
}

// add takes a duty or a gap. A delete keeps its target out, and with it the
// reposts and quotes it took away: they carry the same words.
func (t *tombstones) add(e *Event) {
	t.list = append(t.list, e)
	if e.Kind != KindDelete {
		return
	}
	if e.Target.ID != "" {
		t.dead[e.Target.key()] = e
	}
	for _, p := range e.dead {
		if _, ok := t.dead[p.Key]; !ok && p.Key.ID != "" {
			t.dead[p.Key] = e
		}
	}
}

// trim forgets what is older than age, and the oldest beyond the bound.
func (t *tombstones) trim(now time.Time, age time.Duration) {
	for len(t.list) > 0 && (len(t.list) > maxTombstones || now.Sub(t.list[0].Received) > age) {
		old := t.list[0]
		t.list[0] = nil
		t.list = t.list[1:]
		if t.dead[old.Target.key()] == old {
			delete(t.dead, old.Target.key())
		}
		for _, p := range old.dead {
			if t.dead[p.Key] == old {
				delete(t.dead, p.Key)
			}
		}
	}
}

// keeps says that a post must not come back: it was deleted or taken away, or it
// carries the words of a deleted one, as a late repost or quote does.
func (t *tombstones) keeps(p *filter.Post) bool {
	if t.dead[p.Key] != nil {
		return true
	}
	for _, id := range p.Refs {
		key := filter.Key{Source: p.Key.Source, ID: id}
		if e := t.dead[key]; e != nil && e.Target.key() == key {
			return true
		}
	}
	return false
}

// repeated says that the same post was deleted before.
func (t *tombstones) repeated(e *Event) bool {
	if e.Kind != KindDelete || e.Target.ID == "" {
		return false
	}
	old := t.dead[e.Target.key()]
	return old != nil && old.Target.key() == e.Target.key()
}

// from returns the tombstones at a position or later.
func (t *tombstones) from(pos uint64) []*Event {
	return t.list[sort.Search(len(t.list), func(i int) bool { return t.list[i].pos >= pos }):]
}

// after returns the tombstones behind a sequence.
func (t *tombstones) after(seq uint64) []*Event {
	return t.list[sort.Search(len(t.list), func(i int) bool {
		return t.list[i].behind(seq)
	}):]
}

// since returns the tombstones received at t or later.
func (t *tombstones) since(at time.Time) []*Event {
	return t.list[sort.Search(len(t.list), func(i int) bool { return !t.list[i].Received.Before(at) }):]
}

func (t Target) key() filter.Key { return filter.Key{Source: t.Source, ID: t.ID} }
