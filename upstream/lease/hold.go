package lease

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"sync"
	"time"
)

// grip is the value of a key in LEASE: who holds it.
type grip struct {
	Node    string `json:"node"`
	Nonce   string `json:"nonce"` // of this hold: another life of the same node has another
	Write   uint64 `json:"write"` // counts the writes, to tell which one a lost answer was about
	Term    uint64 `json:"term,omitempty"`
	Leaving bool   `json:"leaving,omitempty"` // its holder has resigned
}

func readGrip(raw []byte) (g grip) {
	_ = json.Unmarshal(raw, &g) // what cannot be read is somebody else's
	return g
}

// hold is one key of LEASE that this node holds, or tries to. It is valid until
// 0.8 TTL after the sending of the last write that is known to have arrived: the
// key itself vanishes no earlier than a TTL after that.
type hold struct {
	store Store
	key   string
	ttl   time.Duration // 0: it needs no renewal, nobody else can take it
	gone  chan struct{} // closed when it is lost or released
	hurry chan struct{} // capacity 1: renew now

	mu    sync.Mutex
	grip  grip
	rev   uint64
	until time.Time            // valid until
	sent  map[uint64]time.Time // writes that may yet turn out to have arrived
	dog   *time.Timer          // fires at until
	ended bool                 // gone is closed

	offered bool      // whoever wants the key may have it by now
	leaveBy time.Time // it is not renewed from then on; zero: for as long as it is held
}

func newHold(store Store, key, node string, ttl time.Duration) *hold {
	return &hold{
		store: store, key: key, ttl: ttl, gone: make(chan struct{}), hurry: make(chan struct{}, 1),
		grip: grip{Node: node, Nonce: rand.Text()}, sent: map[uint64]time.Time{},
	}
}

// patience is how long one call to the store may take.
func (h *hold) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, patience(h.ttl))
}

// patience leaves time for three calls between the sending of one renewal and
// the end of the validity of the last.
func patience(ttl time.Duration) time.Duration {
	if ttl <= 0 {
		return time.Second
	}
	return ttl / 6
}

// validity is how long after the sending of a write its key is certain to be there.
func validity(ttl time.Duration) time.Duration { return ttl * 4 / 5 }

// write makes the value of one more write; the time counts from now.
func (h *hold) write() (write uint64, value []byte, rev uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.grip.Write++
	h.sent[h.grip.Write] = time.Now()
	value, _ = json.Marshal(h.grip) // strings and numbers: it cannot fail
	return h.grip.Write, value, h.rev
}

// arrived notes that a write is known to have arrived as rev.
func (h *hold) arrived(write, rev uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	sent, known := h.sent[write]
	if h.ended || !known {
		return
	}
	h.rev = rev
	for n := range h.sent {
		if n <= write {
			delete(h.sent, n)
		}
	}
	if h.ttl <= 0 {
		return
	}
	if !h.until.IsZero() && !time.Now().Before(h.until) {
		return // it has lapsed, and must not come back before expire has seen that
	}
	h.until = sent.Add(validity(h.ttl))
	if h.dog == nil {
		h.dog = time.AfterFunc(time.Until(h.until), h.expire)
	} else {
		h.dog.Reset(time.Until(h.until))
	}
}

// expire loses the hold if its time is over.
func (h *hold) expire() {
	if !h.valid(time.Now()) {
		h.lose()
	}
}

// lose ends the hold.
func (h *hold) lose() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return
	}
	h.ended = true
	if h.dog != nil {
		h.dog.Stop()
	}
	close(h.gone)
}

// valid says that nobody else can hold the key now.
func (h *hold) valid(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.validLocked(now)
}

func (h *hold) validLocked(now time.Time) bool {
	return !h.ended && !h.offered && h.rev > 0 && (h.ttl <= 0 || now.Before(h.until))
}

// create tries to take a key that nobody has: nil, ErrExists when somebody else has
// it, else nobody knows and it can be called again.
func (h *hold) create(ctx context.Context) error { return h.take(ctx, 0) }

