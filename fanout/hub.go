package fanout

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"

	"aviary/fanout/filter"
)

// Config bounds a hub. A zero field takes its default.
type Config struct {
	Events int           // history: events held (20,000), the upstream's state changes apart
	Bytes  int64         // history: bytes of JSON and decoded posts (256 MiB); encodings get a quarter of it on top
	Age    time.Duration // history and tombstones: how long (24 h)
	Epoch  uint32        // of the cursors; 0: random
	Seen   int           // duplicate window: posts a source (50,000, and never fewer than Events)
}

const (
	defaultEvents = 20_000
	defaultBytes  = 256 << 20
	defaultAge    = 24 * time.Hour
	defaultSeen   = 50_000

	// maxUpstream is how many of the upstream's state changes stay in the log.
	// They are never replayed; only slow clients still have to pass them.
	maxUpstream = 64
)

func (c Config) withDefaults() Config {
	if c.Events <= 0 {
		c.Events = defaultEvents
	}
	if c.Bytes <= 0 {
		c.Bytes = defaultBytes
	}
	if c.Age <= 0 {
		c.Age = defaultAge
	}
	if c.Seen <= 0 {
		c.Seen = defaultSeen
	}
	// A held post is always in the window: that is where deletes look for it.
	c.Seen = max(c.Seen, c.Events+1)
	return c
}

// notice is the place of an event that is no post: it goes to everybody, or to
// those whom its aim names.
type notice struct {
	pos  uint64
	kind Kind
	aim  Aim
}

// Hub is the log in the middle: one side publishes, every client is a cursor in
// it. All methods are safe for concurrent use and none waits for a client.
type Hub struct {
	config Config
	epoch  uint32
	budget budget
	bells  [maxBells]atomic.Pointer[Bell]

	// mu is a leaf: nothing is sent, built, encoded or locked under it.
	mu sync.RWMutex

	// Owned by mu.
	closed   bool
	log      eventLog
	windows  map[string]*window // by source
	tombs    tombstones
	notices  []notice // of the log, by position
	upstream []uint64 // positions of the upstream's state changes still held
	index    *filter.Index[*Group]
	groups   map[string]*Group // by canonical filter; the empty one is not in the index
	subs     int
	now      time.Time // the last Received

	duplicates, tombstoned uint64

	// For the duration of one Publish.
	current *Event
	touched uint64 // bells to ring
	hit     func(*Group)
}

// NewHub returns an empty hub. It starts nothing: whoever owns it calls Trim
// now and then, so that a quiet history ages too.
func NewHub(c Config) *Hub {
	c = c.withDefaults()
	h := &Hub{
		config:  c,
		epoch:   newEpoch(c.Epoch),
		windows: map[string]*window{},
		tombs:   tombstones{dead: map[filter.Key]*Event{}},
		index:   filter.NewIndex[*Group](),
		groups:  map[string]*Group{},
	}
	h.budget.hub, h.budget.limit = h, c.Bytes/4
	h.hit = func(g *Group) { h.joinMatch(g) }
	return h
}

// Close ends publishing: from now on Publish returns false. What is held stays
// readable, and every bell rings once more.
func (h *Hub) Close() {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.ring(^uint64(0))
}

// Publish puts e at the head of the log, takes out what it deletes, and rings
// the bells of those it concerns. It returns false, and e goes nowhere, if e is
// a duplicate, a post that was deleted, or the hub is closed. e is the hub's
// from then on.
func (h *Hub) Publish(e *Event) bool {
	touched, ok := h.admit(e)
	h.ring(touched)
	return ok
}

func (h *Hub) ring(touched uint64) {
	for ; touched != 0; touched &= touched - 1 {
		if b := h.bells[bits.TrailingZeros64(touched)].Load(); b != nil {
			b.ring()
		}
	}
}

func (h *Hub) admit(e *Event) (touched uint64, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.complete()
	if h.closed || h.refuses(e) {
		return 0, false
	}
	h.stamp(e)
	h.aim(e)
	e.seal()
	e.budget = &h.budget
	h.remember(e)
	h.log.append(e)
	h.distribute(e)
	h.trim(e.Received)
	return h.touched, true
}

// refuses says that e was here before or must not come back, and counts it.
func (h *Hub) refuses(e *Event) bool {
	switch {
	case e.Kind.sequenced() && e.ID.Seq != 0 && e.ID.Seq <= h.log.seq:
		h.duplicates++
		return true
	case e.Kind == KindPost && e.Post.Key.ID != "":
		key := e.Post.Key
		if _, dead := h.tombs.dead[key]; dead {
			h.tombstoned++
			return true
		}
		if s := h.windows[key.Source].find(key.ID); s != nil && s.window == e.Window {
			h.duplicates++
			return true
		}
	case h.tombs.repeated(e):
		h.duplicates++
		return true
	}
	return false
}

// stamp sets the time and the cursor. The clock may step back; Received does
// not: it then goes on from where it was, at the monotonic clock's pace.
func (h *Hub) stamp(e *Event) {
	now := time.Now()
	if now.Round(0).Before(h.now.Round(0)) {
		now = h.now.Add(max(0, now.Sub(h.now)))
	}
	h.now, e.Received = now, now
	switch {
	case !e.Kind.sequenced():
		e.ID.Seq = h.log.seq
	case e.ID.Seq == 0:
		e.ID.Seq = h.log.seq + 1
	}
	if e.ID.Epoch == 0 {
		e.ID.Epoch = h.epoch
	}
	if e.Kind == KindGap && e.Loss != nil {
		h.sealLoss(e)
	}
}

