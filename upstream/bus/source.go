package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"aviary/upstream"
	"aviary/upstream/lease"
)

const (
	// heartbeat is how often the server says that there is nothing new. Who hears nothing
	// for so long as overdue begins anew: the server of the consumer is gone, or the way.
	heartbeat = 500 * time.Millisecond
	overdue   = 3*heartbeat + heartbeat/4

	// openFirst is how long the consumer may take to be there, the first time; it doubles up
	// to openMost. While servers come and go questions get lost, and the next is answered.
	openFirst = time.Second
	openMost  = 2 * askTimeout
)

// SourceConfig is what a node wants to hear of. The functions are called from the
// goroutine in Stream; nil ones are not called.
type SourceConfig struct {
	// Renewed tells the epoch of what comes next: before the first event of the
	// first Stream, and when the stream was made anew or restored. The hub must
	// forget what it holds of another epoch (Hub.Renew).
	Renewed func(epoch uint32)
	// Lost tells up to which sequence events are gone from a bus that is read from its
	// beginning, and when they were received at the latest (Hub.Lost): before the first
	// event of an epoch is emitted, if there are any.
	Lost func(seq uint64, at time.Time)
	// Marked tells each marker whose term is at least as high as all before it.
	Marked func(lease.Marker)
}

// Source reads the bus: it implements upstream.Source. One connection is one
// ordered reading, from the oldest message held, or from behind the last one read.
// There is one to a Bus, and one Stream at a time.
type Source struct {
	bus    *Bus
	once   sync.Once
	filled chan struct{}
	heard  atomic.Int64 // Unix nanoseconds; 0: nothing

	// Owned by the goroutine in Stream; the next one goes on with it.
	config  SourceConfig
	epoch   uint32
	last    uint64    // sequence last read
	target  uint64    // filled at this sequence; it may be gone by then, and a heartbeat tells
	term, n uint64    // of the newest numbered message that was taken
	before  time.Time // when that was received
	newest  time.Time // when the newest event of the upstream's stream was received
	holes   holes     // numbers of the term that are missing
	lost    holes     // those of earlier terms that nobody has told of
	strange bool      // a message in an unknown dialect was told
	end     uint64    // where the stream ended when this epoch's reading began
	begun   bool      // an event, or that there is none, was read in this epoch
	others  uint64    // messages read before that
	opens   int       // Streams in a row that did not find a consumer in time
}

// Source returns the reader of the bus. It is to be called once, before its Stream.
func (b *Bus) Source(c SourceConfig) *Source {
	b.source.config = c
	return b.source
}

// Filled is closed once everything was emitted that was on the bus when the first
// Stream began.
func (s *Source) Filled() <-chan struct{} { return s.filled }

