package main

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"time"

	"aviary/upstream/demand"
)

// say tells the other nodes what the upstream is asked for, when that has changed, or
// when somebody wrote over it.
func (d *demands) say(ctx context.Context, leads bool) {
	if d.shares == nil || !leads || d.source == nil {
		d.said = nil
		return
	}
	w, now := d.wanted(), d.source.inForce()
	said := &askedSaid{d.g.settings.Load().predicates(), w.own, w.force.Asked(), w.force.Else(), w.force.Grows(), w.force.Full(), nil}
	if now.force != nil && !now.same(w) {
		said.Now = &nowSaid{now.own, now.force.Asked()}
	}
	if reflect.DeepEqual(d.said, said) {
		return
	}
	if d.shares.put(ctx, askedKey, said) == nil { // else it was logged
		d.said = said
	}
}

// same says that both would be told in the same words.
func (said *askedSaid) same(other *askedSaid) bool {
	a, errA := json.Marshal(said)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

// follow takes over what other nodes said: an operator's wish, and what the leader
// asks the upstream for, which a node that takes over begins with.
func (d *demands) follow(now time.Time, leads bool) {
	said, wanted := d.shares.take()
	s := d.g.settings.Load()
	env := s.predicates()
	if wanted != nil && wanted.Over == env && d.wanted().own != wanted.Own {
		if err := d.adopt(wanted.Own); err != nil {
			d.g.log.Error("another node's operator asks for what the upstream cannot be asked for", "error", err)
		}
	}
	switch {
	case said == nil:
	case leads:
		if !said.same(d.said) { // an earlier leader's came late
			d.said = nil
		}
	case s.Role == roleEdge:
		d.mirror(now, said)
	case said.Over == env && said.Own == d.wanted().own && d.on: // else its wish is on its way
		d.hear(said)
		d.planner.Adopt(now, said.Ask)
		d.force.Store(d.planner.Force().WithFull(said.Full))
		if err := d.source.set(d.wanted()); err != nil {
			d.g.log.Error("what the leader asks the upstream for cannot be asked from here", "error", err)
		}
	}
}

// hear notes what is in force where the leader is, if that is not what is wanted.
func (d *demands) hear(said *askedSaid) {
	d.leaders.Store(nil)
	if said.Now == nil {
		return
	}
	c, err := d.g.settings.Load().demandConfig(said.Now.Own, d.g.source)
	if err != nil {
		return // of another version: what is wanted will be in force soon
	}
	c.OwnElse = said.Else
	if said.Grows {
		d.leaders.Store(demand.NewForceOf(c, said.Now.Ask).WithFull(said.Full))
	} else {
		d.leaders.Store(demand.NewForce(c))
	}
}

// mirror has an edge, which asks for nothing itself, judge by what the leader said.
func (d *demands) mirror(now time.Time, said *askedSaid) {
	c, err := d.g.settings.Load().demandConfig(said.Own, d.g.source)
	if err != nil {
		d.g.log.Error("what the leader asks the upstream for cannot be understood here", "error", err)
		return
	}
	c.OwnElse = said.Else
	d.hear(said)
	d.mu.Lock()
	d.own, d.over = said.Own, &said.Over
	d.mu.Unlock()
	switch {
	case d.on:
		d.planner.Configure(c)
		d.planner.Adopt(now, said.Ask)
		d.force.Store(d.planner.Force().WithFull(said.Full))
	case said.Grows:
		d.force.Store(demand.NewForceOf(c, said.Ask).WithFull(said.Full))
	default:
		d.force.Store(demand.NewForce(c))
	}
}
