package filter

// A filter waits where it was cheapest when it came. The stream changes, and what
// was rare becomes the talk of the day; so those who look at many posts in vain
// are suspects, and wait elsewhere if there is a better place by now.
//
// Nobody counts for each filter: of all that was looked at in vain, one watch in
// about vainPerSuspect is picked, wherever it stands. A place where thousands
// wait for nothing is thinned out the quicker the more it costs, and a place where
// nobody has a choice costs little.
const (
	vainPerSuspect = 512
	maxSuspects    = 64   // for one post
	maxVisited     = 4096 // nodes looked at for one post
	maxSubtree     = 512  // an AND with more nodes below it is left alone

	// A new place must be rarer by so much to be worth the move: estimates are
	// not exact, and nobody is to move back and forth.
	betterTimes = 4
	betterPlus  = 16
)

// suspect is a watch that may be in the wrong place.
type suspect struct {
	feature uint64
	pos     uint32
}

// suspect notes that of n watches under a feature some looked in vain.
func (x *core) suspect(feature uint64, n, vain uint32) {
	for x.debt += int(vain); x.debt >= x.limit; {
		if len(x.hot) == maxSuspects {
			x.debt = 0
			return
		}
		random := x.sketch.roll()
		x.hot = append(x.hot, suspect{feature, uint32(random >> 32 % uint64(n))})
		x.debt -= x.limit
		x.limit = (x.patience+1)/2 + int(random%uint64(x.patience))
	}
}

// cool moves the suspects of a post, once it has been matched: moving one in the
// midst of it, from a feature still to come to one that has been, would lose it.
func (x *core) cool() {
	x.plan.visited = 0
	for _, s := range x.hot {
		if x.plan.visited > maxVisited {
			return
		}
		at := x.table.find(s.feature)
		if at == nil {
			continue
		}
		if at.isList() {
			l := x.table.lists.at(at.filter)
			if s.pos >= l.n {
				continue
			}
			at = l.at(s.pos)
		}
		x.reconsider(at.filter, at.ref)
	}
}

// reconsider looks for a better place for a watch, from its leaf upwards.
func (x *core) reconsider(id, number uint32) {
	if number&watchSure != 0 {
		return
	}
	e := x.entries.at(id)
	r := &e.refs[number&watchRef]
	visited := x.plan.visited
	x.plan.begin(e.filter)
	x.plan.visited = visited
	for s := &r.step; ; s = &e.refs[e.n+s.up-1].step {
		if e.filter.nodes[s.at].end-s.at > maxSubtree {
			return
		}
		if s.at == s.skip {
			if x.plan.rarer(s.at, r.feature) {
				x.move(id, e, s, s.at)
				return
			}
		} else if to := x.plan.cheaper(s.at, s.skip); to != s.skip {
			x.move(id, e, s, to)
			return
		}
		if s.up == 0 {
			return
		}
	}
}

// rarer says that the leaf at an index needs a feature that is much rarer.
func (pl *planner) rarer(leaf uint32, than uint64) bool {
	_, cost := pl.rarest(leaf)
	return pl.worthIt(cost, pl.sketch.estimate(than))
}

// cheaper returns the child of an AND that is much cheaper to wait for than the
// one that is waited for, else that.
func (pl *planner) cheaper(and, child uint32) uint32 {
	f := pl.filter
	pick, best := child, uint64(nowhere)
	for k := and + 1; k < f.nodes[and].end; k = f.nodes[k].end {
		if k == child {
			continue
		}
		if c := pl.cost(k); c < best {
			pick, best = k, c
		}
	}
	if pl.worthIt(best, pl.cost(child)) {
		return pick
	}
	return child
}

func (pl *planner) worthIt(cost, now uint64) bool { return betterTimes*cost+pl.least < now }

// move has an entry wait for another child of an AND than the step's, or, where
// the step is a leaf, for another of its features.
func (x *core) move(id uint32, e *entry, s *step, to uint32) {
	f, pl := e.filter, &x.plan
	for _, r := range e.refs[e.n:] {
		pl.steps = append(pl.steps, r.step)
	}
	pl.known = len(pl.steps)
	above, also := &chain{kept: s.up}, x.needsAbove(e, s.up)
	if s.up == 0 {
		above = nil
	}
	if s.at != s.skip {
		also = pl.siblings(s.at, to, also)
		above = &chain{at: s.at, skip: to, outer: above}
	}
	lo, hi := s.skip, f.nodes[s.skip].end
	pl.cover(to, above, also)
	x.replace(id, e, lo, hi)
}

// needsAbove returns what the children beside a chain need that begins with a
// shared step.
func (x *core) needsAbove(e *entry, up uint32) beside {
	if up == 0 {
		return beside{}
	}
	s := &e.refs[e.n+up-1].step
	return x.plan.siblings(s.at, s.skip, x.needsAbove(e, s.up))
}

// replace puts the planner's places where those refs were whose leaves lie in
// [lo, hi). The others move together.
func (x *core) replace(id uint32, e *entry, lo, hi uint32) {
	x.bytes -= refsSize(e.refs)
	x.plan.visited += int(e.n) / 8
	inside := func(r *ref) bool { return r.node >= lo && r.node < hi }
	kept := e.n
	for i := range e.n {
		if inside(&e.refs[i]) {
			x.unsettle(e, i)
			kept--
		}
	}
	n := kept + uint32(len(x.plan.places))
	refs := make([]ref, 0, int(n)+len(x.plan.steps))
	for i := range e.n {
		if r := &e.refs[i]; !inside(r) {
			if to := uint32(len(refs)); to != i {
				w := x.table.watch(r.feature, r.pos)
				w.ref = w.ref&^watchRef | to
			}
			refs = append(refs, *r)
		}
	}
	e.refs, e.n = refs[:n], n
	for i := range x.plan.places {
		x.settle(id, e, kept+uint32(i), &x.plan.places[i])
	}
	for _, s := range x.plan.steps {
		e.refs = append(e.refs, ref{step: s})
	}
	x.bytes += refsSize(e.refs)
}
