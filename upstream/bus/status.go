package bus

// Status is a picture of the bus as this node sees it.
type Status struct {
	Connected bool   // to a server, with a stream that can be used
	Server    string // its name; "embedded"
	Error     string // what is wrong; "": nothing
	Hint      string // what an operator can do about it
	Damaged   string // where a store that could not be read was put aside; "": nowhere

	Filled bool   // the Source has read all that was there when it began
	Last   uint64 // sequence last read
	Lag    uint64 // messages on the bus that the Source has not read yet, as far as known
	Term   uint64 // the highest term read

	Unacked  int    // of this node's Publisher: taken and not known to be stored
	Messages uint64 // held by the stream
	Bytes    uint64 // of them
	Stale    uint64 // messages of a lower term dropped so far
	Resent   uint64 // messages sent again so far
	Erased   uint64 // deleted posts' messages overwritten by this node so far
}

// Status says how the bus is, for /status and metrics. It never waits for a server.
func (b *Bus) Status() Status {
	b.mu.Lock()
	s, looked := b.status, b.looked
	b.mu.Unlock()
	select {
	case <-b.source.filled:
		s.Filled = true
	default:
	}
	s.Last, s.Lag, s.Term = b.last.Load(), b.lag.Load(), b.term.Load()
	if !b.reading.Load() && looked > s.Last {
		s.Lag = looked - s.Last
	}
	s.Unacked = int(b.unacked.Load())
	s.Stale, s.Resent, s.Erased = b.stale.Load(), b.resent.Load(), b.erased.Load()
	return s
}

// Term is the highest term read so far.
func (b *Bus) Term() uint64 { return b.term.Load() }
