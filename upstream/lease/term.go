package lease

import (
	"context"
	"sync"
	"time"

	"aviary/fanout"
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
	leaveBy time.Time   // zero: it has not resigned
	ended   bool        // over is closed
	read    bool        // marked is closed
	opened  bool        // a marker was sent
	before  predecessor // the last that was met; no key: none was

	standing upstream.Standing // the last that was saved
	trouble  *fanout.Upstream  // told in its place; nil: nothing is
	dirty    bool              // they are not in STATE yet

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

// predecessor is a slot of a leader that has resigned and still streams.
type predecessor struct{ key, nonce string }

// met notes what a slot's key held.
func (t *term) met(key string, g grip) {
	if g.Leaving {
		t.mu.Lock()
		t.before = predecessor{key, g.Nonce}
		t.mu.Unlock()
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

// save has what is dirty written to STATE.
func (t *term) save() {
	select {
	case t.unsaved <- struct{}{}:
	default:
	}
}

// leaving says that the node has resigned.
func (t *term) leaving() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.leaveBy.IsZero()
}