// Heard is until when all that came from the upstream's stream was read: when the newest
// event had come from there, or the last one before something that is missing; zero: none was read. What takes posts away says nothing of it: operators, and
// sources that have a stream of their own for it, publish it while there is no stream of posts.
func (s *Source) Heard() time.Time {
	if n := s.heard.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

// Stream implements upstream.Source. Events have ID and Received set: the
// sequence of the bus and the time at which the leader received them. Errors are
// of class Network: whatever happens, the next Stream goes on where this one was,
// and a gap tells if the bus no longer holds that.
func (s *Source) Stream(ctx context.Context, to upstream.Sink) error {
	r, err := s.open(ctx)
	if err != nil {
		return s.bus.explain("the bus cannot be read", err)
	}
	s.bus.reading.Store(true)
	defer s.bus.reading.Store(false)
	defer r.close()
	to.Alive(1)
	if err := r.read(ctx, to); err != nil {
		if ctx.Err() == nil {
			s.bus.look()
		}
		return s.bus.explain("reading the bus was interrupted", err)
	}
	return trouble(errors.New("the bus begins a new epoch"), "nothing to do: its stream was made anew or restored")
}

// reading is one connection and the consumer on it.
type reading struct {
	s        *Source
	nc       *nats.Conn
	js       jetstream.JetStream
	messages chan *nats.Msg
	cut      chan struct{}
	changed  chan struct{} // the bus has another epoch
	name     string        // of the consumer
	expect   uint64        // its next number
	beat     time.Time     // when something came last
}

// open waits until the bus is there and starts a consumer behind the last message read.
func (s *Source) open(ctx context.Context) (*reading, error) {
	b := s.bus
	if _, err := b.jetStream(); err != nil {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.status.Error != "" {
			return nil, trouble(errors.New(b.status.Error), b.status.Hint)
		}
		return nil, err
	}
	b.mu.Lock()
	changed := b.changed
	b.mu.Unlock()
	if epoch := b.epoch.Load(); epoch != s.epoch {
		s.begin(epoch)
	}
	r := &reading{s: s, cut: make(chan struct{}), changed: changed, expect: 1, messages: make(chan *nats.Msg, 65_536)}
	nc, err := b.dial("reader", false, nats.ClosedHandler(func(*nats.Conn) { close(r.cut) }))
	if err != nil {
		return nil, err
	}
	r.nc = nc
	if err := r.consume(ctx); err != nil {
		s.opens++
		nc.Close()
		return nil, err
	}
	s.opens = 0
	return r, nil
}

// begin forgets everything of another epoch.
func (s *Source) begin(epoch uint32) {
	if s.epoch != 0 {
		s.bus.held.clear()
	}
	s.epoch, s.last, s.term, s.n = epoch, 0, 0, 0
	s.end, s.begun, s.others = 0, false, 0
	s.before, s.newest, s.holes, s.lost = time.Time{}, time.Time{}, nil, nil
	s.heard.Store(0)
	s.bus.last.Store(0)
	s.bus.term.Store(0)
	if s.config.Renewed != nil {
		s.config.Renewed(epoch)
	}
}

func (r *reading) consume(ctx context.Context) error {
	var err error
	if r.js, err = jetstream.New(r.nc); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, min(openFirst<<min(r.s.opens, 8), openMost))
	defer cancel()
	inbox := r.nc.NewInbox()
	sub, err := r.nc.ChanSubscribe(inbox, r.messages)
	if err != nil {
		return err
	}
	_ = sub.SetPendingLimits(-1, -1)
	stream, err := r.js.Stream(ctx, r.s.bus.config.Name)
	if err != nil {
		return err
	}
	info := stream.CachedInfo()
	switch {
	case epochOf(info) != r.s.epoch:
		r.s.bus.look()
		return errors.New("the stream has another epoch")
	case info.State.LastSeq < r.s.last:
		r.s.bus.look()
		return fmt.Errorf("the stream ends at %d, but %d was read: it was restored, or lost its end", info.State.LastSeq, r.s.last)
	}
	if r.s.last == 0 {
		r.s.end = info.State.LastSeq
	}
	if !r.s.isFilled() {
		// The stream may end in messages that are gone.
		last, err := stream.GetLastMsgForSubject(ctx, r.s.bus.config.Name+".>")
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			r.s.fill()
		case err != nil:
			return err
		default:
			r.s.target = last.Sequence
		}
	}
	consumer, err := r.js.CreatePushConsumer(ctx, r.s.bus.config.Name, jetstream.ConsumerConfig{
		DeliverSubject: inbox, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.s.last + 1,
		AckPolicy: jetstream.AckNonePolicy, MaxDeliver: 1, MemoryStorage: true, Replicas: 1,
		FlowControl: true, IdleHeartbeat: heartbeat, InactiveThreshold: 30 * time.Second,
	})
	if err != nil {
		return err
	}
	r.name, r.beat = consumer.CachedInfo().Name, time.Now()
	if r.s.last >= r.s.target {
		r.s.fill()
	}
	return nil
}

func (r *reading) close() {
	// The consumer goes by itself, soon; asking for it must not keep anybody.
	if r.nc.IsConnected() {
		_ = r.nc.Publish("$JS.API.CONSUMER.DELETE."+r.s.bus.config.Name+"."+r.name, nil)
		_ = r.nc.FlushTimeout(time.Second)
	}
	r.nc.Close()
}

// read takes what comes until the connection ends; nil: the epoch changed.
func (r *reading) read(ctx context.Context, to upstream.Sink) error {
	late := time.NewTicker(heartbeat / 2)
	defer late.Stop()
	silent := 0
	for {
		select {
		case m := <-r.messages:
			r.beat = time.Now()
			if err := r.take(ctx, m, to); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-r.cut:
			return nats.ErrConnectionClosed
		case <-r.changed:
			return nil
		case <-late.C:
			if len(r.messages) > 0 || time.Since(r.beat) <= overdue {
				silent = 0
			} else if silent++; silent > 1 { // once may be this process, which was held up
				return errors.New("the server sends nothing, not even heartbeats")
			}
		}
	}
}

func (s *Source) isFilled() bool {
	select {
	case <-s.filled:
		return true
	default:
		return false
	}
}

// fill notes that there is nothing left to read for now.
func (s *Source) fill() {
	s.begins(s.end+1, time.Now())
	s.once.Do(func() { close(s.filled) })
}

// begins notes that the oldest event there is has a sequence. If not every message before
// it is there, events are gone.
func (s *Source) begins(seq uint64, at time.Time) {
	if s.begun {
		return
	}
	s.begun = true
	if gone := min(seq-1, s.end); s.others < gone && s.config.Lost != nil {
		s.config.Lost(gone, at)
	}
}

var _ upstream.Source = (*Source)(nil)

// expires is when an event received then leaves the history.
func (b *Bus) expires(received time.Time) time.Time { return received.Add(b.config.Age) }
