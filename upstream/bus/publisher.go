package bus

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"aviary/fanout"
	"aviary/upstream/lease"
)

const (
	maxInFlight = 1024     // messages sent and not known to be stored
	maxWaiting  = 16_384   // messages taken and not known to be stored
	maxBytes    = 64 << 20 // of them
	ackTimeout  = 3 * time.Second
	skipTimeout = 200 * time.Millisecond // of one, once a later one is acknowledged: it is lost

	// While the bus stores, a source that is quicker waits in Publish for half of this to
	// be stored. The rest of what may wait is for a bus that is away.
	crowd      = 2 * maxInFlight
	crowdBytes = 4 << 20
	patience   = 250 * time.Millisecond // without an acknowledgement: the bus is away
	retryFirst = 50 * time.Millisecond  // after a failure; doubles to retryMost
	retryMost  = time.Second
)

// Errors of Publish.
var (
	ErrFull   = errors.New("the bus has been away for too long: as much as may wait is waiting")
	ErrLease  = errors.New("the lease is no longer valid")
	ErrClosed = errors.New("the publisher is closed")
)

// Publisher sends one term's events. A term has one Publisher: it numbers them.
//
// Messages go out in the order of Publish over a connection of their own that ends
// when it is cut. After any failure, a missing acknowledgement included, a new one
// is opened and everything not acknowledged goes out again, in order, before
// anything new; what the server has already, it knows by the message's id. So
// one server stores them in order. A cluster whose leader changes can lose one of a
// volley and store what came behind it: then the lost one comes later. What
// holds everywhere is that the order of the bus is the order that everybody sees.
type Publisher struct {
	bus   *Bus
	term  string
	valid func() bool
	stop  context.CancelFunc
	wake  chan struct{} // capacity 1: something to send, or to look at
	gone  chan struct{} // closed when run has ended

	mu       sync.Mutex
	queue    []*waiting // in order; the first is not acknowledged
	sent     int        // of queue, on this connection
	bytes    int
	n        uint64
	received time.Time     // of the last event
	progress time.Time     // when the last acknowledgement came, or sending began
	skipped  time.Time     // since when the first of queue has been passed over; zero: it has not
	room     chan struct{} // closed when the crowd has gone; nil: nobody waits
	failed   error         // on this connection: everything goes out again
	err      error         // for ever
	over     chan struct{}
	marker   *lease.Marker
}

// waiting is a message that is not known to be stored.
type waiting struct {
	m      *nats.Msg
	n      uint64
	size   int
	stored bool
	sent   int           // times
	done   chan struct{} // closed when it is stored; nil: nobody waits
}

// Publisher starts to publish for a term. valid is asked before each message is
// sent: once it says no, nothing more goes out and all that waits is dropped.
// It must be fast and safe for concurrent use. Whoever asked for it closes it.
func (b *Bus) Publisher(term uint64, valid func() bool) *Publisher {
	ctx, stop := context.WithCancel(context.Background())
	p := &Publisher{
		bus: b, term: strconv.FormatUint(term, 10), valid: valid, stop: stop,
		wake: make(chan struct{}, 1), gone: make(chan struct{}), over: make(chan struct{}),
	}
	go p.run(ctx)
	return p
}

// Publish takes one event; the event stays the caller's, but its JSON must not change.
// It returns at once, unless the bus stores more slowly than events come: then it waits
// until some are stored, and so does who reads the upstream, instead of filling memory
// and then losing events. A bus that stores nothing is not waited for. ErrFull: it was not taken, and neither will the
// next be until much has been stored (Flush). ErrLease, ErrClosed: nothing will
// be taken any more. Whatever the error, the leader closes its stream and tells
// what was lost by a gap when the next one opens. States of the upstream are not
// for the bus: they are ignored.
func (p *Publisher) Publish(e *fanout.Event) error {
	if e.Kind == fanout.KindUpstream {
		return nil
	}
	if takesAway(e.Kind) && !e.Seen {
		t := e.Target
		if t.Source == "" && e.Dialect != nil {
			t.Source = e.Dialect.Name
		}
		seen := seenCopy(e)
		seen.Target, seen.Seen = t, p.bus.held.has(t)
		e = seen
	}
	if e.Kind == fanout.KindPost {
		p.bus.held.send(e.Post)
	}
	p.makeRoom()
	_, err := p.take(func(received time.Time) *nats.Msg { return p.bus.config.encode(e, received) }, nil)
	return err
}

