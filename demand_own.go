package main

import (
	"time"

	"aviary/upstream/demand"
)

// adopt makes predicates the operator's wish. The loop, which alone plans, takes
// it from there.
func (d *demands) adopt(p predicates) error {
	c, err := d.g.settings.Load().demandConfig(p, d.g.source)
	if err != nil {
		return err
	}
	if err := d.source.set(wish{p, demand.NewForceOf(c, d.force.Load().Asked())}); err != nil {
		return err
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
func (d *demands) renew(now time.Time) (changed bool) {
	d.mu.Lock()
	p := d.own
	changed, d.wished = d.wished, false
	d.mu.Unlock()
	if !changed {
		return false
	}
	c, err := d.g.settings.Load().demandConfig(p, d.g.source)
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
