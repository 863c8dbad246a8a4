package fanout

import (
	"sync"
	"sync/atomic"
)

// EncodingSlots is how many forms beside the plain frame an event can carry.
// Who owns which: slots below 21 are fanout/wire's, the others are free.
const EncodingSlots = 24

// encodings hang on an event from the first use of one until the event leaves
// the log or the budget takes them.
type encodings struct {
	mu    sync.Mutex // one builder at a time; never taken under the hub's lock
	bytes [EncodingSlots]atomic.Pointer[[]byte]
}

// released in Event.charged: the event left the log, later encodings are free.
const released = -1 << 62

// Encoding returns the event's form number slot, 0 ≤ slot < EncodingSlots. The
// first caller builds it, the others wait for that one and share the bytes,
// which nobody may change. The bytes are charged to the hub's budget; an event
// whose encodings were dropped builds them again when asked.
func (e *Event) Encoding(slot int, build func() []byte) []byte {
	set := e.encodings.Load()
	for set == nil {
		e.encodings.CompareAndSwap(nil, new(encodings))
		set = e.encodings.Load() // nil again if the budget was that quick
	}
	if b := set.bytes[slot].Load(); b != nil {
		return *b
	}
	b, fresh := set.build(slot, build)
	if fresh {
		e.charge(int64(cap(b)))
	}
	return b
}

func (s *encodings) build(slot int, build func() []byte) (b []byte, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.bytes[slot].Load(); p != nil {
		return *p, false
	}
	b = build()
	s.bytes[slot].Store(&b)
	return b, true
}

// charge puts n bytes on the event's account and makes room if that is too much.
func (e *Event) charge(n int64) {
	if e.budget == nil {
		return // not published
	}
	for {
		old := e.charged.Load()
		if old < 0 {
			return
		}
		if e.charged.CompareAndSwap(old, old+n) {
			break
		}
	}
	e.budget.add(e.pos, n)
}

// forget drops the event's encodings; whoever is writing them keeps the bytes.
// With gone the event has left the log and is never charged again.
func (e *Event) forget(gone bool) {
	next := int64(0)
	if gone {
		next = released
	}
	for {
		old := e.charged.Load()
		if old < 0 || old == 0 && !gone {
			return
		}
		if e.charged.CompareAndSwap(old, next) {
			e.encodings.Store(nil)
			e.budget.used.Add(-old)
			return
		}
	}
}

// budget bounds the encodings of all events in the log. Over the limit the
// oldest events' go first; the history itself is never touched.
type budget struct {
	hub   *Hub
	limit int64
	used  atomic.Int64
	low   atomic.Uint64 // no event before this position has encodings
	busy  sync.Mutex    // one evictor; taken before the hub's lock, never under it
}

func (b *budget) add(pos uint64, n int64) {
	used := b.used.Add(n)
	for {
		low := b.low.Load()
		if low <= pos || b.low.CompareAndSwap(low, pos) {
			break
		}
	}
	if used > b.limit && b.busy.TryLock() {
		defer b.busy.Unlock()
		for b.used.Load() > b.limit && b.evict() {
		}
	}
}

// evict drops encodings over at most 256 slots, so that the lock is short. It
// returns false when there is nothing left to drop.
func (b *budget) evict() bool {
	h := b.hub
	h.mu.RLock()
	defer h.mu.RUnlock()
	low := b.low.Load()
	from := max(low, h.log.base)
	if from >= h.log.head {
		return false
	}
	to := min(from+256, h.log.head)
	for p := from; p < to && b.used.Load() > b.limit; p++ {
		if e := h.log.at(p).event; e != nil {
			e.forget(false)
		}
		from = p + 1
	}
	b.low.CompareAndSwap(low, from) // fails if somebody just encoded an older one: then again
	return true
}
