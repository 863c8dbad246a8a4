package lease

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
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

// A slot whose holder vanished cools; what that means depends on the upstream.
func TestSlotsOfTheDead(t *testing.T) {
	for _, c := range []struct {
		name   string
		limit  int
		holds  bool
		marked int   // slot in the last marker
		dead   []int // slots that somebody died in, one second apart
		want   int   // the slot that is taken, 0: none for a while
		spare  int   // the slot that a Switch is given then
	}{
		{"none", 2, false, 1, nil, 2, 1},
		{"one", 2, false, 1, []int{1}, 2, 0},
		{"the other", 2, false, 2, []int{2}, 1, 0},
		{"both", 2, false, 1, []int{2, 1}, 2, 0},
		{"one of three", 3, false, 2, []int{1}, 3, 2},
		{"the only one", 1, false, 1, []int{1}, 1, 0},
		{"the only one, held", 1, true, 1, []int{1}, 0, 0},
		{"both, held", 2, true, 1, []int{2, 1}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lease, state, ctx := NewMemory(2*time.Second), NewMemory(0), context.Background()
				for _, n := range c.dead {
					before := New(Config{Node: "before", Lease: lease, State: state, StreamLimit: 3})
					if err := before.lookAt(ctx, &term{}, &slotSeen{number: n}); err != nil {
						t.Fatal(err)
					}
					if _, err := before.record(ctx, n, slotRecord{Term: 1, Open: true}, 0); err != nil {
						t.Fatal(err)
					}
					_ = before.lookAt(ctx, &term{}, &slotSeen{number: n}) // finds it dead
					time.Sleep(time.Second)
				}
				r := rule(Config{Lease: lease, State: state, StreamLimit: c.limit, HoldsSlots: c.holds})
				defer r.end()
				r.Saw(Marker{Term: 0, Node: "before", Slot: c.marked})
				lead := <-r.ctx
				got, wait, err := r.Take(lead, false)
				if got != c.want || err != nil || (got == 0) != (wait > 0) || wait > 90*time.Second {
					t.Fatalf("slot %d, wait %v, %v; want %d", got, wait, err, c.want)
				}
				if spare, _, _ := r.Take(lead, true); spare != c.spare {
					t.Errorf("spare slot %d, want %d", spare, c.spare)
				}
				if died := r.Died(); died.IsZero() != (len(c.dead) == 0) {
					t.Errorf("died %v", died)
				}
				if len(c.dead) > 0 {
					time.Sleep(90 * time.Second)
					if slot, _, _ := r.Take(lead, true); slot == 0 && c.limit > 1 {
						t.Error("it never cooled")
					}
				}
			})
		})
	}
}

// What a leader frees is free, or cools, for the next one.
func TestFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lease, state := NewMemory(2*time.Second), NewMemory(0)
		a := rule(Config{Lease: lease, State: state})
		ctx := <-a.ctx
		one, _, _ := a.Take(ctx, false)
		two, _, _ := a.Take(ctx, true)
		if none, _, err := a.Take(ctx, true); none != 0 || err == nil || one == two {
			t.Errorf("slots %d, %d, %d, %v", one, two, none, err)
		}
		a.Free(one, true)
		a.Free(two, false)
		a.end()
		b := rule(Config{Node: "two", Lease: lease, State: state})
		defer b.end()
		ctx = <-b.ctx
		if slot, _, _ := b.Take(ctx, true); slot != one {
			t.Errorf("slot %d, want %d", slot, one)
		}
		if slot, wait, _ := b.Take(ctx, true); slot != 0 || wait <= 0 {
			t.Errorf("slot %d of a dead stream, wait %v", slot, wait)
		}
	})
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

// broken is a Store that keeps what it has for ever and takes nothing.
type broken struct{ *Memory }

var errBroken = errors.New("no space left")

func (b broken) Create(context.Context, string, []byte) (uint64, error) { return 0, errBroken }

// Why nobody can lead is told, also by who may not lead itself, and no longer than it is so.
func TestNobodyCanLead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, ghost := range []bool{false, true} {
			lease := NewMemory(0)
			n := rule(Config{Lease: broken{lease}})
			edge := rule(Config{Node: "edge", Edge: true, Lease: broken{lease}})
			if ghost {
				value := []byte(`{"node":"gone","nonce":"x","write":7}`)
				if _, err := lease.Create(t.Context(), keyLeader, value); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
			if s := n.Status(); s.Err != nil || ghost != (s.Leader == "gone") {
				t.Errorf("ghost %v: %+v at once", ghost, s)
			}
			time.Sleep(6 * time.Second)
			if s := n.Status(); s.Err == nil || s.Leader != "" || errors.Is(s.Err, errBroken) == ghost {
				t.Errorf("ghost %v: %+v", ghost, s)
			}
			if s := edge.Status(); (s.Err != nil) != ghost || s.Leader != "" {
				t.Errorf("ghost %v: the edge says %+v", ghost, s)
			}
			if _, err := lease.Put(t.Context(), keyLeader, []byte(`{"node":"new","nonce":"y","write":1}`)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(3 * time.Second)
			for _, r := range []*ruler{n, edge} {
				if s := r.Status(); s.Err != nil || s.Leader != "new" {
					t.Errorf("ghost %v: %+v with a leader", ghost, s)
				}
				r.end()
			}
		}
	})
}