// makeRoom waits while a crowd waits and shrinks.
func (p *Publisher) makeRoom() {
	for {
		p.mu.Lock()
		if p.err != nil || !p.crowded(1) || time.Since(p.progress) > patience {
			p.mu.Unlock()
			return
		}
		if p.room == nil {
			p.room = make(chan struct{})
		}
		room := p.room
		p.mu.Unlock()
		select {
		case <-room:
		case <-p.over:
		case <-time.After(patience):
		}
	}
}

// crowded says that more than one part in so many of a crowd waits; mu is held.
func (p *Publisher) crowded(part int) bool {
	return len(p.queue) >= crowd/part || p.bytes >= crowdBytes/part
}

// seenCopy copies what encode reads of an event that is not ours to change.
func seenCopy(e *fanout.Event) *fanout.Event {
	return &fanout.Event{Kind: e.Kind, Dialect: e.Dialect, JSON: e.JSON, Target: e.Target, Window: e.Window, Sent: e.Sent}
}

// Mark publishes the marker of the term and waits until it is stored: from then
// on no reader takes anything of a lower term.
func (p *Publisher) Mark(ctx context.Context, m lease.Marker) error {
	p.mu.Lock()
	p.marker = &m
	p.mu.Unlock()
	done := make(chan struct{})
	_, err := p.take(func(received time.Time) *nats.Msg {
		return &nats.Msg{Subject: p.bus.config.terms(), Header: nats.Header{
			headerKind: {kindMarker}, headerReceived: {stamp(received)},
			headerNode: {url.PathEscape(m.Node)}, headerSlot: {strconv.Itoa(m.Slot)},
		}}
	}, done)
	if err != nil {
		return err
	}
	return p.wait(ctx, done)
}

func (p *Publisher) wait(ctx context.Context, done chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-p.over:
		return p.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take puts a message at the end of the queue.
func (p *Publisher) take(message func(received time.Time) *nats.Msg, done chan struct{}) (*waiting, error) {
	if !p.valid() {
		p.fail(ErrLease)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.err != nil:
		return nil, p.err
	case len(p.queue) >= maxWaiting || p.bytes >= maxBytes:
		return nil, ErrFull
	}
	if now := time.Now(); now.Round(0).After(p.received.Round(0)) {
		p.received = now
	}
	m := message(p.received)
	p.n++
	m.Header[headerTerm] = []string{p.term}
	m.Header[headerID] = []string{p.term + "-" + strconv.FormatUint(p.n, 10)}
	w := &waiting{m: m, n: p.n, size: len(m.Data) + 512, done: done}
	p.queue = append(p.queue, w)
	p.bytes += w.size
	p.bus.unacked.Add(1)
	p.poke()
	return w, nil
}

func (p *Publisher) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Failed is closed when nothing can be published any more; Err says why.
func (p *Publisher) Failed() <-chan struct{} { return p.over }

// Err is why Failed is closed: ErrLease or ErrClosed.
func (p *Publisher) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Flush waits until everything published so far is stored.
func (p *Publisher) Flush(ctx context.Context) error {
	p.mu.Lock()
	if p.err != nil || len(p.queue) == 0 {
		defer p.mu.Unlock()
		return p.err
	}
	last := p.queue[len(p.queue)-1]
	if last.done == nil {
		last.done = make(chan struct{})
	}
	done := last.done
	p.mu.Unlock()
	return p.wait(ctx, done)
}

// Close drops what is not stored yet and stops.
func (p *Publisher) Close() {
	p.fail(ErrClosed)
	p.stop()
	<-p.gone
}

// fail ends publishing for good.
func (p *Publisher) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return
	}
	p.err = err
	p.bus.unacked.Add(-int64(len(p.queue)))
	p.queue, p.sent, p.bytes = nil, 0, 0
	close(p.over)
	p.poke()
}