// remember notes a post in its source's window.
func (h *Hub) remember(e *Event) {
	if e.Kind != KindPost || e.Post.Key.ID == "" {
		return
	}
	w := h.windows[e.Post.Key.Source]
	if w == nil {
		w = newWindow(h.config.Seen)
		h.windows[e.Post.Key.Source] = w
	}
	w.add(e.Post, e.Window, h.log.head, e.ID.Seq)
}

// distribute lets the groups know, and the lists of what is no post.
func (h *Hub) distribute(e *Event) {
	h.current, h.touched = e, 0
	switch e.Aim {
	case AimMatching:
		h.match(e)
	case AimUnfiltered:
		for n := range h.bells {
			if b := h.bells[n].Load(); b != nil && b.all > 0 {
				h.touched |= 1 << n
			}
		}
	case AimEveryone:
		for n := range h.bells {
			if b := h.bells[n].Load(); b != nil && b.subs > 0 {
				h.touched |= 1 << n
			}
		}
	}
	h.current = nil
	if e.Kind == KindPost {
		return
	}
	h.notices = append(h.notices, notice{pos: e.pos, kind: e.Kind, aim: e.Aim})
	switch {
	case e.Kind.duty(), e.Kind == KindGap:
		h.tombs.add(e)
	case e.Kind == KindUpstream:
		h.upstream = append(h.upstream, e.pos)
	}
}

// match finds the groups of a post, or of the posts that a delete took away.
func (h *Hub) match(e *Event) {
	if all := h.groups[""]; all != nil {
		h.touched |= all.bells
	}
	if e.Kind == KindPost {
		h.index.Match(e.Post, h.hit)
		return
	}
	for _, p := range e.dead {
		h.index.Match(p, h.hit)
	}
}

// Trim drops what is too old. Publish does so too; a quiet hub needs the call.
func (h *Hub) Trim() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.trim(time.Now())
}

func (h *Hub) trim(now time.Time) {
	l := &h.log
	for l.base < l.head {
		old := now.Sub(l.at(l.base).at) > h.config.Age
		full := l.count > h.config.Events || l.bytes > h.config.Bytes
		if !old && !(full && l.base < l.head-1) { // the newest event always has its place
			break
		}
		l.drop()
	}
	for len(h.upstream) > 0 && (len(h.upstream) > maxUpstream || h.upstream[0] < l.base) {
		if pos := h.upstream[0]; pos >= l.base {
			l.empty(l.at(pos))
		}
		h.upstream = h.upstream[1:]
	}
	for len(h.notices) > 0 && h.notices[0].pos < l.base {
		h.notices = h.notices[1:]
	}
	h.tombs.trim(now, h.config.Age)
}

// Has says that a post is held right now.
func (h *Hub) Has(key filter.Key) (held bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	h.windows[key.Source].same(key.ID, func(s *sighting) { held = held || h.holds(s) })
	return held
}

// PostsBy lists the posts of an author, by id, that are held right now, of any
// source, newest first.
func (h *Hub) PostsBy(author string) (keys []filter.Key) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	listed := map[filter.Key]bool{}
	for source, w := range h.windows {
		w.by(author, func(s *sighting) {
			key := filter.Key{Source: source, ID: s.id}
			if h.holds(s) && !listed[key] {
				listed[key] = true
				keys = append(keys, key)
			}
		})
	}
	return keys
}

// Find looks for a post by its id in any source among the posts that are held
// or still in the duplicate window. If several sources know the id, the newest
// wins.
func (h *Hub) Find(id string) (key filter.Key, author string, ok bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	source, s := h.sighting(id)
	if s == nil {
		return filter.Key{}, "", false
	}
	return filter.Key{Source: source, ID: id}, s.author, true
}

// sighting returns the newest sighting of an id in any source, or nil.
func (h *Hub) sighting(id string) (source string, newest *sighting) {
	for src, w := range h.windows {
		if s := w.find(id); s != nil && (newest == nil || s.pos > newest.pos) {
			source, newest = src, s
		}
	}
	return source, newest
}

// Stats is a picture of a hub.
type Stats struct {
	Events        int   // held, the upstream's state changes apart
	Bytes         int64 // held: JSON and decoded posts
	EncodingBytes int64 // held on top: other forms of the same events
	Filters       int   // groups
	Subscriptions int
	Tombstones    int

	Head     Cursor    // of the last event
	From, To time.Time // when the oldest and the newest event held were received; zero if none is

	Posts      uint64 // published so far
	Duplicates uint64 // refused so far
	Tombstoned uint64 // refused so far
}

// Stats returns a picture of the hub. It drops what is too old first.
func (h *Hub) Stats() Stats {
	h.Trim()
	h.mu.RLock()
	defer h.mu.RUnlock()
	s := Stats{
		Events: h.log.count, Bytes: h.log.bytes, EncodingBytes: h.budget.used.Load(),
		Filters: len(h.groups), Subscriptions: h.subs, Tombstones: len(h.tombs.list),
		Head:  Cursor{h.epoch, h.log.seq},
		Posts: h.log.posts, Duplicates: h.duplicates, Tombstoned: h.tombstoned,
	}
	if h.log.base < h.log.head {
		s.From, s.To = h.log.at(h.log.base).at, h.log.at(h.log.head-1).at
	}
	return s
}
