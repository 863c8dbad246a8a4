package deliver

// sweep looks at all clients: who is too old, who takes nothing, who has heard
// nothing. A heartbeat that falls due before the next sweep is due now.
func (s *shard) sweep(every int64) {
	cfg := &s.clients.cfg
	now := s.clients.now()
	silent := now + every - int64(cfg.Heartbeat)
	stalled := now - int64(cfg.WriteTimeout)
	for i := len(s.owned) - 1; i >= 0; i-- { // who is dropped is replaced by one that was seen
		c := s.owned[i]
		last := c.lastWrite
		if c.cohort != nil {
			last = max(last, c.cohort.lastWrite)
		}
		switch {
		case c.blocked && c.stuck <= stalled:
			s.guard(c, s.tooSlow)
		case c.until != 0 && now >= c.until:
			c.end(MaxAge)
			s.enqueue(c)
		case last < silent+c.early() && !c.blocked:
			c.beat = true
			s.enqueue(c)
		case c.tell != 0 && c.tell < now:
			s.enqueue(c)
		}
	}
	s.sweepPartings()
}

// early is how much sooner than after HEARTBEAT a client gets its heartbeat, up to
// a quarter of it: thousands that came at once would else be due at once, again and
// again, and posts would wait for them.
func (c *Client) early() int64 {
	share := int64(c.ID * 0x9e3779b97f4a7c15 >> 56) // of 256, by Fibonacci hashing: neighbours are far apart
	return int64(c.clients.cfg.Heartbeat) / 4 * share / 256
}

// sweepPartings closes the sockets of those who had a second to stop sending.
func (s *shard) sweepPartings() {
	for _, fd := range s.partings {
		hangUp(fd)
		s.clients.closeSocket(fd)
	}
	s.partings = s.partings[:0]
}

// beat sends a heartbeat to a live client, if it is still due.
func (s *shard) beat(c *Client) {
	if !c.beat {
		return
	}
	c.beat = false
	last := max(c.lastWrite, c.cohort.lastWrite)
	if s.clients.now()-last <= int64(s.clients.cfg.Heartbeat)/2 {
		return
	}
	at := s.clients.cfg.Hub.Cursor(s.round.End(c.group.place))
	b := &s.batch
	b.scratch = c.form.appendHeartbeat(b.scratch[:0], at.String())
	b.say(c.form, b.scratch)
	b.last = at
	b.vector.set(b.blocks)
	n, err := b.vector.write(int(c.socket))
	switch {
	case err != nil:
		s.drop(c, Gone, false)
	case n < b.size:
		s.rouse(c)
		c.cutShort(s, b, n)
	default:
		c.wrote(b)
		c.account(s, b, n)
	}
}

// tooSlow ends the stream of a client that took nothing for a write timeout. Its
// socket may have found room by now for the word of it; then it is reset, so that
// the kernel forgets what the client will not read.
func (s *shard) tooSlow(c *Client) {
	b := &s.batch
	b.reset()
	n, err := writeSocket(int(c.socket), c.rest)
	if err == nil && n == len(c.rest) && c.leaving == Open {
		c.feed.bye(b, TooSlow, s.clients.RetryAfter(TooSlow))
		_, _ = writeSocket(int(c.socket), b.bytes()) // it is closed anyway
	}
	s.drop(c, TooSlow, true)
}
