package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"aviary/upstream/demand"
	"aviary/upstream/x"
)

// xAsked edits the rules of X while its stream goes on.
type xAsked struct {
	*x.Source
	edits []time.Time // of the last xWindow; owned by the loop of demands
	heard uint64      // the last of Refused; the same

	mu        sync.Mutex
	next, now wish
}

func (p predicates) ofX() x.Predicates {
	return x.Predicates{Track: p.Track, Follow: p.Follow, Locations: p.Locations, Language: p.Language, FilterLevel: p.FilterLevel}
}

func (v *xAsked) check(a wish) error {
	_, err := x.Translate(a.own.ofX())
	return err
}

func (v *xAsked) set(a wish) error {
	if err := v.Ask(a.own.ofX(), a.force.Asked().Rules); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.next = a
	if v.now.force == nil {
		v.now = a
	}
	return nil
}

func (v *xAsked) apply(ctx context.Context) error {
	v.mu.Lock()
	a := v.next
	v.mu.Unlock()
	if err := v.Settle(ctx); err != nil {
		return err
	}
	if v.Short() { // nobody chose which are there: less is asked for now that the room is known
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = a
	return nil
}

func (v *xAsked) refused() (a demand.Ask) {
	values, at := v.Refused()
	if at != v.heard {
		v.heard, a.Rules = at, values
	}
	return a
}

func (v *xAsked) accept(a wish) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.now.own == a.own {
		v.now = a
	}
}

// due says when rules may be edited: each edit spends requests that opening a lost
// stream again needs too. The first are made at once, the others are spread out.
func (v *xAsked) due(now time.Time) time.Time {
	v.edits = slices.DeleteFunc(v.edits, func(t time.Time) bool { return now.Sub(t) >= xWindow })
	if n := len(v.edits); n >= xAtOnce {
		return v.edits[n-1].Add(xWindow / xChanges)
	}
	return now
}

func (v *xAsked) inForce() wish {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}
