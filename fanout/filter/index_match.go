package filter

import "slices"

// match returns the entries of the filters that let the post through, each once,
// in no order. The slice is used again by the next call.
func (x *core) match(p *Post) []uint32 {
	x.hits, x.hot = x.hits[:0], x.hot[:0]
	x.matchAlways(p)
	if p != nil {
		count := x.sketch.next()
		if count {
			x.sketch.age()
			x.sketch.add(p.Features)
		}
		x.places = x.places[:0]
		x.look(p.Features)
		if p.HasGeo && (count || x.boxes > 0) {
			x.cells = appendPlaceKeys(x.cells[:0], p.Geo)
			if count {
				x.sketch.add(x.cells)
			}
			x.look(x.cells)
		}
		x.tryAll(p)
		x.cool()
	}
	for _, id := range x.hits {
		x.found[id/64] = 0
	}
	return x.hits
}

// met is a feature of a post for which somebody waits: one, or a list of them.
type met struct {
	feature uint64
	watch   watch
	list    *list
}

// watches returns how many wait there.
func (m *met) watches() uint32 {
	if m.list == nil {
		return 1
	}
	return m.list.n
}

// trial is a filter that nothing speaks against so far.
type trial struct {
	id     uint32
	number uint32 // of its ref
	met    uint32 // in places
	entry  *entry
	ref    *ref
	node   *node
}

// maxTrials are held together: enough to wait for all their memory at once.
const maxTrials = 64

// look finds out which features are waited for. Memory is slow, but can be waited
// for at many places at once: so nothing else is done between, and what will be
// needed of each is asked for before the first is dealt with.
func (x *core) look(features []uint64) {
	dir, shift := x.table.dir, x.table.shift
	some := slices.Grow(x.some[:0], len(features))[:len(features)]
	x.some = some
	n := uint64(0)
	for _, f := range features {
		some[n] = f // unless the next one takes its place
		n += dir[f>>shift].mayHave(f)
	}
	for _, f := range some[:n] {
		at := &dir[f>>shift]
		if i := at.find(f); i >= 0 {
			m := met{feature: f, watch: at.page.slots[i].watch}
			if m.watch.isList() {
				m.list = x.table.lists.at(m.watch.filter)
			}
			x.places = append(x.places, m)
		}
	}
}

// tryAll has those who wait look at the post. Most see at a glance that it is, or
// that it is not, what they wait for; the others get a trial.
func (x *core) tryAll(p *Post) {
	if len(x.places) == 0 {
		return
	}
	x.marks.set(p.Features)
	for i := range x.places {
		if l := x.places[i].list; l != nil && len(l.first) > 0 {
			x.ahead += l.first[0].filter
		}
	}
	for i := range x.places {
		m := &x.places[i]
		if m.list == nil {
			x.suspect(m.feature, 1, x.glance(p, &m.watch, i))
			continue
		}
		vain := uint32(0)
		for n := 0; ; n++ {
			block := m.list.block(n)
			if len(block) == 0 {
				break
			}
			for k := range block {
				vain += x.glance(p, &block[k], i)
			}
		}
		x.suspect(m.feature, m.list.n, vain)
	}
	x.judge(p)
}

// glance returns 1 if it is not what the filter waits for.
func (x *core) glance(p *Post, w *watch, met int) (vain uint32) {
	switch {
	case w.ref&watchSure != 0:
		x.hit(w.filter)
	case x.marks.has(w.also) == 0:
		return 1
	default:
		x.trials = append(x.trials, trial{id: w.filter, number: w.ref, met: uint32(met), entry: x.entries.at(w.filter)})
		if len(x.trials) == maxTrials {
			x.judge(p)
		}
	}
	return 0
}

func (x *core) hit(id uint32) {
	if bits, bit := &x.found[id/64], uint64(1)<<(id%64); *bits&bit == 0 {
		*bits |= bit
		x.hits = append(x.hits, id)
	}
}

// judge holds the trials. What they need of memory lies in steps behind one another,
// so each step is taken for all of them before the next.
func (x *core) judge(p *Post) {
	for i := range x.trials {
		t := &x.trials[i]
		t.ref = &t.entry.refs[t.number]
	}
	for i := range x.trials {
		t := &x.trials[i]
		t.node = &t.entry.filter.nodes[t.ref.at]
	}
	for i := range x.trials {
		x.ahead += x.trials[i].node.end
	}
	for i := range x.trials {
		t := &x.trials[i]
		switch {
		case x.found[t.id/64]>>(t.id%64)&1 != 0:
		case t.entry.holds(t.ref, p):
			x.hit(t.id)
		default:
			m := &x.places[t.met]
			x.suspect(m.feature, m.watches(), 1)
		}
	}
	clear(x.trials)
	x.trials = x.trials[:0]
}

// matchAlways holds the post, which may be nil, against those who wait nowhere.
func (x *core) matchAlways(p *Post) {
	for n := 0; ; n++ {
		block := x.always.block(n)
		if len(block) == 0 {
			return
		}
		for i := range block {
			w := &block[i]
			if w.ref&watchSure != 0 || p != nil && x.entries.at(w.filter).filter.eval(0, p) {
				x.hits = append(x.hits, w.filter)
			}
		}
	}
}
