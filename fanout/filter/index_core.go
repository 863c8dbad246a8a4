package filter

import "unsafe"

// core is an index of filters by number. Everything in it needs it for itself.
type core struct {
	table   table
	always  list // what can be waited for nowhere
	entries chunks[entry]
	free    uint32 // first free entry, plus one
	added   uint32 // filters ever added
	live    int
	boxes   int // watches for places
	bytes   int64

	sketch sketch
	plan   planner

	// For the duration of one match.
	hits   []uint32 // entries
	found  []uint64 // bits by entry: those in hits
	marks  marks    // of the post
	cells  []uint64 // features of the post's place
	some   []uint64 // features for which somebody may wait
	places []met
	trials []trial
	ahead  uint32 // of what is read ahead of its use: the sum says nothing, but is not optimised away

	// See index_adapt.go.
	debt     int // looked at in vain since the last suspect
	limit    int // of debt
	patience int // what the limit is about
	hot      []suspect
}

// entry is a filter.
type entry struct {
	filter *Filter
	refs   []ref // refs[:n]: where it waits; behind them, as far as they are shared, the steps
	n      uint32
	serial uint32 // tells it from others that had its place; 0: free
	free   uint32 // the next free entry, plus one
}

// ref is a place where a filter waits, and what is to be checked when a post
// comes by: from the leaf upwards, at each AND the other children. At an OR
// nothing is left to check, so the price of one of 400 phrases is its own.
type ref struct {
	feature uint64
	pos     uint32 // among those who wait under the feature
	node    uint32 // the leaf
	step
}

// step is one thing to check.
type step struct {
	at   uint32 // an AND; or any other node, which must hold itself
	skip uint32 // the child of the AND that is known to hold, or was checked; at: there is none
	up   uint32 // the step to go on with, as index behind the refs plus one; 0: it is a match
}

// noFeature is a feature that nothing has.
const noFeature = 0

// holds checks, when a post came by a ref, whether the filter matches.
func (e *entry) holds(r *ref, p *Post) bool {
	s := &r.step
	for {
		if !e.filter.beside(s.at, s.skip, p) {
			return false
		}
		if s.up == 0 {
			return true
		}
		s = &e.refs[e.n+s.up-1].step
	}
}

// beside tells whether all children of the AND at an index hold but the one to
// skip, or, if that is the index itself, whether the subtree holds.
func (f *Filter) beside(at, skip uint32, p *Post) bool {
	if at == skip {
		return f.eval(at, p)
	}
	for k, end := at+1, f.nodes[at].end; k < end; k = f.nodes[k].end {
		if k != skip && !f.eval(k, p) {
			return false
		}
	}
	return true
}

func (x *core) init() {
	x.table = newTable()
	x.sketch = sketch{counts: new([2 * sketchRow]uint16), random: 0x9e3779b97f4a7c15}
	x.plan.sketch = &x.sketch
	x.limit, x.patience, x.plan.least = 1, vainPerSuspect, betterPlus
}

// add puts a filter in and returns the number of its entry.
func (x *core) add(f *Filter) uint32 {
	x.plan.plan(f)
	id := x.free - 1
	if x.free == 0 {
		if id = x.entries.grow(); id%64 == 0 {
			x.found = append(x.found, 0)
		}
	}
	e := x.entries.at(id)
	x.free = e.free
	if x.added++; x.added == 0 {
		x.added++
	}
	*e = entry{filter: f, serial: x.added}
	x.live++
	x.bytes += f.size()
	if len(x.plan.places) == 0 {
		x.addAlways(id, e)
		return id
	}
	e.refs = make([]ref, len(x.plan.places), len(x.plan.places)+len(x.plan.steps))
	e.n = uint32(len(e.refs))
	for i := range x.plan.places {
		x.settle(id, e, uint32(i), &x.plan.places[i])
	}
	for _, s := range x.plan.steps {
		e.refs = append(e.refs, ref{step: s})
	}
	x.bytes += refsSize(e.refs)
	return id
}

// settle makes the i-th ref of an entry wait at a place.
func (x *core) settle(id uint32, e *entry, i uint32, p *place) {
	w := watch{filter: id, ref: i, also: p.also}
	if p.sure {
		w.ref |= watchSure
	}
	if p.feature == noFeature {
		p.pos = x.always.push(w)
	} else {
		p.pos = x.table.add(p.feature, w)
	}
	x.boxes += e.filter.isPlace(p.node)
	e.refs[i] = p.ref
}

// addAlways has every post held against the filter.
func (x *core) addAlways(id uint32, e *entry) {
	e.refs, e.n = make([]ref, 1), 1
	x.settle(id, e, 0, &place{sure: len(e.filter.nodes) == 0})
	x.bytes += refsSize(e.refs)
}

// isPlace is 1 if the leaf at an index waits for places, else 0.
func (f *Filter) isPlace(leaf uint32) int {
	if int(leaf) < len(f.nodes) {
		if _, ok := f.area(leaf); ok {
			return 1
		}
	}
	return 0
}

func (x *core) remove(id uint32) {
	e := x.entries.at(id)
	for i := range e.refs[:e.n] {
		x.unsettle(e, uint32(i))
	}
	x.bytes -= refsSize(e.refs) + e.filter.size()
	*e = entry{free: x.free}
	x.free = id + 1
	if x.live--; x.live == 0 { // give all memory back
		*x = core{table: newTable(), added: x.added, sketch: x.sketch, limit: x.limit, patience: x.patience, plan: planner{least: x.plan.least}}
		x.plan.sketch = &x.sketch
	}
}

// unsettle takes away the watch of an entry's i-th ref.
func (x *core) unsettle(e *entry, i uint32) {
	r := &e.refs[i]
	x.boxes -= e.filter.isPlace(r.node)
	var moved *watch
	if r.feature == noFeature {
		if last := x.always.pop(); r.pos < x.always.n {
			moved = x.always.at(r.pos)
			*moved = last
		}
	} else {
		moved = x.table.remove(r.feature, r.pos)
	}
	if moved != nil {
		x.entries.at(moved.filter).refs[moved.ref&watchRef].pos = r.pos
	}
}

// size returns the bytes the index holds, filters included.
func (x *core) size() int64 {
	t := &x.table
	perPage := int64(unsafe.Sizeof(page{})) + pageSlots
	return x.bytes + int64(t.pages)*perPage + int64(len(t.dir))*int64(unsafe.Sizeof(pageRef{})) +
		t.lists.chunks.size() + t.lists.bytes + x.always.size() + x.entries.size() + 8*int64(cap(x.found)) + int64(unsafe.Sizeof(*x.sketch.counts))
}

func refsSize(r []ref) int64 { return int64(cap(r)) * int64(unsafe.Sizeof(ref{})) }

// size returns the bytes a filter holds.
func (f *Filter) size() int64 {
	if f == nil {
		return 0
	}
	n := unsafe.Sizeof(*f) + uintptr(cap(f.nodes))*unsafe.Sizeof(node{}) + uintptr(cap(f.details))*unsafe.Sizeof(detail{}) +
		uintptr(cap(f.named))*unsafe.Sizeof(named{}) + uintptr(len(f.text))
	for i := range f.details {
		n += 8*uintptr(cap(f.details[i].tokens)) + uintptr(len(f.details[i].text))
	}
	for i := range f.named {
		n += uintptr(len(f.named[i].name))
	}
	return int64(n)
}
