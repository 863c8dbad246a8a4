package deliver

import (
	"sync"
	"time"

	"aviary/fanout"
)

// workSlice is how long a shard serves clients that are behind before it looks
// again for what is new for the live ones.
const workSlice = 2 * time.Millisecond

// A shard that has written to many live clients rests, for so many times as long
// as that took and at most for maxRest, before it does so again: what comes
// meanwhile goes out in one write. Two posts in one write cost little more
// than one. A shard with few clients, or with few posts, never notices: a thousand
// clients on two shards rest from 70 posts a second on.
const (
	restFactor = 4
	maxRest    = 10 * time.Millisecond
)

// shard is one loop. It owns the sockets of most of its clients and writes to
// them; the goroutines that serve the others it only wakes. For what concerns few
// it is not roused: see lend.
type shard struct {
	clients *Clients
	bell    *fanout.Bell
	counts  counts
	mail    mailbox
	ready   chan []readiness // from the poller
	poller  lazyPoller

	mu       sync.Mutex // never held over I/O
	handlers []*handler
	byGroup  map[*fanout.Group][]*handler

	turning sync.Mutex // held for a turn: by the loop, or by who serves for it

	// Owned by turning.
	round    fanout.Round
	rung     bool  // a round is needed, when the shard has rested
	again    bool  // another round is needed at once
	rest     int64 // until when it rests
	clock    int64
	batch    batch
	owned    []*Client // all whose sockets are the shard's
	table    []*Client // by seat.slot; nil: free
	turn     int32     // the last seat.turn
	free     []int32   // slots
	groups   map[*fanout.Group]*group
	queue    queue     // clients to be served
	ahead    []*Client // those that the next round has to reach first
	partings []int     // sockets whose clients still send; closed by a later sweep
}

func newShard(cs *Clients) *shard {
	s := &shard{
		clients: cs, bell: cs.cfg.Hub.NewBell(),
		mail:    newMailbox(),
		ready:   make(chan []readiness),
		byGroup: map[*fanout.Group][]*handler{},
		groups:  map[*fanout.Group]*group{},
	}
	s.bell.Lend(few, s.lend)
	return s
}

// sweepEvery is how often a shard looks over all its clients: often enough that
// a heartbeat comes at most an eighth of HEARTBEAT before it is due, never late.
func (cs *Clients) sweepEvery() time.Duration {
	d := min(cs.cfg.Heartbeat, cs.cfg.WriteTimeout)
	if cs.cfg.MaxAge > 0 {
		d = min(d, cs.cfg.MaxAge)
	}
	return min(max(d/8, 5*time.Millisecond), time.Second)
}

// run serves until Close. What is new for live clients comes first, then a slice
// of work for those behind, and now and then a look at all of them.
func (s *shard) run() {
	defer s.close()
	ticker := time.NewTicker(s.clients.sweepEvery())
	defer ticker.Stop()
	rested := time.NewTimer(time.Hour)
	defer rested.Stop()
	for !s.attend(ticker, rested) {
	}
}

// attend is one turn of the loop, for which it waits; true: it was the last. After a
// panic it is false, and the next turn comes.
func (s *shard) attend(ticker *time.Ticker, rested *time.Timer) (last bool) {
	var came roused
	if s.idle(rested) {
		select {
		case <-s.clients.done:
			return true
		case <-s.bell.C():
			came.rung = true
		case <-rested.C:
		case <-s.mail.c:
		case came.ready = <-s.ready:
		case <-ticker.C:
			came.tick = true
		}
	}
	s.turning.Lock()
	defer s.turning.Unlock()
	defer s.recovered()
	s.wake(came.ready)
	select {
	case <-s.clients.done:
		return true
	case list := <-s.ready:
		s.wake(list)
	default:
	}
	select {
	case <-ticker.C:
		came.tick = true
	default:
	}
	select {
	case <-s.bell.C():
		came.rung = true
	default:
	}
	s.rung = s.rung || came.rung
	s.serveTurn(came.tick)
	return false
}

// roused is what ended a wait of the loop.
type roused struct {
	rung, tick bool
	ready      []readiness
}

// idle reports whether the loop has nothing to do but wait; if it rests before a
// round, rested will tell when it may take it.
func (s *shard) idle(rested *time.Timer) bool {
	s.turning.Lock()
	defer s.turning.Unlock()
	if !s.queue.empty() || s.again {
		return false
	}
	if s.rung {
		rested.Reset(time.Duration(s.rest - s.clients.now()))
	}
	return true
}

// serveTurn does what is to be done in one turn.
func (s *shard) serveTurn(tick bool) {
	s.mail.open()
	s.clock = s.clients.now()
	if s.rung && s.clock >= s.rest || s.again || tick && len(s.owned) > 0 {
		s.take()
	}
	s.work()
	if tick {
		every := int64(s.clients.sweepEvery())
		s.sweepHandlers(every)
		s.sweep(every)
	}
}

// take takes a round and serves the live clients. Then those who stood ahead of
// the last round can be served by this one.
func (s *shard) take() {
	s.rung, s.again = false, false
	s.bell.Take(&s.round)
	began := s.clients.now()
	s.ring(&s.round)
	s.serveRound()
	s.clock = s.clients.now()
	s.rest = s.clock + min(restFactor*(s.clock-began), int64(maxRest))
	for i, c := range s.ahead {
		s.ahead[i] = nil
		s.enqueue(c)
	}
	s.ahead = s.ahead[:0]
}

// do lets the loop run f, soon; false: the loop has ended.
func (s *shard) do(f func()) bool { return s.mail.put(f) }

// close ends all streams without a word and lets go of everything.
func (s *shard) close() {
	s.turning.Lock()
	defer s.turning.Unlock()
	s.mail.close()
	s.poller.close()
	for len(s.owned) > 0 {
		s.drop(s.owned[len(s.owned)-1], Gone, true)
	}
	for _, fd := range s.partings {
		s.clients.closeSocket(fd)
	}
}

// mailbox is what other goroutines ask of a loop.
type mailbox struct {
	c chan struct{} // one slot: there is something

	mu     sync.Mutex
	asked  []func()
	closed bool
}

func newMailbox() mailbox { return mailbox{c: make(chan struct{}, 1)} }

func (m *mailbox) put(f func()) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.asked = append(m.asked, f)
	m.rouse()
	return true
}

// rouse ends the loop's wait.
func (m *mailbox) rouse() {
	select {
	case m.c <- struct{}{}:
	default:
	}
}

// open does what was asked.
func (m *mailbox) open() {
	m.mu.Lock()
	asked := m.asked
	m.asked = nil
	m.mu.Unlock()
	defer func() { // a panic takes nobody else's word away
		if len(asked) > 0 {
			m.putBack(asked)
		}
	}()
	for len(asked) > 0 {
		f := asked[0]
		asked = asked[1:]
		f()
	}
}

func (m *mailbox) putBack(asked []func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(asked, m.asked...)
	m.rouse()
}

// close does what was asked, and takes no more.
func (m *mailbox) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.open()
}

// queue is first in, first out.
type queue struct {
	list []*Client
	head int
}

func (q *queue) empty() bool { return q.head == len(q.list) }

func (q *queue) push(c *Client) {
	if q.head > 64 && q.head*2 > len(q.list) {
		n := copy(q.list, q.list[q.head:])
		clear(q.list[n:])
		q.list, q.head = q.list[:n], 0
	}
	q.list = append(q.list, c)
}

func (q *queue) pop() *Client {
	c := q.list[q.head]
	q.list[q.head] = nil
	q.head++
	return c
}
