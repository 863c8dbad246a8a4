package deliver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"aviary/fanout"
)

// Config is what Clients needs. All durations must be positive, but for MaxAge.
type Config struct {
	Hub          *fanout.Hub
	Shards       int           // 0: one for each processor, at most 16
	MaxClients   int           // at once; 0: no limit
	MaxPerKey    int           // at once of one key; 0: no limit
	Heartbeat    time.Duration // silence before a heartbeat
	WriteTimeout time.Duration // a client that takes nothing for so long is closed
	MaxAge       time.Duration // connections live 80–100 % of it; 0: no limit
	Retry        time.Duration // the reconnection time told to clients
	Drain        time.Duration // spreads the reconnections after a drain

	Ended func(*Client, Reason) // told of every end of a stream that began; nil: nobody is
	Log   *slog.Logger          // of panics; default slog.Default()
}

// Why Admit refuses.
var (
	ErrDraining = errors.New("the gateway is shutting down")
	ErrFull     = errors.New("the gateway has as many clients as it may have")
	ErrKeyFull  = errors.New("this client has as many streams as it may have")
)

// Clients are all streaming clients of a gateway. Its methods are safe for
// concurrent use.
type Clients struct {
	cfg     Config
	start   time.Time // instants in atomics are nanoseconds after it
	shards  []*shard
	metrics *Metrics
	lastID  atomic.Uint64
	sockets atomic.Int64  // that shards own
	goal    atomic.Uint64 // set by Drain: the sequence up to which history is still written
	lent    atomic.Int64  // see shard.lend

	mu       sync.Mutex
	draining bool
	count    int
	byKey    map[string]int
	empty    chan struct{} // closed when draining and count is 0

	done  chan struct{} // closed by Close
	loops sync.WaitGroup
}

// New starts the shards; Close stops them.
func New(cfg Config) *Clients {
	if cfg.Shards <= 0 {
		cfg.Shards = min(runtime.GOMAXPROCS(0), 16)
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	cs := &Clients{
		cfg: cfg, start: time.Now(), byKey: map[string]int{},
		empty: make(chan struct{}), done: make(chan struct{}),
	}
	cs.metrics = newMetrics(cs)
	for range cfg.Shards {
		s := newShard(cs)
		cs.shards = append(cs.shards, s)
		cs.loops.Go(s.run)
	}
	return cs
}

// Close ends every stream without a word and stops the shards. Call Drain first
// to part in friendship.
func (cs *Clients) Close() {
	cs.mu.Lock()
	cs.drainLocked()
	select {
	case <-cs.done:
		cs.mu.Unlock()
		return
	default:
		close(cs.done)
	}
	cs.mu.Unlock()
	cs.askAll(Gone)
	cs.loops.Wait()
	if cs.Len() > 0 {
		return // a bell outlives its subscriptions; a stalled client still has one
	}
	for _, s := range cs.shards {
		s.bell.Close()
	}
}

// Admit gives a client a place, or says why not: ErrDraining, ErrFull or
// ErrKeyFull. key is whose streams are counted together; "" is exempt from the
// limit per key. The place is freed by Client.Leave.
func (cs *Clients) Admit(key string) (*Client, error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	switch {
	case cs.draining:
		return nil, ErrDraining
	case cs.cfg.MaxClients > 0 && cs.count >= cs.cfg.MaxClients:
		return nil, ErrFull
	case key != "" && cs.cfg.MaxPerKey > 0 && cs.byKey[key] >= cs.cfg.MaxPerKey:
		return nil, ErrKeyFull
	}
	cs.count++
	if key != "" {
		cs.byKey[key]++
	}
	id := cs.lastID.Add(1)
	now := time.Now()
	return &Client{
		ID: id, Key: key, Since: now,
		clients: cs, shard: cs.shardOf(id), until: cs.ageLimit(now),
	}, nil
}

// ageLimit chooses when a connection that begins now is old enough to end; 0:
// never. The sweep finds out up to one round later, which must not make it older
// than MaxAge.
func (cs *Clients) ageLimit(now time.Time) int64 {
	if cs.cfg.MaxAge <= 0 {
		return 0
	}
	least := 0.8 * float64(cs.cfg.MaxAge)
	spread := max(0, 0.2*float64(cs.cfg.MaxAge)-float64(cs.sweepEvery()))
	return int64(now.Add(time.Duration(least + spread*rand.Float64())).Sub(cs.start))
}

// free gives a place back.
func (cs *Clients) free(key string) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.count--
	if key != "" {
		if cs.byKey[key]--; cs.byKey[key] == 0 {
			delete(cs.byKey, key)
		}
	}
	cs.signalEmptyLocked()
}

