package lease

import (
	"context"
	"encoding/json"
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
	until := time.Now().Add(handOver)
	if !t.resign(until) {
		n.demote(t, "the lease was not renewed in time")
		<-done
		return
	}
	n.mu.Lock()
	n.state = Leaving
	n.mu.Unlock()
	for _, s := range t.held() {
		s.leave(ctx, until) // who sees it renewed takes it that posts are published
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
				n.anew(rev)
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

// anew is told the revision of what is there now. One that is lower than what was told
// before is of a bucket that was made anew.
func (n *Node) anew(rev uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if rev < n.told {
		n.told = 0
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
		differs := !n.cfg.Edge && r.Settings != n.cfg.Settings && r.Settings != ""
		if differs && !n.differs {
			n.cfg.Log.Warn("the node that leads asks the upstream with other settings than this one, which may come to lead as well", "node", n.cfg.Node)
		}
		n.differs = differs
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
