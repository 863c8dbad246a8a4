package deliver

import (
	"sync"
	"time"

	"aviary/fanout"
)

// shard is one loop that wakes its clients.
type shard struct {
	clients *Clients
	bell    *fanout.Bell
	counts  counts

	mu     sync.Mutex // never held over I/O
	all    []*Client
	groups map[*fanout.Group][]*Client
}

// sweepEvery is how often a shard looks over all its clients: often enough that
// a heartbeat comes at most an eighth of HEARTBEAT early, never late.
func (cs *Clients) sweepEvery() time.Duration {
	d := min(cs.cfg.Heartbeat, cs.cfg.WriteTimeout)
	if cs.cfg.MaxAge > 0 {
		d = min(d, cs.cfg.MaxAge)
	}
	return min(max(d/8, 5*time.Millisecond), time.Second)
}

// run rings and sweeps until Close.
func (s *shard) run() {
	every := s.clients.sweepEvery()
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var round fanout.Round
	for {
		select {
		case <-s.clients.done:
			return
		case <-s.bell.C():
			s.bell.Take(&round)
			s.ring(&round)
		case <-ticker.C:
			s.sweep(int64(every))
		}
	}
}

// ring wakes whom the round's events are for.
func (s *shard) ring(r *fanout.Round) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(r.Everyone) > 0 || r.Overtaken {
		for _, c := range s.all {
			c.ring()
		}
		return
	}
	for i := range r.Due {
		for _, c := range s.groups[r.Due[i].Group] {
			c.ring()
		}
	}
}

// sweep wakes the clients that were silent for too long, are too old, or have
// something to tell. A heartbeat that falls due before the next sweep is due now;
// nothing else comes early.
func (s *shard) sweep(every int64) {
	now := s.clients.now()
	silent := now + every - int64(s.clients.cfg.Heartbeat)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.all {
		if c.until != 0 && now >= c.until {
			c.end(MaxAge)
		}
		if c.lastWrite.Load() < silent {
			c.beat.Store(true)
			c.ring()
		}
		if t := c.tell.Load(); t != 0 && t < now {
			c.ring()
		}
	}
}

// join adds a client that has a subscription. From here on it is rung.
func (s *shard) join(c *Client) {
	s.mu.Lock()
	c.index = len(s.all)
	s.all = append(s.all, c)
	g := c.sub.Group()
	c.inGroup = len(s.groups[g])
	s.groups[g] = append(s.groups[g], c)
	s.mu.Unlock()
	// A drain that began before the client joined has not seen it.
	if s.clients.Draining() {
		c.end(Draining)
	}
}

// leave takes a client out again, in constant time.
func (s *shard) leave(c *Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.all) - 1
	s.all[c.index] = s.all[last]
	s.all[c.index].index = c.index
	s.all[last] = nil
	s.all = s.all[:last]

	g := c.sub.Group()
	members := s.groups[g]
	last = len(members) - 1
	members[c.inGroup] = members[last]
	members[c.inGroup].inGroup = c.inGroup
	members[last] = nil
	if last == 0 {
		delete(s.groups, g)
	} else {
		s.groups[g] = members[:last]
	}
}
