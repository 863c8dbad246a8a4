package main

import (
	"context"
	"time"

	"aviary/upstream/demand"
)

// try says why predicates cannot be the operator's wish.
func (d *demands) try(p predicates) error {
	c, err := d.g.settings.Load().demandConfig(p, d.g.source)
	if err != nil || d.source == nil {
		return err
	}
	return d.source.check(wish{p, demand.NewForceOf(c, d.force.Load().Asked())})
}

// adopt makes predicates the operator's wish. The loop, which alone plans, takes
// it from there.
func (d *demands) adopt(p predicates) error {
	if err := d.try(p); err != nil {
		return err
	}
	if d.source != nil && d.source.inForce().own == p && d.wanted().own == p {
		return nil // it is what it is asked for: a connection for that would be wasted
	}
	d.mu.Lock()
	d.own, d.wished = p, true
	d.mu.Unlock()
	d.wake()
	return nil
}

// anew has the source ask again for what it is asked for: with fresh secrets, or
// X's file of rules read again.
func (d *demands) anew() {
	d.reread.Store(true)
	d.wake()
}

// streamSecrets are those that the stream of v1.1 is signed with.
func (s *settings) streamSecrets() [4]secret {
	return [4]secret{s.TwitterConsumerKey, s.TwitterConsumerSecret, s.TwitterAccessToken, s.TwitterAccessSecret}
}

// renew takes a new wish of the operator's into the plan.
func (d *demands) renew() bool {
	d.mu.Lock()
	changed := d.wished
	d.wished = false
	d.mu.Unlock()
	return changed && d.configure()
}

// recount learns what else the upstream brings and how much it takes, which it tells
// once it is asked. What has no room beside it is not asked for any more.
func (d *demands) recount(ctx context.Context, now time.Time) {
	source, ok := d.source.(*xAsked)
	if !ok {
		return
	}
	others, known := source.Others()
	room := source.Room()
	if !known || d.counted && others == d.others && room == d.room {
		return
	}
	d.others, d.room, d.counted = others, room, true
	before := d.force.Load()
	if d.configure() && !d.force.Load().Asks(before) {
		d.put(ctx, now)
	}
}

// refuse takes out of the plan what the upstream turned out not to take.
func (d *demands) refuse(ctx context.Context, now time.Time) {
	if d.source == nil {
		return
	}
	a := d.source.refused()
	if a.Empty() {
		return
	}
	d.planner.Refuse(now, a)
	d.force.Store(d.planner.Force())
	d.g.log.Warn("the upstream refuses some of what clients ask for; it is left out for an hour", "terms", len(a.Phrases)+len(a.IDs)+len(a.Boxes)+len(a.Rules))
	if _, x := d.source.(*xAsked); !x {
		d.put(ctx, now) // another stream is tried without it
		return
	}
	if err := d.source.set(d.wanted()); err != nil {
		d.g.log.Error("the upstream cannot be asked so; it goes on as it was", "error", err)
		return
	}
	d.source.accept(d.wanted())
}

// configure has the operator's wish judged and planned for. A false result was logged.
func (d *demands) configure() bool {
	c, err := d.g.settings.Load().demandConfig(d.wanted().own, d.g.source)
	if err != nil { // cannot be: adopt tried it
		d.g.log.Error("the upstream cannot be asked so", "error", err)
		return false
	}
	if d.on {
		d.planner.Configure(c)
		d.force.Store(d.planner.Force())
	} else {
		d.force.Store(demand.NewForce(c))
	}
	return true
}
