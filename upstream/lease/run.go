package lease

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// handOver is how long a leader that resigned goes on publishing when nobody
// else begins.
const handOver = 5 * time.Second

// Run follows, and leads when nobody else does, until ctx ends; then it hands over
// if it leads. It returns nil when everything is closed: at once without a stream
// to hand over, at latest after 5 s.
func (n *Node) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	defer beside.Wait()
	if n.cfg.Told != nil {
		beside.Go(func() { n.listen(ctx) })
	}
	for ctx.Err() == nil {
		h := n.campaign(ctx)
		if h == nil {
			break
		}
		n.lead(ctx, h)
		_ = sleep(ctx, n.interval()) // however it ended, it is no hot loop
	}
	return nil
}

// interval is how often what a watch may have lost is asked for.
func (n *Node) interval() time.Duration { return n.cfg.TTL / 8 }

// campaign waits until this node has taken the leader's key; nil: ctx has ended.
func (n *Node) campaign(ctx context.Context) *hold {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	every := n.interval()
	if n.cfg.Edge || n.doubts() { // it wants to know, and nothing waits for it
		every = n.cfg.TTL
	}
	poll := time.NewTicker(every)
	defer poll.Stop()
	watch, _ := n.cfg.Lease.Watch(ctx, keyLeader) // without it the poll does
	ttl := n.cfg.TTL
	if n.cfg.Alone {
		ttl = 0
	}
	h := newHold(n.cfg.Lease, keyLeader, n.cfg.Node, ttl)
	for ctx.Err() == nil {
		switch leader, rev, err := n.ask(ctx); {
		case err == nil && !leader.Leaving:
			n.heard(leader.Node)
		case err == nil, errors.Is(err, ErrNone):
			n.heard("")
			watch = n.catchUp(watch)
			if n.cfg.Edge || err != nil && n.doubts() {
				break
			}
			if err := h.take(ctx, rev); err == nil {
				n.heard(n.cfg.Node)
				return h
			}
			if closed(h.gone) {
				h = newHold(n.cfg.Lease, keyLeader, n.cfg.Node, ttl)
			}
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

// sighting is a renewal of the leader's key as a node that follows saw it.
type sighting struct {
	grip
	at time.Time // when it was seen first: never before it was sent
}

// sight notes what was in the leader's key.
func (n *Node) sight(g grip) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s := &n.sighted; s.Nonce != g.Nonce || s.Write != g.Write {
		*s = sighting{g, time.Now()}
	}
}

// doubts says that a leader may not know yet that its key is gone: it went sooner than
// for want of renewal. Somebody removed it, or the whole bucket.
func (n *Node) doubts() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.sighted
	return time.Since(s.at) < validity(n.cfg.TTL)
}

func (n *Node) heard(leader string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.leader = leader
}

// lead is one leadership, from the taking of the key to the closing of the last
// stream.
func (n *Node) lead(ctx context.Context, h *hold) {
	t := &term{leader: h, over: make(chan struct{}), marked: make(chan struct{}), slots: map[int]*taken{}}
	t.unsaved, t.flush = make(chan struct{}, 1), make(chan chan struct{})
	t.ctx, t.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	revision := h.revision()
	defer t.beside.Wait()
	defer t.cancel(nil)
	t.beside.Go(func() { h.keep(t.ctx) })
	if !n.elect(ctx, t, revision) {
		h.resign(context.WithoutCancel(ctx))
		return
	}
	n.mu.Lock()
	n.term, n.state = t, Elect
	t.saw(Marker{Term: n.seen}) // since the election
	n.mu.Unlock()
	n.cfg.Log.Info("this node leads", "node", n.cfg.Node, "term", t.number)
	t.beside.Go(func() { n.write(t) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.cfg.Lead(t.ctx)
	}()
	n.attend(ctx, t, done)
	<-done
	n.end(t)
}

// attend looks after a leadership until it is to end, and ends its context.
func (n *Node) attend(ctx context.Context, t *term, done <-chan struct{}) {
	tick := time.NewTicker(n.cfg.TTL / 3)
	defer tick.Stop()
	for {
		select {
		case <-done:
			if t.ctx.Err() != nil {
				n.demote(t, "the slot was not renewed in time")
				return
			}
			n.cfg.Log.Error("the upstream ended by itself: another node may try", "node", n.cfg.Node, "term", t.number)
			_ = sleep(ctx, n.cfg.TTL)
			return
		case <-ctx.Done():
			n.resign(context.WithoutCancel(ctx), t, done)
			return
		case <-t.over:
			n.demote(t, "another node leads")
			return
		case <-t.leader.gone:
			n.demote(t, "the lease was not renewed in time")
			return
		case <-t.ctx.Done(): // a slot was lost
			n.demote(t, "the slot was not renewed in time")
			return
		case <-tick.C:
			n.heed(t)
		}
	}
}

// demote ends a leadership that is lost.
func (n *Node) demote(t *term, why string) {
	n.mu.Lock()
	n.state = Demoted
	n.mu.Unlock()
	n.cfg.Log.Warn("this node does not lead any more: its stream is closed", "node", n.cfg.Node, "term", t.number, "reason", why)
	t.cancel(errLost)
}

// resign gives the leader's key back. With a second stream allowed the own one
// goes on until the next leader publishes.
func (n *Node) resign(ctx context.Context, t *term, done <-chan struct{}) {
	if n.cfg.Alone || n.cfg.StreamLimit < 2 || n.Status().State != Stream || !t.valid(time.Now()) {
		t.cancel(nil)
		<-done
		return
	}
	n.flush(t)
	if !t.resign(time.Now().Add(handOver)) {
		n.demote(t, "the lease was not renewed in time")
		<-done
		return
	}
	n.mu.Lock()
	n.state = Leaving
	n.mu.Unlock()
	for _, s := range t.held() {
		s.leave(ctx)
	}
	t.leader.resign(ctx)
	n.cfg.Log.Info("this node has resigned and publishes on until another does", "node", n.cfg.Node, "term", t.number, "at_most", handOver)
	n.await(ctx, t, done)
	t.cancel(nil)
}

// await returns when there is nothing to wait for after a resignation: another
// node publishes, none wants to lead, or the own stream has ended.
func (n *Node) await(ctx context.Context, t *term, done <-chan struct{}) {
	limit := time.NewTimer(handOver)
	defer limit.Stop()
	poll := time.NewTicker(n.interval())
	defer poll.Stop()
	alone := time.Now().Add(n.cfg.TTL / 2)
	followed := false
	for {
		select {
		case <-t.over:
			return
		case <-limit.C:
			return
		case <-done:
			return
		case <-t.ctx.Done():
			return
		case <-poll.C:
		}
		if !followed {
			leader, _, err := n.ask(ctx)
			if followed = err == nil && !leader.Leaving; followed {
				n.heard(leader.Node)
			}
		}
		if !followed && time.Now().After(alone) || len(t.held()) == 0 {
			return
		}
	}
}

// end forgets a leadership whose streams are closed.
func (n *Node) end(t *term) {
	ctx := context.WithoutCancel(t.ctx)
	for _, s := range t.held() { // whatever Lead did not give back
		s.release(ctx)
	}
	t.leader.resign(ctx)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.term, n.state, n.told = nil, Follower, 0
	if n.leader == n.cfg.Node {
		n.leader = ""
	}
}

// listen tells the leader's upstream state on a node that follows.
func (n *Node) listen(ctx context.Context) {
	watch, _ := n.cfg.State.Watch(ctx, keyUpstream)
	poll := time.NewTicker(n.cfg.TTL)
	defer poll.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
			call, cancel := context.WithTimeout(ctx, patience(n.cfg.TTL))
			value, rev, err := n.cfg.State.Get(call, keyUpstream)
			cancel()
			if err == nil {
				n.tell(value, rev)
			}
		case e, ok := <-watch:
			if !ok {
				watch = nil
			} else if e.Key == keyUpstream && !e.Deleted {
				n.tell(e.Value, e.Rev)
			}
		}
	}
}

// tell passes on what the leader wrote, unless this node is the one.
func (n *Node) tell(value []byte, rev uint64) {
	var r record
	if json.Unmarshal(value, &r) != nil {
		return
	}
	n.mu.Lock()
	news := rev > n.told && n.term == nil
	if news {
		n.told = rev
	}
	n.mu.Unlock()
	switch {
	case !news:
	case r.Trouble != nil:
		n.cfg.Told(*r.Trouble)
	default:
		n.cfg.Told(r.Upstream())
	}
}

// sleep waits; the error is ctx's.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
