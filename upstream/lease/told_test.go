package lease

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

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
