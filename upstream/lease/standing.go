package lease

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

// record is the value of "upstream" in STATE.
type record struct {
	Term     uint64           `json:"term"`
	Settings string           `json:"settings,omitempty"`
	Trouble  *fanout.Upstream `json:"trouble,omitempty"` // told in place of the standing; the next leader does not heed it
	upstream.Standing
}

// read gets a key of STATE: no value and revision 0 if there is none.
func (n *Node) read(ctx context.Context, key string) ([]byte, uint64, error) {
	call, cancel := context.WithTimeout(ctx, patience(n.cfg.TTL))
	defer cancel()
	value, rev, err := n.cfg.State.Get(call, key)
	if errors.Is(err, ErrNone) {
		return nil, 0, nil
	}
	return value, rev, err
}

// replace writes a key of STATE that was read as rev.
func (n *Node) replace(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	call, cancel := context.WithTimeout(ctx, patience(n.cfg.TTL))
	defer cancel()
	if rev == 0 {
		return n.cfg.State.Create(call, key, value)
	}
	return n.cfg.State.Update(call, key, value, rev)
}

// elect finds out what a new leader has to know before it begins; false: ctx has
// ended, or the lease is lost.
func (n *Node) elect(ctx context.Context, t *term, revision uint64) bool {
	for ctx.Err() == nil && !closed(t.leader.gone) {
		number, err := n.number(ctx, revision)
		if err == nil {
			_, t.asked, err = n.read(ctx, keyReconnect)
		}
		if err == nil {
			t.number, t.askedBefore = number, t.asked
			return true
		}
		_ = sleep(ctx, n.interval())
	}
	return false
}

// number is the term: the revision at which the leader's key was taken. A bucket
// that was made anew begins with low revisions; so that a term is never used twice,
// what is missing to the highest that was read is added, by every node alike.
func (n *Node) number(ctx context.Context, revision uint64) (uint64, error) {
	value, rev, err := n.read(ctx, keyOffset)
	if err != nil {
		return 0, err
	}
	offset, _ := strconv.ParseUint(string(value), 10, 64)
	n.mu.Lock()
	seen := n.seen
	n.mu.Unlock()
	if revision+offset <= seen {
		offset = seen
		if _, err := n.replace(ctx, keyOffset, []byte(strconv.FormatUint(offset, 10)), rev); err != nil {
			return 0, err
		}
	}
	return revision + offset, nil
}

// Load implements upstream.Keeper.
func (n *Node) Load(ctx context.Context) (upstream.Standing, error) {
	n.mu.Lock()
	t := n.term
	n.mu.Unlock()
	for t != nil && ctx.Err() == nil {
		value, rev, err := n.read(ctx, keyUpstream)
		if err != nil {
			_ = sleep(ctx, n.interval())
			continue
		}
		t.standingRev = rev
		var r record
		_ = json.Unmarshal(value, &r) // what cannot be read says nothing
		if r.State == upstream.StateHalted && (t.askedBefore > rev || r.Settings != n.cfg.Settings) {
			n.cfg.Log.Info("the halt of an earlier leader is over: a person asked for it, or the settings are others", "error", r.Error)
			r.Standing = upstream.Standing{Connects: r.Connects}
		}
		n.enter(t, Acquire)
		return r.Standing, nil
	}
	<-ctx.Done()
	return upstream.Standing{}, ctx.Err()
}

// Save implements upstream.Keeper.
func (n *Node) Save(s upstream.Standing) {
	n.mu.Lock()
	t := n.term
	n.mu.Unlock()
	if t == nil {
		return
	}
	switch s.State {
	case upstream.StateHalted:
		n.enter(t, Halted)
	case upstream.StateStreaming, upstream.StateSwitching:
		n.enter(t, Stream)
	default:
		n.enter(t, Connect)
	}
	t.mu.Lock()
	t.standing, t.dirty = s, true
	t.mu.Unlock()
	t.save()
}

// Trouble is told to the nodes that follow in place of the upstream's state for as
// long as this node leads: what keeps the posts from them although it has them. nil:
// nothing does. It never waits; the last call counts.
func (n *Node) Trouble(u *fanout.Upstream) {
	n.mu.Lock()
	t := n.term
	n.mu.Unlock()
	if t == nil {
		return
	}
	t.mu.Lock()
	same := t.trouble == u || t.trouble != nil && u != nil && *t.trouble == *u
	t.trouble = u
	// The standing of the last leader stays until there is one to put in its place.
	news := !same && t.standing.State != ""
	t.dirty = t.dirty || news
	t.mu.Unlock()
	if news {
		t.save()
	}
}

// write brings what is saved to STATE until the leadership ends.
func (n *Node) write(t *term) {
	for {
		select {
		case <-t.ctx.Done():
			return
		case <-t.unsaved:
			for n.writeOnce(t) != nil && sleep(t.ctx, n.interval()) == nil {
			}
		case done := <-t.flush:
			_ = n.writeOnce(t)
			close(done)
		}
	}
}

// writeOnce writes the standing if it has changed. A standing that a later leader
// wrote is left alone.
func (n *Node) writeOnce(t *term) error {
	t.mu.Lock()
	s, trouble, dirty := t.standing, t.trouble, t.dirty
	t.dirty = false
	t.mu.Unlock()
	if !dirty || t.leaving() || !t.valid(time.Now()) {
		return nil
	}
	value, err := json.Marshal(record{Term: t.number, Settings: n.cfg.Settings, Trouble: trouble, Standing: s})
	if err != nil {
		return nil // cannot happen: words and times
	}
	rev, err := n.replace(t.ctx, keyUpstream, value, t.standingRev)
	if err == nil {
		t.standingRev = rev
		return nil
	}
	// The answer may have been lost, or that to an earlier write, or a leader before
	// this one was late.
	was, rev, readErr := n.read(t.ctx, keyUpstream)
	var r record
	if readErr == nil && (json.Unmarshal(was, &r) != nil || r.Term <= t.number) {
		t.standingRev = rev
	} else if readErr == nil {
		return nil
	}
	t.mu.Lock()
	t.dirty = true
	t.mu.Unlock()
	return err
}

// flush waits until what was saved is in STATE, but not for long.
func (n *Node) flush(t *term) {
	done := make(chan struct{})
	limit := time.NewTimer(2 * patience(n.cfg.TTL))
	defer limit.Stop()
	select {
	case t.flush <- done:
	case <-limit.C:
		return
	}
	select {
	case <-done:
	case <-limit.C:
	}
}

// heed passes on a Reconnect of another node.
func (n *Node) heed(t *term) {
	// Of a bucket that was made anew it may be lower.
	if _, rev, err := n.read(t.ctx, keyReconnect); err == nil && rev != t.asked {
		t.asked = rev
		if rev > 0 && n.cfg.Reconnect != nil {
			n.cfg.Reconnect()
		}
	}
}
