package deliver

import "time"

// A post for one client of thousands costs less to write than to hand to another
// goroutine: waking one takes a thread from its sleep, and often a second that
// looks for more work. So what is new for at most few clients of a shard is
// written by whoever published it, if the shard is at rest. Sockets are written
// without waiting there too, and of the publisher's time a part of one in
// lentShare at most is taken, but for a moment of lentBurst: what comes faster
// than that, or is more, is the loop's.
const (
	few       = 4
	lentShare = 5
	lentBurst = 200 * time.Microsecond
)

// lend serves a round on the publisher's goroutine (fanout.Bell.Lend); false: the
// loop must.
func (s *shard) lend() bool {
	began := s.clients.now()
	paid := s.clients.lent.Load()
	if paid > began+int64(lentBurst) || !s.turning.TryLock() {
		return false
	}
	defer s.turning.Unlock()
	if s.rung || s.again || len(s.bell.C()) > 0 || len(s.ahead) > 0 || !s.queue.empty() {
		return false // the loop is at work, or will be at once
	}
	defer s.recovered()
	s.bell.Take(&s.round)
	s.ring(&s.round)
	s.serveRound()
	if !s.queue.empty() { // a socket was full, or somebody pulls for itself
		s.mail.rouse()
	}
	took := s.clients.now() - began
	s.clients.lent.Store(max(paid, began) + lentShare*took)
	return true
}