// A leader that asks for something else than this node would is told.
func TestSettingsDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lease, state := NewMemory(2*time.Second), NewMemory(0)
		nobody := func(fanout.Upstream) {}
		a := rule(Config{Node: "a", Lease: lease, State: state, Settings: "1"})
		if _, err := a.Load(<-a.ctx); err != nil {
			t.Fatal(err)
		}
		a.Save(upstream.Standing{State: upstream.StateStreaming})
		for _, c := range []struct {
			settings string
			edge     bool
			differs  bool
		}{{"1", false, false}, {"2", false, true}, {"2", true, false}} {
			n := rule(Config{Node: "b", Lease: lease, State: state, Settings: c.settings, Edge: c.edge, Told: nobody})
			time.Sleep(3 * time.Second)
			if s := n.Status(); s.Differs != c.differs {
				t.Errorf("%+v: %+v", c, s)
			}
			n.end()
		}
		a.end()
	})
}

// An edge never leads, and is told what the leader's upstream does, like any follower.
func TestEdgeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lease, state := NewMemory(2*time.Second), NewMemory(0)
		var mu sync.Mutex
		told := map[string][]string{}
		hear := func(name string) func(fanout.Upstream) {
			return func(u fanout.Upstream) { mu.Lock(); told[name] = append(told[name], u.State); mu.Unlock() }
		}
		edge := rule(Config{Node: "edge", Edge: true, Lease: lease, State: state, Told: hear("edge")})
		time.Sleep(time.Minute)
		if s := edge.Status(); s.State != Follower || s.Leader != "" {
			t.Errorf("%+v", s)
		}
		a := rule(Config{Node: "a", Lease: lease, State: state, Told: hear("a")})
		ctx := <-a.ctx
		if _, err := a.Load(ctx); err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{upstream.StateConnecting, upstream.StateStreaming, upstream.StateBackingOff} {
			a.Save(upstream.Standing{State: s})
			time.Sleep(3 * time.Second)
		}
		mu.Lock()
		if got := told["edge"]; !slices.Equal(got, []string{"connecting", "streaming", "backing_off"}) || len(told["a"]) > 0 {
			t.Errorf("told %v", told)
		}
		mu.Unlock()
		if s := edge.Status(); s.Leader != "a" {
			t.Errorf("%+v", s)
		}
		// What keeps the leader's posts from the others is told instead, as long as it
		// does; the next leader finds the standing itself.
		a.Trouble(&fanout.Upstream{State: upstream.StateBackingOff, Error: "nothing is stored"})
		time.Sleep(3 * time.Second)
		b := rule(Config{Node: "b", Lease: lease, State: state, Told: hear("b")})
		time.Sleep(3 * time.Second)
		a.Save(upstream.Standing{State: upstream.StateStreaming})
		time.Sleep(3 * time.Second)
		a.Trouble(nil)
		time.Sleep(3 * time.Second)
		mu.Lock()
		if got := told["edge"]; !slices.Equal(got[3:], []string{"backing_off", "backing_off", "streaming"}) {
			t.Errorf("told %v", told)
		}
		if got := told["b"]; !slices.Equal(got, []string{"backing_off", "backing_off", "streaming"}) {
			t.Errorf("told %v", told)
		}
		mu.Unlock()
		a.Trouble(&fanout.Upstream{State: upstream.StateHalted})
		time.Sleep(3 * time.Second)
		a.stop()
		if s, err := b.Load(<-b.ctx); err != nil || s.State != upstream.StateStreaming {
			t.Errorf("the next leader finds %+v, %v", s, err)
		}
		<-a.ended
		b.end()
		edge.end()
	})
}

// A bucket of states that is removed in use, and made anew with lower revisions: what the
// leader says still reaches the others, and what they ask still reaches the leader.
func TestStateIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lease, state := NewMemory(2*time.Second), NewMemory(0)
		for range 100 {
			if _, err := state.Put(t.Context(), "else", nil); err != nil {
				t.Fatal(err)
			}
		}
		asked, told := 0, ""
		a := rule(Config{Node: "a", Lease: lease, State: state, Reconnect: func() { asked++ }})
		b := rule(Config{Node: "b", Lease: lease, State: state, Edge: true, Told: func(u fanout.Upstream) { told = u.State }})
		if _, err := a.Load(<-a.ctx); err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{upstream.StateStreaming, upstream.StateBackingOff} {
			a.Save(upstream.Standing{State: s})
			if err := b.Reconnect(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			synctest.Wait()
			if told != s {
				t.Errorf("told %q, want %q", told, s)
			}
			state.mu.Lock()
			clear(state.keys)
			state.rev = 0
			state.mu.Unlock()
			time.Sleep(5 * time.Second)
			synctest.Wait()
		}
		if asked != 2 {
			t.Errorf("asked %d times for a new connection, want twice", asked)
		}
		a.end()
		b.end()
	})
}
