package lease

import (
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// One of three leads; when it is killed another one does soon, and what was missed
// is told.
func TestKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, 2)
		for _, name := range names(3) {
			w.start(name)
		}
		w.live(2 * time.Second)
		var took []time.Duration
		for i := range 20 {
			m := w.leader()
			if m == nil {
				t.Fatalf("round %d: nobody leads", i)
			}
			w.live(time.Duration(w.r(2000)) * time.Millisecond)
			killed := time.Now()
			m.kill()
			for w.leader() == nil && time.Since(killed) < time.Minute {
				w.live(10 * time.Millisecond)
			}
			took = append(took, time.Since(killed))
			w.live(time.Second)
			w.start(m.name + "'")
			w.live(time.Second)
		}
		w.account()
		w.end()
		slices.Sort(took)
		if median, worst := took[10], took[19]; median > 2500*time.Millisecond || worst > 4*time.Second {
			t.Errorf("a new stream after %v (median), %v (worst)", median, worst)
		}
		t.Log(took)
	})
}

// A leader that is asked to stop hands over: with two streams nothing is lost.
func TestHandOver(t *testing.T) {
	for _, limit := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 1, limit)
			for _, name := range names(3) {
				w.start(name)
			}
			w.live(3 * time.Second)
			for i := range 10 {
				m := w.leader()
				if m == nil {
					t.Fatalf("round %d: nobody leads", i)
				}
				began := time.Now()
				left := make(chan struct{})
				go func() { m.leave(); close(left) }()
				for w.leader() == nil || w.leader() == m {
					w.live(4 * time.Millisecond)
				}
				if d := time.Since(began); d > 500*time.Millisecond {
					t.Errorf("limit %d: the next leader streamed after %v", limit, d)
				}
				for !closed(left) {
					w.live(4 * time.Millisecond)
				}
				if d := time.Since(began); d > time.Second {
					t.Errorf("limit %d: the old leader went after %v", limit, d)
				}
				w.live(time.Second)
				w.start(m.name + "'")
				w.live(time.Second)
			}
			w.account()
			w.end()
			if limit == 2 && len(w.gaps) > 0 {
				t.Errorf("gaps %v", w.gaps)
			}
		})
	}
}

// A leader that was stopped past its lease publishes nothing more, closes its stream
// and follows.
func TestPausedPastTheLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1, 2)
		for _, name := range names(3) {
			w.start(name)
		}
		w.live(3 * time.Second)
		m := w.leader()
		m.pause(10 * time.Second)
		w.live(9900 * time.Millisecond)
		if next := w.leader(); next == nil || next == m {
			t.Fatalf("%v leads", next)
		}
		w.mu.Lock()
		sent := len(w.bus)
		w.mu.Unlock()
		w.live(300 * time.Millisecond)
		w.mu.Lock()
		for _, b := range w.bus[sent:] {
			if b.term < w.fence {
				t.Errorf("a message of term %d came after %d", b.term, w.fence)
			}
		}
		w.mu.Unlock()
		if s := m.node.Status(); s.State != Follower || s.Term != 0 {
			t.Errorf("status %+v", s)
		}
		w.mu.Lock()
		if len(w.streams) != 1 || w.streams[0].of == m {
			t.Errorf("%d streams", len(w.streams))
		}
		w.mu.Unlock()
		w.live(time.Second)
		w.account()
		w.end()
	})
}

// A lease that has lapsed once stays so: neither an answer that comes late nor a
// resignation lets the node publish again under the same term.
func TestLapsedStaysLapsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		held := func() (*hold, *term) {
			h := newHold(NewMemory(2*time.Second), keyLeader, "a", 2*time.Second)
			if err := h.create(t.Context()); err != nil {
				t.Fatal(err)
			}
			return h, &term{leader: h, slots: map[int]*taken{}}
		}
		h, late := held()
		h.dog.Stop() // as if the process had stood still
		time.Sleep(1500 * time.Millisecond)
		write, _, _ := h.write()
		time.Sleep(200 * time.Millisecond)
		h.arrived(write, 99)
		if now := time.Now(); late.valid(now) || late.resign(now.Add(time.Second)) || late.valid(now) {
			t.Error("a lapsed lease is valid again")
		}
		_, in := held()
		if !in.resign(time.Now().Add(4*time.Second)) || !in.valid(time.Now()) {
			t.Error("a valid term cannot resign")
		}
		time.Sleep(3 * time.Second)
		if !in.valid(time.Now()) {
			t.Error("a term that has resigned needs the leader's key")
		}
		time.Sleep(time.Second)
		if in.valid(time.Now()) {
			t.Error("a term is valid beyond its resignation")
		}
	})
}