// take is create, or tries to take a key over that its holder offered as the
// revision from.
func (h *hold) take(ctx context.Context, from uint64) error {
	write, value, _ := h.write()
	call, cancel := h.patience(ctx)
	var rev uint64
	var err error
	if from == 0 {
		rev, err = h.store.Create(call, h.key, value)
	} else {
		rev, err = h.store.Update(call, h.key, value, from)
	}
	cancel()
	if err == nil {
		h.arrived(write, rev)
		return h.taken()
	}
	if mine, e := h.look(ctx); e == nil && mine {
		return h.taken()
	} else if e == nil {
		return ErrExists
	}
	return err
}

// taken is nil if what was taken is still valid: answers may come late.
func (h *hold) taken() error {
	if h.valid(time.Now()) {
		return nil
	}
	h.lose()
	return context.DeadlineExceeded
}

// look reads the key and says whether it is this hold's.
func (h *hold) look(ctx context.Context) (mine bool, err error) {
	call, cancel := h.patience(ctx)
	defer cancel()
	value, rev, err := h.store.Get(call, h.key)
	if err != nil {
		return false, err
	}
	g := readGrip(value)
	if g.Nonce != h.grip.Nonce {
		return false, nil
	}
	h.arrived(g.Write, rev)
	return true, nil
}

// keep renews the key every third of the TTL until it is lost, released, or ctx ends;
// after leave so often that others soon see that its holder is still there, and no
// longer than it is.
func (h *hold) keep(ctx context.Context) {
	if h.ttl <= 0 {
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-h.gone:
			cancel() // no call outlives the hold
		case <-ctx.Done():
		}
	}()
	t := time.NewTimer(h.ttl / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-h.hurry:
		}
		began := time.Now()
		if h.left(began) {
			return
		}
		switch arrived := h.renew(ctx); {
		case h.leaving():
			t.Reset(h.ttl / 48)
		case arrived:
			t.Reset(h.ttl/3 - time.Since(began))
		default:
			t.Reset(h.ttl / 24) // soon, but not in a hot loop
		}
	}
}

// renew writes the key again and says whether that is known to have arrived.
func (h *hold) renew(ctx context.Context) bool {
	write, value, rev := h.write()
	call, cancel := h.patience(ctx)
	rev, err := h.store.Update(call, h.key, value, rev)
	cancel()
	if err == nil {
		h.arrived(write, rev)
		return true
	}
	mine, err := h.look(ctx)
	if err == nil && !mine || errors.Is(err, ErrNone) {
		h.lose()
	}
	return false
}

// leave says in the key's value that its holder has resigned, and does not renew it from
// a time on; zero: whatever the time.
func (h *hold) leave(ctx context.Context, by time.Time) {
	h.mu.Lock()
	h.grip.Leaving, h.leaveBy = true, by
	h.mu.Unlock()
	for range 3 { // keep may write at the same time
		if h.renew(ctx) {
			break
		}
	}
	select {
	case h.hurry <- struct{}{}:
	default:
	}
}

// left says that the time is over that leave set.
func (h *hold) left(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.leaveBy.IsZero() && !now.Before(h.leaveBy)
}

func (h *hold) leaving() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.grip.Leaving
}

// resign offers the key to whoever wants it. It is not deleted: a key that is gone
// leaves open whether its holder knows.
func (h *hold) resign(ctx context.Context) {
	if h.ttl <= 0 {
		h.release(ctx)
		return
	}
	h.mu.Lock()
	held := h.validLocked(time.Now())
	h.offered = true
	h.mu.Unlock()
	if held {
		h.leave(ctx, time.Time{})
	}
	h.lose()
}

// revision is that of the last write that is known to have arrived.
func (h *hold) revision() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rev
}

// release gives the key back. What fails vanishes by itself.
func (h *hold) release(ctx context.Context) {
	h.mu.Lock()
	rev, ended := h.rev, h.ended
	h.mu.Unlock()
	h.lose()
	if ended || rev == 0 {
		return
	}
	call, cancel := h.patience(ctx)
	defer cancel()
	if h.store.Delete(call, h.key, rev) == nil {
		return
	}
	again, cancel := h.patience(ctx) // the last renewal may have arrived without our knowing
	defer cancel()
	if value, rev, err := h.store.Get(again, h.key); err == nil && readGrip(value).Nonce == h.grip.Nonce {
		_ = h.store.Delete(again, h.key, rev)
	}
}