func (cs *Clients) signalEmptyLocked() {
	if !cs.draining || cs.count > 0 {
		return
	}
	select {
	case <-cs.empty:
	default:
		close(cs.empty)
	}
}

func (cs *Clients) drainLocked() {
	if !cs.draining {
		cs.draining = true
		cs.goal.Store(cs.cfg.Hub.Stats().Head.Seq)
		cs.signalEmptyLocked()
	}
}

// Drain refuses new clients from now on, lets every client have what is in the
// log at this moment and then its bye, and returns when all of them have left.
// If ctx ends before that, the error says how many are still there.
func (cs *Clients) Drain(ctx context.Context) error {
	cs.mu.Lock()
	cs.drainLocked()
	cs.mu.Unlock()
	cs.askAll(Draining)
	select {
	case <-cs.empty:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d clients had not taken their goodbye: %w", cs.Len(), ctx.Err())
	}
}

// Draining reports whether Drain has been called.
func (cs *Clients) Draining() bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.draining
}

// Len is the number of clients that have a place.
func (cs *Clients) Len() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.count
}

// Sockets is the number of connections that have been taken from net/http and are
// still open.
func (cs *Clients) Sockets() int { return int(cs.sockets.Load()) }

// closeSocket closes a socket that has been taken.
func (cs *Clients) closeSocket(fd int) {
	closeSocket(fd)
	cs.sockets.Add(-1)
}

func (cs *Clients) shardOf(id uint64) *shard { return cs.shards[id%uint64(len(cs.shards))] }

func (cs *Clients) askAll(r Reason) {
	for _, s := range cs.shards {
		s.do(func() {
			for _, c := range s.owned {
				c.end(r)
				s.enqueue(c)
			}
		})
		s.mu.Lock()
		for _, h := range s.handlers {
			h.client.end(r)
		}
		s.mu.Unlock()
	}
}

// Evict ends the stream of the client with that id; false: there is none.
func (cs *Clients) Evict(id uint64) bool {
	s := cs.shardOf(id)
	found := make(chan bool, 1)
	if s.do(func() {
		evicted := false
		defer func() { found <- evicted }()
		evicted = s.evict(id)
	}) && <-found {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.handlers {
		if h.client.ID == id {
			h.client.end(Evicted)
			return true
		}
	}
	return false
}

func (s *shard) evict(id uint64) bool {
	for _, c := range s.owned {
		if c.ID == id {
			c.end(Evicted)
			s.enqueue(c)
			return true
		}
	}
	return false
}

// over tells of the end of a client's stream.
func (c *Client) over(r Reason) {
	c.clients.metrics.closed(c.form, r)
	if f := c.clients.cfg.Ended; f != nil {
		f(c, r)
	}
}

// now is the present for the instants in atomics.
func (cs *Clients) now() int64 { return int64(time.Since(cs.start)) }

// Jitter spreads d by half of it to both sides, for reconnection times.
func Jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d+1)
}

// RetryAfter is the reconnection time that belongs to a reason: uniform in
// [Retry, Retry+Drain] for a drain, long after an overload or an eviction,
// around Retry otherwise.
func (cs *Clients) RetryAfter(r Reason) time.Duration {
	switch r {
	case Draining:
		return cs.cfg.Retry + rand.N(cs.cfg.Drain+1)
	case Overloaded, Evicted:
		return 10*cs.cfg.Retry + rand.N(10*cs.cfg.Retry+1)
	}
	return Jitter(cs.cfg.Retry)
}
