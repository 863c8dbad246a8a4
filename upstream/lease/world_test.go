package lease

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

// world is an upstream, a bus and a store that several nodes share, and all that can
// go wrong between them.
type world struct {
	t            *testing.T
	lease, state *Memory
	limit        int
	r            func(n int) int // random, safe for concurrent use
	trouble      bool            // answers are late or lost
	settings     func(*Config, *upstream.Runner)
	far          time.Duration // of the upstream

	mu       sync.Mutex
	streams  []*wire
	posts    []time.Time // when each post was made
	got      map[int]int // posts that readers deliver, and how often they came
	bus      []message
	fence    uint64
	gaps     []fanout.Loss
	nodes    []*machine
	connects int
	calls    int
	first    time.Time // when the first post was made that the bus received
	last     time.Time // when the last post was received by the bus
	late     upstream.Lateness
	silence  time.Duration
	failed   bool
}

type message struct {
	term   uint64
	marker *Marker
	post   int // -1: none
	gap    *fanout.Loss
	at     time.Time
}

// wire is one stream at the upstream.
type wire struct {
	of    *machine
	posts chan int
	cut   chan struct{}
}

// machine is one process.
type machine struct {
	w    *world
	name string
	node *Node
	run  *upstream.Runner
	stop context.CancelFunc
	done chan struct{}

	mu    sync.Mutex
	until time.Time // paused until then
	dead  bool
	read  int // of the bus
}

func newWorld(t *testing.T, seed uint64, limit int) *world {
	random := rand.New(rand.NewPCG(seed, 7))
	var mu sync.Mutex
	return &world{t: t, lease: NewMemory(2 * time.Second), state: NewMemory(0), limit: limit, got: map[int]int{},
		r: func(n int) int { mu.Lock(); defer mu.Unlock(); return random.IntN(n) }}
}

func (w *world) errorf(format string, args ...any) {
	if !w.failed { // the first is what counts
		w.failed = true
		w.t.Errorf(format, args...)
	}
}

// freeze returns when the machine goes on; false: never.
func (m *machine) freeze() bool {
	for {
		m.mu.Lock()
		until, dead := m.until, m.dead
		m.mu.Unlock()
		if dead {
			return false
		}
		d := time.Until(until)
		if d <= 0 {
			return true
		}
		time.Sleep(d)
	}
}

func (m *machine) pause(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.until = time.Now().Add(d)
}

// start boots a machine.
func (w *world) start(name string) *machine {
	m := &machine{w: w, name: name, done: make(chan struct{})}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	c := Config{
		Node: name, Lease: far{m, w.lease}, State: far{m, w.state}, StreamLimit: w.limit, Log: quiet,
		Lead: func(ctx context.Context) { _ = m.run.Run(ctx) },
		Mark: func(ctx context.Context, k Marker) error {
			if !m.freeze() || sleep(ctx, 5*time.Millisecond) != nil {
				return errWire
			}
			w.send(message{term: k.Term, marker: &k, post: -1, at: time.Now()})
			return nil
		},
		Last: func() (time.Time, time.Duration) {
			w.mu.Lock()
			defer w.mu.Unlock()
			unread, _ := w.late.Last()
			return w.last, unread
		},
		Reconnect: func() { m.run.Reconnect() },
	}
	m.run = &upstream.Runner{Source: m, Publish: m.publish, Name: "world", StreamLimit: w.limit, ConnectLimit: 1000, Log: quiet}
	if w.settings != nil {
		w.settings(&c, m.run)
	}
	m.node = New(c)
	m.run.Slots, m.run.Keeper, m.run.Opened, m.run.Valid = m.node, m.node, m.node.Opened, m.node.Valid
	w.mu.Lock()
	m.node.Saw(Marker{Term: w.fence})
	m.read = len(w.bus)
	w.nodes = append(w.nodes, m)
	w.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	m.stop = cancel
	reader := make(chan struct{})
	go func() {
		defer close(reader)
		for m.readOn() && sleep(ctx, 7*time.Millisecond) == nil {
		}
		for !closed(m.done) { // it hands over
			m.readOn()
			time.Sleep(7 * time.Millisecond)
		}
	}()
	go func() {
		_ = m.node.Run(ctx)
		close(m.done)
		<-reader
	}()
	return m
}

