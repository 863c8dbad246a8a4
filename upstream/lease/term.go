package lease

import (
	"context"
	"sync"
	"time"

	"aviary/upstream"
)

// Keys. Those of slots and of the leader are in LEASE; what is known of a slot
// whoever holds it, and the rest, in STATE.
const (
	keyLeader    = "leader"
	keySlot      = "slot."
	keyUpstream  = "upstream"
	keyReconnect = "reconnect"
	keyOffset    = "term.offset"
)

// term is one leadership of this node.
type term struct {
	number uint64
	leader *hold
	ctx    context.Context // of Lead and of every key held for it
	cancel context.CancelCauseFunc

	beside sync.WaitGroup // what runs for it

	over   chan struct{} // closed when a higher term was read
	marked chan struct{} // closed when the own marker was read

	mu      sync.Mutex
	slots   map[int]*taken
	leaveBy time.Time // zero: it has not resigned
	ended   bool      // over is closed
	read    bool      // marked is closed
	opened  bool      // a marker was sent
	before  predecessor

	standing upstream.Standing // the last that was saved
	dirty    bool              // it is not in STATE yet

	unsaved     chan struct{}      // dirty was set; capacity 1
	flush       chan chan struct{} // closed when what was saved before is in STATE, or failed to get there
	standingRev uint64             // of what is in STATE; owned by the goroutine that writes it, and by Load before

	// Revisions of the last Reconnect of another node: at the beginning, and now.
	askedBefore uint64
	asked       uint64 // owned by attend
}

// taken is a slot of this node.
type taken struct {
	*hold
	rev uint64 // of its record in STATE
}

// predecessor is a leader that has resigned and still streams.
type predecessor struct {
	key, nonce string
	write      uint64    // the newest of its renewals that was seen
	since      time.Time // when that was seen first
	alive      time.Time // when it was last known to publish; zero: there is none
}

// met notes what a slot's key held when it was asked for. A predecessor that has
// stopped renewing its slot has stopped publishing before the key vanishes: it does
// not count as alive for longer than it could be silent between two renewals.
func (t *term) met(key string, g grip, asked time.Time, ttl time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := &t.before
	if b.key != key || b.nonce != g.Nonce {
		if !g.Leaving {
			return
		}
		*b = predecessor{key: key, nonce: g.Nonce}
	}
	if b.since.IsZero() || b.write != g.Write {
		b.write, b.since = g.Write, asked
	}
	if asked.Sub(b.since) < ttl*9/20 {
		b.alive = asked
	}
}

// resign says that the term publishes on without the leader's key, at most until a
// time. It returns false if the term is not valid any more: what has lapsed once
// stays so, whatever comes of its renewals.
func (t *term) resign(until time.Time) bool {
	now := time.Now()
	if !t.valid(now) {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.leader.valid(now) { // since then
		return false
	}
	t.leaveBy = until
	return true
}

// valid says whether the term may publish.
func (t *term) valid(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return false
	}
	if t.leaveBy.IsZero() && !t.leader.valid(now) || !t.leaveBy.IsZero() && !now.Before(t.leaveBy) {
		return false
	}
	for _, s := range t.slots {
		if !s.valid(now) {
			return false
		}
	}
	return true
}

// saw notes a marker that was read.
func (t *term) saw(m Marker) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m.Term > t.number && !t.ended {
		t.ended = true
		close(t.over)
	}
	if m.Term == t.number && m.Node != "" && !t.read {
		t.read = true
		close(t.marked)
	}
}

// held returns the slots that are held.
func (t *term) held() (all []*taken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.slots {
		all = append(all, s)
	}
	return all
}

// leaving says that the node has resigned.
func (t *term) leaving() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.leaveBy.IsZero()
}
