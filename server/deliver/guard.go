package deliver

import (
	"runtime/debug"

	"aviary/fanout"
)

// A panic in a loop must neither end the program nor leave a client in silence.
// What it touched is reset: those clients come back with their cursors, and are
// told what they missed.

// guard does something for one client.
func (s *shard) guard(c *Client, do func(*Client)) {
	defer func() {
		if v := recover(); v != nil {
			s.panicked(v)
			s.give(c)
		}
	}()
	do(c)
}

// give gives a client up, wherever it is in the books.
func (s *shard) give(c *Client) {
	switch {
	case c.gone:
	case c.group == nil:
		c.gone = true
		c.abandon(Failed)
	default:
		s.drop(c, Failed, true)
	}
}

// recovered is deferred around a turn of the loop. After a panic that belongs to
// no client the shard's books cannot be trusted: all its clients go.
func (s *shard) recovered() {
	v := recover()
	if v == nil {
		return
	}
	s.panicked(v)
	for n := len(s.owned) - 1; n >= 0; n-- {
		c := s.owned[n]
		s.guard(c, s.give)
		if len(s.owned) > n { // a book is wrong
			s.owned = s.owned[:n]
		}
	}
	s.queue, s.ahead, s.groups = queue{}, nil, map[*fanout.Group]*group{}
	s.batch, s.again = batch{}, false
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.handlers {
		h.ring()
	}
}

// dropAll lets all members of a cohort go after a panic: some may have got what
// others have not.
func (s *shard) dropAll(co *cohort) {
	v := recover()
	if v == nil {
		return
	}
	s.panicked(v)
	for len(co.members) > 0 {
		s.drop(co.members[len(co.members)-1], Failed, true)
	}
}

func (s *shard) panicked(v any) {
	s.clients.cfg.Log.Error("a shard panicked", "panic", v, "stack", string(debug.Stack()))
}