// readOn reads what is new on the bus.
func (m *machine) readOn() bool {
	if !m.freeze() {
		return false
	}
	m.w.mu.Lock()
	defer m.w.mu.Unlock()
	for _, b := range m.w.bus[m.read:] {
		if b.marker != nil {
			m.node.Saw(*b.marker)
		}
	}
	m.read = len(m.w.bus)
	return true
}

// kill ends a machine at once: its sockets are closed, nothing else.
func (m *machine) kill() {
	m.mu.Lock()
	m.dead = true
	m.mu.Unlock()
	m.w.drop(m)
	m.stop()
	<-m.done
	m.w.forget(m)
}

// leave ends a machine in order.
func (m *machine) leave() {
	m.stop()
	<-m.done
	m.w.forget(m)
}

func (w *world) forget(m *machine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes = slices.DeleteFunc(w.nodes, func(o *machine) bool { return o == m })
}

// drop closes all streams of a machine.
func (w *world) drop(m *machine) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.streams = slices.DeleteFunc(w.streams, func(s *wire) bool { return s.of == m })
}

// publish is the Runner's.
func (m *machine) publish(e *fanout.Event) bool {
	if !m.freeze() {
		return true
	}
	term, ok := m.node.Term()
	if !ok {
		return true
	}
	b := message{term: term, post: -1, at: time.Now()}
	switch e.Kind {
	case fanout.KindPost:
		b.post = int(e.Target.UpTo)
	case fanout.KindGap:
		b.gap = e.Loss
	default:
		return true
	}
	m.w.send(b)
	return true
}

// send puts a message on the bus and lets the readers' fence judge it.
func (w *world) send(b message) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bus = append(w.bus, b)
	if b.term < w.fence {
		return
	}
	w.fence = b.term
	if b.post >= 0 {
		w.got[b.post]++
		if w.last.IsZero() {
			w.first = w.posts[b.post]
		} else {
			w.silence = max(w.silence, b.at.Sub(w.last))
		}
		w.last = b.at
		w.late.Note(w.posts[b.post], b.at)
	}
	if b.gap != nil {
		w.gaps = append(w.gaps, *b.gap)
	}
}

// Stream implements upstream.Source.
func (m *machine) Stream(ctx context.Context, to upstream.Sink) error {
	w := m.w
	if sleep(ctx, w.far+time.Duration(5+w.r(30))*time.Millisecond) != nil || !m.freeze() || ctx.Err() != nil { // net/http asks it as well
		return errWire
	}
	s := &wire{of: m, posts: make(chan int, 4096), cut: make(chan struct{})}
	w.mu.Lock()
	w.connects++
	w.streams = append(w.streams, s)
	if len(w.streams) > w.limit { // as v1.1 does
		oldest := w.streams[0]
		w.streams = w.streams[1:]
		if oldest.of.node.Valid() && oldest.of.node.Status().State == Stream && !oldest.of.paused() {
			w.errorf("the stream of %s was cut by %s while it leads: %+v", oldest.of.name, m.name, oldest.of.node.Status())
		}
		close(oldest.cut)
	}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		w.streams = slices.DeleteFunc(w.streams, func(o *wire) bool { return o == s })
		w.mu.Unlock()
	}()
	to.Alive(0)
	for {
		select {
		case <-ctx.Done():
			m.freeze()
			return ctx.Err()
		case <-s.cut:
			m.freeze()
			return &upstream.Error{Class: upstream.Fatal, Err: errors.New("code 7"), Clean: true}
		case n := <-s.posts:
			if !m.freeze() {
				return errWire
			}
			to.Alive(10)
			to.Emit(&fanout.Event{Kind: fanout.KindPost, Target: fanout.Target{UpTo: uint64(n)}, Sent: w.made(n)})
		}
	}
}

func (m *machine) paused() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead || time.Now().Before(m.until)
}

func (w *world) end() {
	w.mu.Lock()
	w.trouble = false
	all := slices.Clone(w.nodes)
	w.mu.Unlock()
	for _, m := range all {
		m.pause(0)
		m.stop()
	}
	for _, m := range all {
		<-m.done
	}
	time.Sleep(5 * time.Second) // what is on its way arrives
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("node-%c", 'a'+i))
	}
	return all
}
