package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream"
)

// ruler is a Node whose leaderships are the test's.
type ruler struct {
	*Node
	ctx   chan context.Context // of each leadership
	over  chan struct{}        // lets Lead return when its context has ended
	stop  context.CancelFunc
	ended chan struct{}
}

func rule(c Config) *ruler {
	r := &ruler{ctx: make(chan context.Context, 10), over: make(chan struct{}), ended: make(chan struct{})}
	close(r.over)
	c.Log = slog.New(slog.DiscardHandler)
	c.Lead = func(ctx context.Context) { r.ctx <- ctx; <-ctx.Done(); <-r.over }
	if c.Node == "" {
		c.Node = "one"
	}
	r.Node = New(c)
	var ctx context.Context
	ctx, r.stop = context.WithCancel(context.Background())
	go func() { _ = r.Run(ctx); close(r.ended) }()
	return r
}

func (r *ruler) end() {
	r.stop()
	<-r.ended
}

// An answer that comes after the validity would be over makes nobody a leader, and
// what counts is when a write was sent.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, 2)
		m := &machine{w: w}
		h := newHold(far{m, w.lease}, keyLeader, "late", 2*time.Second)
		sent := time.Now()
		m.pause(300 * time.Millisecond) // both ways together, and within the patience
		if err := h.create(context.Background()); err != nil {
			t.Fatal(err)
		}
		if d := h.until.Sub(sent); d != 1600*time.Millisecond {
			t.Errorf("valid for %v from the sending", d)
		}
		h.release(context.Background())

		h = newHold(late{w.lease, 1700 * time.Millisecond}, keyLeader, "later", 2*time.Second)
		if err := h.create(context.Background()); err == nil || h.valid(time.Now()) {
			t.Errorf("%v, valid %v", err, h.valid(time.Now()))
		}
	})
}

// late answers after a while, whatever the deadline was.
type late struct {
	Store
	by time.Duration
}

func (l late) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	defer time.Sleep(l.by)
	return l.Store.Create(ctx, key, value)
}

// A leader without a stream, such as one that is halted, loses its lease like any.
func TestDemotedWithoutAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, 2)
		m := &machine{w: w}
		r := rule(Config{Lease: far{m, w.lease}, State: far{m, w.state}})
		ctx := <-r.ctx
		if !r.Valid() {
			t.Fatal("it does not lead")
		}
		m.pause(3 * time.Second)
		time.Sleep(1700 * time.Millisecond)
		if r.Valid() {
			t.Error("still valid")
		}
		<-ctx.Done()
		if context.Cause(ctx) != errLost {
			t.Errorf("cause %v", context.Cause(ctx))
		}
		<-r.ctx // and it leads again, as nobody else does
		r.end()
	})
}

// Terms never fall, even if the bucket of leases was made anew.
func TestTermsNeverFall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		state, last := NewMemory(0), uint64(0)
		for range 5 {
			lease := NewMemory(2 * time.Second) // begins at revision 1 again
			for _, name := range []string{"one", "two"} {
				r := rule(Config{Node: name, Lease: lease, State: state})
				if last > 0 {
					r.end() // it began without knowing; this is how it does
					r = &ruler{Node: New(r.cfg), ctx: make(chan context.Context, 1), ended: make(chan struct{})}
					r.cfg.Lead = func(ctx context.Context) { r.ctx <- ctx; <-ctx.Done() }
					r.Saw(Marker{Term: last})
					var ctx context.Context
					ctx, r.stop = context.WithCancel(context.Background())
					go func() { _ = r.Run(ctx); close(r.ended) }()
				}
				<-r.ctx
				number, ok := r.Term()
				if !ok || number <= last {
					t.Fatalf("term %d (%v) after %d", number, ok, last)
				}
				last = number
				r.end()
			}
		}
	})
}

