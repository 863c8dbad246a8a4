package deliver

import "time"

// What a shard does for clients that are not live: they have a cursor of their
// own, and are served one slice after the other until they are.

// enqueue has a client served soon.
func (s *shard) enqueue(c *Client) {
	if !c.queued && !c.blocked && !c.gone {
		c.queued = true
		s.queue.push(c)
	}
}

// work serves queued clients, each a slice in turn, for about workSlice.
func (s *shard) work() {
	if s.queue.empty() {
		return
	}
	end := s.clock + int64(workSlice)
	for !s.queue.empty() && s.clock < end {
		c := s.queue.pop()
		c.queued = false
		if !c.gone {
			s.guard(c, s.serve)
		}
		s.clock = s.clients.now()
	}
	s.batch.reset()
}

// serve does what is next for one client.
func (s *shard) serve(c *Client) {
	b := &s.batch
	b.reset()
	switch {
	case len(c.rest) > 0:
		s.flushRest(c)
		return
	case c.leaving != Open:
		s.part(c)
		return
	case c.cohort != nil && c.ask.Load() == uint32(Open):
		s.beat(c)
		return
	}
	s.rouse(c)
	if reason := c.asked(); reason != Open {
		s.bye(c, reason)
		return
	}
	switch c.fill(b, &s.round) {
	case over:
		if s.send(c, b) {
			s.bye(c, Limit)
		}
	case drained:
		s.settle(c, b)
	default:
		if s.send(c, b) {
			s.enqueue(c)
		}
	}
}

// settle finds a place for a client that has had everything in the round: among
// the live, or in the next round. Who pulls for itself waits to be roused.
func (s *shard) settle(c *Client, b *batch) {
	switch {
	case c.sub.Ahead(&s.round) || c.ask.Load() != uint32(Open):
		s.again = true
		s.ahead = append(s.ahead, c)
	case c.sub.Skips(): // those that are live get all that comes: it pulls, at each round
		s.ahead = append(s.ahead, c)
	case c.policy == nil:
		s.enter(c)
	default:
		until := c.idle(b, time.Now(), c.beat)
		c.beat, c.tell = false, 0
		if !until.IsZero() {
			c.tell = int64(until.Sub(s.clients.start))
		}
		s.send(c, b)
	}
}

// send writes a batch to one client. It returns false if the socket did not take
// all of it.
func (s *shard) send(c *Client, b *batch) bool {
	if b.size == 0 {
		s.clients.metrics.told(b.gaps, 1)
		return true
	}
	b.vector.set(b.blocks)
	n, err := b.vector.write(int(c.socket))
	if err != nil {
		s.drop(c, Gone, false)
		return false
	}
	if n < b.size {
		c.cutShort(s, b, n)
		return false
	}
	c.wrote(b)
	c.account(s, b, n)
	return true
}

// account counts what a client took of a batch.
func (c *Client) account(s *shard, b *batch, n int) {
	now := time.Now()
	c.lastWrite = int64(now.Sub(s.clients.start))
	c.posts += uint64(b.posts)
	c.told = max(c.told, b.last.Seq)
	s.counts.wrote(c.form.Coding, b.posts, n)
	s.counts.took(now, b.received, 1)
	s.clients.metrics.told(b.gaps, 1)
}

// cutShort notes that a client took only n bytes of a batch. When its socket has
// room again it gets the rest of what was cut; what lies behind it is then pulled
// anew, so that a post deleted meanwhile is not sent.
func (c *Client) cutShort(s *shard, b *batch, n int) {
	before := c.lastWrite
	c.rest = c.cut(b, n)
	c.account(s, b, n)
	s.block(c)
	c.stuck = c.lastWrite
	if n == 0 {
		c.lastWrite = before
	}
}

// block lets a client wait for room in its socket.
func (s *shard) block(c *Client) {
	c.blocked = true
	if !c.watched {
		c.watched = true
		if s.poller.watchRoom(int(c.socket), c.slot, c.turn) != nil {
			c.end(Gone) // cannot be: it is watched already. The write timeout ends it
		}
	}
}

// flushRest writes the rest of a frame that was cut.
func (s *shard) flushRest(c *Client) {
	n, err := writeSocket(int(c.socket), c.rest)
	if err != nil {
		s.drop(c, Gone, false)
		return
	}
	if n > 0 {
		c.lastWrite = s.clients.now()
		c.stuck = c.lastWrite
		s.counts.wrote(c.form.Coding, 0, n)
	}
	if c.rest = c.rest[n:]; len(c.rest) > 0 {
		s.block(c)
		return
	}
	c.rest = nil
	s.enqueue(c)
}

// wake looks at what the poller saw: sockets with room, clients that left.
func (s *shard) wake(list []readiness) {
	for _, r := range list {
		c := s.table[r.slot]
		if c == nil || c.turn != r.turn {
			continue
		}
		if r.gone {
			s.drop(c, Gone, false)
		} else if c.blocked {
			c.blocked = false
			s.enqueue(c)
		}
	}
}

// bye says goodbye.
func (s *shard) bye(c *Client, r Reason) {
	if r == Gone {
		s.drop(c, Gone, true)
		return
	}
	c.leaving = r
	b := &s.batch
	b.reset()
	c.feed.bye(b, r, s.clients.RetryAfter(r))
	if s.send(c, b) {
		s.part(c)
	}
}

// part closes the connection behind the last byte. A client that sends while its
// connection is closed would have that byte taken from it by a reset: its socket
// stays until it stops.
func (s *shard) part(c *Client) {
	if hangUp(int(c.socket)) {
		s.clients.closeSocket(int(c.socket))
	} else {
		s.poller.forget(int(c.socket))
		s.partings = append(s.partings, int(c.socket))
	}
	s.forget(c, c.leaving)
}
