package fanout

import (
	"sort"
	"unique"

	"aviary/fanout/filter"
)

// A group's list is complete from Group.from on. It keeps the last listKept
// matches at least and is cut back to them when it reaches listFull.
const (
	listKept = 128
	listFull = 192
)

// Group is all subscriptions with the same canonical filter: matched once, rung
// together. It lives as long as one of them does.
type Group struct {
	filter *filter.Filter
	every  bool // no content filter: the log itself is the list, the fields below but refs stay empty

	// Owned by the hub's lock.
	handle filter.Handle
	list   []uint64 // positions of matching posts and of deletes of such
	from   uint64
	total  int64 // matching posts published since the group began
	refs   int
	keys   map[unique.Handle[string]]int // members by the key they came with, of those that had one
	seats  []int32                       // members by bell
	bells  uint64                        // those with members
	dirty  uint64                        // those with this group in their due list
}

// Filter returns what the group's members have in common.
func (g *Group) Filter() *filter.Filter { return g.filter }

// key is the group's in Hub.groups.
func (g *Group) key() string {
	if g.every {
		return ""
	}
	return g.filter.String()
}

// tail returns the list from a position on; the position must not lie before
// g.from.
func (g *Group) tail(pos uint64) []uint64 {
	return g.list[sort.Search(len(g.list), func(i int) bool { return g.list[i] >= pos }):]
}

// joinMatch notes that the current event matches g. It may be called more than
// once for one event.
func (h *Hub) joinMatch(g *Group) {
	e := h.current
	if n := len(g.list); n > 0 && g.list[n-1] == e.pos {
		return
	}
	if len(g.list) == listFull {
		g.from = g.list[listFull-listKept-1] + 1
		g.list = g.list[:copy(g.list, g.list[listFull-listKept:])]
	}
	g.list = append(g.list, e.pos)
	if e.Kind == KindPost {
		g.total++
	}
	h.touched |= g.bells
	h.soil(g)
}

// join finds or makes the group of f and gives it a member.
func (h *Hub) join(f *filter.Filter, b *Bell) *Group {
	key := ""
	if !f.Empty() {
		key = f.String()
	}
	g := h.groups[key]
	if g == nil {
		g = &Group{filter: f, every: f.Empty(), from: h.log.head}
		if !g.every {
			g.handle = h.index.Add(f, g)
		}
		h.groups[key] = g
	}
	h.asks.note(g)
	h.sizes.change(g.refs, g.refs+1)
	g.refs++
	if b != nil {
		for len(g.seats) <= b.number {
			g.seats = append(g.seats, 0)
		}
		g.seats[b.number]++
		g.bells |= 1 << b.number
	}
	return g
}

// leave takes a member away; with the last one the group goes.
func (h *Hub) leave(g *Group, b *Bell) {
	if b != nil {
		if g.seats[b.number]--; g.seats[b.number] == 0 {
			g.bells &^= 1 << b.number
		}
	}
	h.asks.note(g)
	h.sizes.change(g.refs, g.refs-1)
	if g.refs--; g.refs > 0 {
		return
	}
	if g.every {
		delete(h.groups, "")
		return
	}
	h.index.Remove(g.handle)
	delete(h.groups, g.filter.String())
	g.list = nil
}
