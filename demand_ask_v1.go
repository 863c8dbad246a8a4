package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"aviary/fanout/filter"
	"aviary/upstream"
	"aviary/upstream/demand"
	"aviary/upstream/twitter"
)

// v1Asked makes a new source for each stream: sources of v1.1 have no state. It
// implements upstream.Source and asked.
type v1Asked struct {
	make      func(predicates) (upstream.Source, error)
	switchNow func() // opens a stream in the place of the one that is open; set before the first apply
	streams   func() // called when another ask is in force

	mu        sync.Mutex
	next, now wish
	open      []*wish    // of the streams that the upstream accepted and that have not ended, oldest first
	turned    demand.Ask // some of the last ask, which the upstream refused
}

// newV1Asked makes sources of the config, but for its predicates.
func newV1Asked(c twitter.Config, first predicates) (*v1Asked, error) {
	v := &v1Asked{make: func(p predicates) (upstream.Source, error) {
		if err := p.checkSides(); err != nil {
			return nil, err
		}
		c := c
		c.Track, c.Follow, c.Locations, c.Language, c.FilterLevel = p.Track, p.Follow, p.Locations, p.Language, p.FilterLevel
		return twitter.New(c)
	}}
	_, err := v.make(first)
	return v, err
}

func (v *v1Asked) check(a wish) error {
	_, err := v.make(a.own.with(a.force.Asked()))
	return err
}

func (v *v1Asked) set(a wish) error {
	if err := v.check(a); err != nil {
		return err
	}
	v.mu.Lock()
	v.next = a
	v.mu.Unlock()
	return nil
}

func (v *v1Asked) apply(context.Context) error {
	v.switchNow()
	return nil
}

func (v *v1Asked) inForce() wish {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// checkSides says which box of locations v1.1 would refuse, although a filter may
// have it.
func (p predicates) checkSides() error {
	content, err := predicates{Locations: p.Locations}.content()
	if err != nil || content == nil {
		return err
	}
	all, _ := content.Alternatives(filter.DefaultLimits().Boxes)
	for _, literals := range all.Any {
		for _, l := range literals {
			const rounding = 1e-9 // a side written as 0.1 may come out a hair less
			if b, _, ok := l.Area(); ok && min(b.East-b.West, b.North-b.South) < demand.MinSide-rounding {
				return fmt.Errorf("locations: the box %s is too narrow: the API takes sides from %v degrees", b, demand.MinSide)
			}
		}
	}
	return nil
}

// Stream implements upstream.Source.
func (v *v1Asked) Stream(ctx context.Context, to upstream.Sink) error {
	v.mu.Lock()
	a := v.next
	v.mu.Unlock()
	from, err := v.make(a.own.with(a.force.Asked()))
	if err != nil {
		return &upstream.Error{Class: upstream.Fatal, Clean: true, Err: err, Hint: "ask for something else with PUT /upstream/filter"}
	}
	defer v.ended(&a)
	err = from.Stream(ctx, &firstBytes{Sink: to, came: func() { v.began(&a) }})
	var e *upstream.Error
	if errors.As(err, &e) && e.Asked {
		v.turnedAway(a)
	}
	return err
}

// turnedAway notes that the upstream does not take what a stream asked for. It seldom
// says what of it: half of what is new is held to be it.
func (v *v1Asked) turnedAway(a wish) {
	v.mu.Lock()
	if v.now.force != nil {
		v.turned = a.force.Asked().Beside(v.now.force.Asked()).Half()
	}
	v.mu.Unlock()
	v.streams()
}

func (v *v1Asked) refused() demand.Ask {
	v.mu.Lock()
	defer v.mu.Unlock()
	turned := v.turned
	v.turned = demand.Ask{}
	return turned
}

func (v *v1Asked) accept(wish) {} // nothing of what was refused is in force

// began notes that the upstream accepted a stream.
func (v *v1Asked) began(a *wish) {
	v.mu.Lock()
	v.open = append(v.open, a)
	v.now = *a
	v.mu.Unlock()
	v.streams()
}

// ended notes that a stream is over. While an older one goes on, in whose place it was
// to come, that one's ask is in force again.
func (v *v1Asked) ended(a *wish) {
	v.mu.Lock()
	i := slices.Index(v.open, a)
	newest := i >= 0 && i == len(v.open)-1
	if i >= 0 {
		v.open = slices.Delete(v.open, i, i+1)
	}
	back := newest && len(v.open) > 0
	if back {
		v.now = *v.open[len(v.open)-1]
	}
	v.mu.Unlock()
	if back {
		v.streams()
	}
}

// firstBytes notes when the upstream accepts a stream. One goroutine uses it.
type firstBytes struct {
	upstream.Sink
	came func()
}

// Alive implements upstream.Sink.
func (f *firstBytes) Alive(n int) {
	if f.came != nil {
		f.came()
		f.came = nil
	}
	f.Sink.Alive(n)
}
