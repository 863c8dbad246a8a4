package lease

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// campaign waits until this node has taken the leader's key; nil: ctx has ended.
func (n *Node) campaign(ctx context.Context) *hold {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	every := n.interval()
	if n.cfg.Edge { // it wants to know, and nothing waits for it
		every = n.cfg.TTL
	}
	poll := time.NewTicker(every)
	defer poll.Stop()
	watch, _ := n.cfg.Lease.Watch(ctx, keyLeader) // without it the poll does
	h := n.leaderHold()
	for ctx.Err() == nil {
		leader, rev, err := n.ask(ctx)
		switch {
		case err == nil && !leader.Leaving:
			n.follow(leader)
		case err == nil, errors.Is(err, ErrNone):
			n.heard("")
			watch = n.catchUp(watch)
			if n.cfg.Edge || err != nil && n.doubts() {
				n.stuck(nil)
				break
			}
			err := h.take(ctx, rev)
			if err == nil {
				n.stuck(nil)
				n.heard(n.cfg.Node)
				return h
			}
			if n.stuck(err); closed(h.gone) {
				h = n.leaderHold()
			}
		default:
			n.stuck(err)
		}
		select {
		case <-ctx.Done():
		case <-poll.C:
		case e, ok := <-watch:
			watch = n.watched(watch, e, ok)
		}
	}
	return nil
}

func (n *Node) leaderHold() *hold {
	ttl := n.cfg.TTL
	if n.cfg.Alone {
		ttl = 0
	}
	return newHold(n.cfg.Lease, keyLeader, n.cfg.Node, ttl)
}

// ask reads who leads, or has led and leaves.
func (n *Node) ask(ctx context.Context) (g grip, rev uint64, err error) {
	call, cancel := context.WithTimeout(ctx, patience(n.cfg.TTL))
	defer cancel()
	value, rev, err := n.cfg.Lease.Get(call, keyLeader)
	if err != nil {
		return g, 0, err
	}
	g = readGrip(value)
	n.sight(g)
	return g, rev, nil
}

func (n *Node) heard(leader string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.leader = leader
}

// follow takes note of a leader whose key is there. One who has not renewed it for
// two TTLs leads no more, whatever the store says.
func (n *Node) follow(leader grip) {
	n.mu.Lock()
	silent := time.Since(n.sighted.at)
	n.mu.Unlock()
	if silent < 2*n.cfg.TTL {
		n.stuck(nil)
		n.heard(leader.Node)
		return
	}
	n.heard("")
	n.stuck(errGhost)
}

// errGhost is what a store that stores nothing any more looks like from here.
var errGhost = errors.New("the key of a leader that does not renew it does not vanish")

// stuck notes why the lease cannot be taken, or seen, by anybody; nil: it can.
func (n *Node) stuck(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case err == nil || errors.Is(err, ErrExists):
		n.hitch, n.hitched = nil, time.Time{}
	case n.hitched.IsZero():
		n.hitch, n.hitched = err, time.Now()
	default:
		n.hitch = err
	}
}

// hitchLocked is what Status tells of it, once it has lasted; mu is held.
func (n *Node) hitchLocked() error {
	if n.hitch == nil || n.hitch != errGhost && time.Since(n.hitched) < n.cfg.TTL {
		return nil
	}
	return fmt.Errorf("no node can hold the lease of the upstream: %w", n.hitch)
}

// sighting is a renewal of the leader's key as a node that follows saw it.
type sighting struct {
	grip
	at time.Time // when it was seen first: never before it was sent
}

// sight notes what was in the leader's key.
func (n *Node) sight(g grip) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s := &n.sighted; s.at.IsZero() || s.Nonce != g.Nonce || s.Write != g.Write {
		*s = sighting{g, time.Now()}
	}
}

// doubts says that a leader may not know yet that its key is gone: it went sooner than
// for want of renewal. Somebody removed it, or the whole bucket.
func (n *Node) doubts() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Since(n.sighted.at) < validity(n.cfg.TTL)
}

// watched takes what came of a watch on the leader's key and returns the watch, or nil
// if it has ended.
func (n *Node) watched(watch <-chan Entry, e Entry, ok bool) <-chan Entry {
	if !ok {
		return nil
	}
	if !e.Deleted {
		n.sight(readGrip(e.Value))
	}
	return watch
}

// catchUp takes all that has come of a watch.
func (n *Node) catchUp(watch <-chan Entry) <-chan Entry {
	for watch != nil {
		select {
		case e, ok := <-watch:
			watch = n.watched(watch, e, ok)
		default:
			return watch
		}
	}
	return nil
}
