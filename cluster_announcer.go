package main

import (
	"encoding/json"
	"sync"
	"time"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/lease"
)

// announcer tells this node's clients when the state of the upstream changes.
// It is needed where that state has several authors: the runner of a node that
// leads, the leader of one that follows, and the way to the bus.
type announcer struct {
	hub  *fanout.Hub
	now  func() fanout.Upstream // the state of this moment
	tell func()                 // refresh, when it is time for it

	telling sync.Mutex // held while a state is asked for and told: they stay in order

	mu      sync.Mutex
	leader  fanout.Upstream // what the leader said last
	current fanout.Upstream // what clients were told last
	vacant  time.Time       // since when no other node leads; zero: one does
	cut     time.Time       // since when the bus is out of reach; zero: it is not
	late    time.Time       // since when this node is behind the bus; zero: it is not
}

// told takes the state of the leader's upstream.
func (a *announcer) told(u fanout.Upstream) {
	a.mu.Lock()
	a.leader = u
	a.mu.Unlock()
	a.tell()
}

// forget drops what the last leader said: this node leads, and whoever comes after it
// has other things to say.
func (a *announcer) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.leader = fanout.Upstream{}
}

// leaders is what the leader said last. While no other node leads, nobody streams,
// whatever the last one said.
func (a *announcer) leaders(n lease.Status) fanout.Upstream {
	a.mu.Lock()
	defer a.mu.Unlock()
	led := n.Leader != "" && n.Leader != n.Node
	if led {
		a.vacant = time.Time{}
	} else if a.vacant.IsZero() {
		a.vacant = time.Now().UTC().Truncate(time.Millisecond)
	}
	if a.leader.State == "" || !led && a.leader.State != upstream.StateHalted {
		since := a.vacant
		if since.IsZero() {
			since = time.Now().UTC().Truncate(time.Millisecond)
		}
		return fanout.Upstream{State: upstream.StateConnecting, Since: since}
	}
	return a.leader
}

// reached notes whether the bus is there and returns since when it is not.
func (a *announcer) reached(is bool) time.Time { return a.since(&a.cut, !is) }

// behind notes whether this node is behind the bus and returns since when it is.
func (a *announcer) behind(is bool) time.Time { return a.since(&a.late, is) }

func (a *announcer) since(when *time.Time, is bool) time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !is:
		*when = time.Time{}
	case when.IsZero():
		*when = time.Now()
	}
	return *when
}

// refresh publishes the state if it is another one than clients know.
func (a *announcer) refresh() {
	a.telling.Lock()
	defer a.telling.Unlock()
	now := a.now()
	a.mu.Lock()
	same := sameState(a.current, now)
	a.current = now
	a.mu.Unlock()
	if same {
		return
	}
	raw, err := json.Marshal(map[string]fanout.Upstream{"upstream": now})
	if err != nil {
		return // cannot be: it has a JSON form
	}
	e := fanout.NewEvent(nil, raw)
	e.Kind = fanout.KindUpstream
	a.hub.Publish(e)
}

// sameState leaves out what changes all the time.
func sameState(a, b fanout.Upstream) bool {
	if (a.NextAttempt == nil) != (b.NextAttempt == nil) || a.NextAttempt != nil && !a.NextAttempt.Equal(*b.NextAttempt) {
		return false
	}
	return a.State == b.State && a.Class == b.Class && a.Error == b.Error && a.Hint == b.Hint
}
