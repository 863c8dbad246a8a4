package demand

import (
	"slices"
	"time"
)

const (
	// refusedFor is how long what the upstream refused is not asked for again: the
	// same question has the same answer, and each costs a change.
	refusedFor = time.Hour
	// maxRefused bounds what is remembered of that.
	maxRefused = 10_000
)

// Refuse says that the upstream does not take some of what it was asked for: that is
// not in force, and is not asked for again for an hour although clients want it, so
// that it keeps nothing else out.
func (p *Planner) Refuse(now time.Time, a Ask) {
	p.pardon(now)
	if len(p.refused) >= maxRefused {
		clear(p.refused)
	}
	for _, t := range p.config.termsOf(a) {
		name := t.name()
		p.refused[name] = now.Add(refusedFor)
		if p.held[name] != nil {
			p.release(name)
		}
	}
	p.barred()
	p.pending = time.Time{}
	p.force, p.ready = p.newForce(), false
}

// pardon forgets what was refused long ago.
func (p *Planner) pardon(now time.Time) {
	before := len(p.refused)
	for name, until := range p.refused {
		if !now.Before(until) {
			delete(p.refused, name)
		}
	}
	if len(p.refused) != before {
		p.barred()
		p.force = p.newForce()
	}
}

// barred lists the names for the next Force.
func (p *Planner) barred() {
	p.names = make(map[string]bool, len(p.refused))
	for name := range p.refused {
		p.names[name] = true
	}
}

// Beside returns what one asks for and the other does not.
func (a Ask) Beside(o Ask) Ask {
	return Ask{
		Phrases: beside(a.Phrases, o.Phrases), IDs: beside(a.IDs, o.IDs),
		Boxes: beside(a.Boxes, o.Boxes), Rules: beside(a.Rules, o.Rules),
	}
}

func beside[T comparable](a, o []T) []T {
	return slices.DeleteFunc(slices.Clone(a), func(one T) bool { return slices.Contains(o, one) })
}

// Half returns half of each list, rounded up: whoever does not know what of an ask
// was refused finds out by halves.
func (a Ask) Half() Ask {
	return Ask{Phrases: half(a.Phrases), IDs: half(a.IDs), Boxes: half(a.Boxes), Rules: half(a.Rules)}
}

func half[T any](list []T) []T { return list[:(len(list)+1)/2] }
