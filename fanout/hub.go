package fanout

import (
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
	epoch  atomic.Uint32 // written under mu
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
	sizes    sizes
	subs     int
	now      time.Time // the last Received

	asks asks

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
		windows: map[string]*window{},
		tombs:   tombstones{dead: map[filter.Key]*Event{}},
		index:   filter.NewIndex[*Group](),
		groups:  map[string]*Group{},
		sizes:   sizes{},
	}
	h.epoch.Store(newEpoch(c.Epoch))
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
	h.ring(^uint64(0), 0)
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

// Deleted says that a delete of this very post is remembered: Publish takes no other.
func (h *Hub) Deleted(key filter.Key) bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	e := h.tombs.dead[key]
	return e != nil && e.Target.key() == key
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
