package demand

import (
	"slices"
	"time"
)

// wait returns when the change that is pending may be made, zero if there is none.
// The more of the budget is used up, the longer changes wait for one another: a
// gateway that has been quiet answers at once, one whose clients come and go keeps
// something for the next. What only lets terms go leaves one change over.
func (p *Planner) wait(now time.Time) time.Time {
	p.changes = slices.DeleteFunc(p.changes, func(t time.Time) bool { return now.Sub(t) >= p.config.Window })
	if p.pending.IsZero() {
		return time.Time{}
	}
	due := p.pending.Add(p.config.Debounce)
	used, most := len(p.changes), p.config.Changes
	if !p.adds {
		most = max(1, most-1)
	}
	if used >= most {
		due = latest(due, p.changes[used-most].Add(p.config.Window))
	}
	if used > 0 {
		share := p.config.Window / time.Duration(p.config.Changes)
		due = latest(due, p.changes[used-1].Add(share*time.Duration(used)/time.Duration(p.config.Changes)))
	}
	return due
}

// keep says how long a term in force stays although nobody wants it.
func (p *Planner) keep(h *holding) time.Time {
	return latest(h.since.Add(p.config.Floor), h.wanted.Add(p.config.Linger))
}

// expiry is when the next term that nobody wants, or that others push out, may go, or
// one that was refused may be tried again.
func (p *Planner) expiry(now time.Time) (next time.Time) {
	if over := p.broad.Add(p.config.Linger); !p.crowd.broad && !p.broad.IsZero() && over.After(now) {
		next = over
	}
	for _, until := range p.refused {
		next = earliest(next, until)
	}
	for _, h := range p.held {
		switch floor := h.since.Add(p.config.Floor); {
		case h.weight == 0 && p.keep(h).After(now):
			next = earliest(next, p.keep(h))
		case floor.After(now):
			next = earliest(next, floor)
		}
	}
	return next
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// earliest returns the earlier of two times, of which zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
