package deliver

import "aviary/fanout"

// What a shard does for the clients that goroutines of their own serve.

// ring wakes whom the round's events are for.
func (s *shard) ring(r *fanout.Round) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.handlers) == 0 {
		return
	}
	if len(r.Everyone) > 0 || r.Overtaken {
		for _, h := range s.handlers {
			h.ring()
		}
		return
	}
	for i := range r.Due {
		for _, h := range s.byGroup[r.Due[i].Group] {
			h.ring()
		}
	}
}

// sweepHandlers wakes the clients that were silent for too long, are too old, or
// have something to tell. A heartbeat that falls due before the next sweep is due
// now; nothing else comes early.
func (s *shard) sweepHandlers(every int64) {
	now := s.clients.now()
	silent := now + every - int64(s.clients.cfg.Heartbeat)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.handlers {
		if c := h.client; c.until != 0 && now >= c.until {
			c.end(MaxAge)
		}
		if h.lastWrite.Load() < silent+h.client.early() {
			h.beat.Store(true)
			h.ring()
		}
		if t := h.tell.Load(); t != 0 && t < now {
			h.ring()
		}
	}
}

// join adds a client that has a subscription. From here on it is rung.
func (s *shard) join(h *handler) {
	s.mu.Lock()
	h.index = len(s.handlers)
	s.handlers = append(s.handlers, h)
	g := h.client.sub.Group()
	h.inGroup = len(s.byGroup[g])
	s.byGroup[g] = append(s.byGroup[g], h)
	s.mu.Unlock()
	// A drain that began before the client joined has not seen it.
	if s.clients.Draining() {
		h.client.end(Draining)
	}
}

// leave takes a client out again, in constant time.
func (s *shard) leave(h *handler) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.handlers) - 1
	s.handlers[h.index] = s.handlers[last]
	s.handlers[h.index].index = h.index
	s.handlers[last] = nil
	s.handlers = s.handlers[:last]

	g := h.client.sub.Group()
	members := s.byGroup[g]
	last = len(members) - 1
	members[h.inGroup] = members[last]
	members[h.inGroup].inGroup = h.inGroup
	members[last] = nil
	if last == 0 {
		delete(s.byGroup, g)
	} else {
		s.byGroup[g] = members[:last]
	}
}
