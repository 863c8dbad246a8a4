package main

import "aviary/upstream/demand"

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

// recount learns what else the upstream brings, which it tells once it is asked.
func (d *demands) recount() {
	if source, ok := d.source.(*xAsked); ok {
		if n, known := source.Others(); known && (!d.counted || n != d.others) {
			d.others, d.counted = n, true
			d.configure()
		}
	}
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