// A leader that has resigned and then dies, or cannot be heard any more, before the
// next one has its stream has handed nothing over: what was lost meanwhile is told.
func TestPredecessorDies(t *testing.T) {
	for after := range 20 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, uint64(after), 2)
			w.far = 400 * time.Millisecond // from the asking for a stream to its beginning
			for _, name := range names(2) {
				w.start(name)
			}
			w.live(5 * time.Second)
			m := w.leader()
			go m.leave()
			w.live(time.Duration(after) * 40 * time.Millisecond)
			go m.kill() // posts go on
			w.live(5 * time.Second)
			if w.leader() == nil {
				t.Error("nobody leads")
			}
			w.account()
			w.end()
		})
	}
}

// Somebody removes the leader's key, or the bucket of leases: the next one waits
// until the leader has found that out, or cannot be valid any more.
func TestLeaseIsRemoved(t *testing.T) {
	for _, what := range []string{"", keyLeader} {
		for _, limit := range []int{1, 2} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1, limit)
				for _, name := range names(3) {
					w.start(name)
				}
				w.live(3 * time.Second)
				for range 20 {
					w.live(time.Duration(w.r(2000)) * time.Millisecond)
					w.wipe(what)
					w.live(4 * time.Second)
					if w.leader() == nil {
						t.Errorf("nobody leads 4 s after %q was removed", what)
					}
				}
				w.account()
				w.end()
			})
		}
	}
}

// Whatever happens to three nodes. CHAOS has many more of them.
func TestRandomWorlds(t *testing.T) {
	worlds := 8
	if os.Getenv("CHAOS") != "" {
		worlds = 60
	}
	for seed := range worlds {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, uint64(seed), 1+seed%2)
			w.trouble = true
			for _, name := range names(3) {
				w.start(name)
			}
			var frozen time.Time
			const rounds = 10
			for i := range rounds {
				w.live(time.Duration(500+w.r(5000)) * time.Millisecond)
				w.mu.Lock()
				m := w.nodes[w.r(len(w.nodes))]
				w.mu.Unlock()
				if l := w.leader(); l != nil && w.r(3) > 0 {
					m = l
				}
				switch w.r(5) {
				default:
					m.run.Switch()
				case 0:
					frozen = time.Now()
					m.pause(time.Duration(w.r(6000)) * time.Millisecond)
				case 1:
					m.kill()
					w.start(m.name + string(rune('0'+i)))
				case 3:
					// Who has just woken, or did not see a leader yet, cannot know of it.
					if w.live(time.Second); time.Since(frozen) > 10*time.Second && m == w.leader() {
						w.wipe("")
						w.live(2 * time.Second) // and neither can who begins
					}
				case 2:
					go m.leave()
					w.live(6 * time.Second)
					w.start(m.name + string(rune('0'+i)))
				}
			}
			w.mu.Lock()
			w.trouble = false
			w.mu.Unlock()
			w.live(8 * time.Second)
			if w.leader() == nil {
				t.Errorf("seed %d: nobody leads", seed)
			}
			w.live(2 * time.Second)
			w.account()
			w.mu.Lock()
			if w.silence > 20*time.Second {
				t.Errorf("seed %d: nobody streamed for %v", seed, w.silence)
			}
			if elapsed := time.Since(w.posts[0]).Seconds(); float64(w.calls) > 3*40*elapsed || float64(w.connects) > 40+elapsed {
				t.Errorf("seed %d: %d calls and %d connects in %.0f s", seed, w.calls, w.connects, elapsed)
			}
			w.mu.Unlock()
			if w.failed || t.Failed() {
				t.Logf("seed %d", seed)
			}
			w.end()
		})
	}
}