// A halt stays one for every node, until a person asks any of them, or the settings
// are others.
func TestHaltStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		wrong, settings := true, "a"
		connects := 0
		w := newWorld(t, 1, 2)
		w.settings = func(c *Config, r *upstream.Runner) {
			c.Settings = settings
			source := r.Source
			r.Source = refusing(func(ctx context.Context, to upstream.Sink) error {
				mu.Lock()
				connects++
				no := wrong
				mu.Unlock()
				if no {
					return &upstream.Error{Class: upstream.Fatal, Err: errors.New("401"), Hint: "a hint"}
				}
				return source.Stream(ctx, to)
			})
		}
		tried := func() int { mu.Lock(); defer mu.Unlock(); return connects }
		leads := func() (*machine, []*machine) {
			time.Sleep(5 * time.Second)
			var leader *machine
			var others []*machine
			for _, m := range w.nodes {
				if m.node.Valid() {
					leader = m
				} else {
					others = append(others, m)
				}
			}
			return leader, others
		}
		for _, name := range names(3) {
			w.start(name)
		}
		l, _ := leads()
		for i := range 3 { // killed, or stopped in order: nobody tries again
			if l == nil || l.node.Status().State != Halted || l.run.Status().Error != "401" || tried() != 1 {
				t.Fatalf("round %d: %+v, %d connects", i, l.node.Status(), tried())
			}
			if i%2 == 0 {
				l.kill()
			} else {
				l.leave()
			}
			w.start(fmt.Sprint(l.name, i))
			l, _ = leads()
		}
		_, others := leads()
		mu.Lock()
		wrong = false
		mu.Unlock()
		if err := others[0].node.Reconnect(context.Background()); err != nil {
			t.Fatal(err)
		}
		w.live(2 * time.Second)
		if tried() != 2 || w.leader() == nil {
			t.Errorf("%d connects after a person asked", tried())
		}
		w.end()

		mu.Lock()
		wrong = true
		mu.Unlock()
		w.start("x")
		if l, _ = leads(); l.node.Status().State != Halted || tried() != 3 {
			t.Fatalf("%+v, %d connects", l.node.Status(), tried())
		}
		settings = "b"
		mu.Lock()
		wrong = false
		mu.Unlock()
		l.leave()
		w.start("y")
		if w.live(5 * time.Second); tried() != 4 || w.leader() == nil {
			t.Errorf("%d connects with other settings", tried())
		}
		w.end()
	})
}

type refusing func(ctx context.Context, to upstream.Sink) error

func (f refusing) Stream(ctx context.Context, to upstream.Sink) error { return f(ctx, to) }

// A node alone leads at once, cannot lose its lease, and stops at once.
func TestAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		r := rule(Config{Alone: true})
		ctx := <-r.ctx
		slot, _, _ := r.Take(ctx, false)
		r.Save(upstream.Standing{State: upstream.StateStreaming})
		if !r.Valid() || slot == 0 || time.Since(began) != 0 {
			t.Errorf("valid %v, slot %d after %v", r.Valid(), slot, time.Since(began))
		}
		time.Sleep(time.Hour)
		if s := r.Status(); !r.Valid() || s.State != Stream || s.Leader != "one" || s.Term == 0 {
			t.Errorf("%+v", s)
		}
		stopped := time.Now()
		r.end()
		if d := time.Since(stopped); d > 300*time.Millisecond {
			t.Errorf("stopped after %v", d)
		}
	})
}

// With a second stream allowed but nobody who wants to lead, a stop is not put off
// for long.
func TestNobodyToHandOverTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rule(Config{Lease: NewMemory(2 * time.Second)})
		ctx := <-r.ctx
		_, _, _ = r.Take(ctx, false)
		r.Save(upstream.Standing{State: upstream.StateStreaming})
		stopped := time.Now()
		go func() {
			time.Sleep(100 * time.Millisecond)
			if s := r.Status(); s.State != Leaving || !r.Valid() {
				t.Errorf("%+v", s)
			}
		}()
		r.end()
		if d := time.Since(stopped); d < time.Second || d > 2*time.Second {
			t.Errorf("stopped after %v", d)
		}
	})
}
