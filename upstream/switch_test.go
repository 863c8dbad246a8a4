package upstream

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// missing are the posts from the first to the last that came which never did.
func (l *log) missing() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	came := map[uint64]bool{}
	first, last := uint64(1<<63), uint64(0)
	for _, e := range l.events {
		if e.Kind == fanout.KindPost {
			came[e.Target.UpTo] = true
			first, last = min(first, e.Target.UpTo), max(last, e.Target.UpTo)
		}
	}
	return int(last-first) + 1 - len(came)
}

func (l *log) states() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, e := range l.events {
		if e.Kind == fanout.KindUpstream {
			_, rest, _ := strings.Cut(string(e.JSON), `"state":"`)
			state, _, _ := strings.Cut(rest, `"`)
			all = append(all, state)
		}
	}
	return strings.Join(all, " ")
}

// worst is the largest number of connects within d.
func (u tapped) worst(d time.Duration) (most int) {
	for i := range u.at {
		n := 0
		for _, at := range u.at[i:] {
			if at.Sub(u.at[i]) < d {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// Two hundred changes at 200 posts a second: nothing is lost, never more than two
// streams, never above the budget, and the last change is what is asked for.
func TestSwitchManyTimes(t *testing.T) {
	for name, budget := range map[string]int{"raised": 1000, "published": 0} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			filter, pace, rest := 0, 2300*time.Millisecond, 10*time.Second
			if budget == 0 {
				pace, rest = time.Second, 6*time.Minute
			}
			u := &tap{limit: 2, filter: func() int { mu.Lock(); defer mu.Unlock(); return filter }}
			switching(t, u, func(r *Runner) { r.ConnectLimit = budget }, func(r *Runner, l *log) {
				for n := range 200 {
					mu.Lock()
					filter = n + 1
					mu.Unlock()
					r.Switch()
					time.Sleep(pace)
				}
				time.Sleep(rest)
				synctest.Wait()
				u := u.seen()
				if n := l.missing(); n > 0 || len(l.losses()) > 0 {
					t.Errorf("%d posts were lost, told %v", n, l.losses())
				}
				if u.most > 2 || u.cut > 0 {
					t.Errorf("%d streams at once, %d cut", u.most, u.cut)
				}
				if last := u.asked[len(u.asked)-1]; last != 200 || u.filter != 200 || u.open != 1 {
					t.Errorf("asked for %d in the end, %d streams", last, u.open)
				}
				if budget == 0 {
					if n := u.worst(5 * time.Minute); n > 5 {
						t.Errorf("%d connects within five minutes", n)
					}
				} else if n := u.connects; n < 190 || n > 201 {
					t.Errorf("%d connects for 200 changes", n)
				}
				if st := r.Stats(); st.Ends["switch"] != uint64(u.connects-1) || len(st.Ends) != 1 {
					t.Errorf("stats %+v after %d connects", st, u.connects)
				}
			})
		})
	}
}

// Calls within a moment are one; what is told is that a switch is under way.
func TestSwitchesAreCollected(t *testing.T) {
	u := &tap{limit: 2}
	switching(t, u, nil, func(r *Runner, l *log) {
		for range 20 {
			go r.Switch()
			time.Sleep(10 * time.Millisecond)
		}
		time.Sleep(150 * time.Millisecond)
		if u := r.Status(); u.State != StateSwitching {
			t.Errorf("status %+v", u)
		}
		time.Sleep(2 * time.Second)
		if n := u.seen().connects; n != 2 {
			t.Errorf("%d connects", n)
		}
		time.Sleep(time.Minute)
		if n := u.seen().connects; n != 2 || u.seen().open != 1 {
			t.Errorf("%d connects, %d streams", n, u.seen().open)
		}
		if got, want := l.states(), "connecting streaming switching streaming"; got != want {
			t.Errorf("states %s", got)
		}
	})
}

// Where one stream is allowed, or a dead one may still be counted, the old stream is
// closed first, and the gap is told.
func TestSwitchWithoutASpareSlot(t *testing.T) {
	for name, u := range map[string]*tap{
		"one slot": {limit: 1},
		"cooling": {limit: 2, during: func(n int, ctx context.Context, to Sink) error {
			if n == 0 {
				to.Alive(10)
				return errors.New("cut")
			}
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			switching(t, u, nil, func(r *Runner, l *log) {
				before, told := u.seen().connects, len(l.losses())
				r.Switch()
				time.Sleep(2 * time.Second)
				if u.seen().connects != before+1 || u.seen().most != 1 || u.seen().cut != 0 {
					t.Errorf("%d connects after %d, %d at once", u.seen().connects, before, u.seen().most)
				}
				if n := len(l.losses()); n != told+1 {
					t.Errorf("told %v", l.losses())
				}
				if s := l.states(); !strings.HasSuffix(s, "streaming switching streaming") {
					t.Errorf("states %s", s)
				}
				if r.Status().State != StateStreaming {
					t.Errorf("status %+v", r.Status())
				}
			})
		})
	}
}

// If the new stream fails, the old one stays and another is tried by the ladder of
// the failure, or at once when something else is asked for.
func TestSwitchFails(t *testing.T) {
	t.Run("for a while", func(t *testing.T) {
		u := &tap{limit: 2, before: func(n, _ int, _ context.Context) error {
			if 1 <= n && n <= 2 {
				return &Error{Class: HTTP, Err: errors.New("503"), Hint: "a hint"}
			}
			return nil
		}}
		switching(t, u, nil, func(r *Runner, l *log) {
			r.Switch()
			time.Sleep(2 * time.Second)
			if s := r.Status(); s.State != StateStreaming || s.Class != "http" || s.Error != "503" || s.NextAttempt == nil {
				t.Errorf("status %+v", s)
			}
			time.Sleep(30 * time.Second)
			if n := l.missing(); n > 0 || u.seen().connects != 4 || u.seen().open != 1 {
				t.Errorf("%d lost, %d connects", n, u.seen().connects)
			}
			if a, b := u.seen().at[2].Sub(u.seen().at[1]), u.seen().at[3].Sub(u.seen().at[2]); a < 5*time.Second || b < 10*time.Second {
				t.Errorf("waits %v %v", a, b)
			}
			if s := r.Status(); s.State != StateStreaming || s.Class != "" {
				t.Errorf("status %+v", s)
			}
		})
	})
	t.Run("for good", func(t *testing.T) {
		u := &tap{limit: 2, before: func(n, _ int, _ context.Context) error {
			if 1 <= n && n <= 4 {
				return &Error{Class: Fatal, Err: errors.New("406"), Hint: "a hint"}
			}
			return nil
		}}
		switching(t, u, func(r *Runner) { r.ConnectLimit = 6 }, func(r *Runner, l *log) {
			connects := func(after time.Duration, want int) {
				t.Helper()
				time.Sleep(after)
				s := r.Status()
				if u.seen().connects != want || s.State != StateStreaming || s.Class != "fatal" || s.Error != "406" ||
					s.NextAttempt == nil || !strings.HasSuffix(s.Hint, "a hint") || !strings.Contains(s.Hint, "goes on") {
					t.Errorf("%d connects, want %d, status %+v", u.seen().connects, want, s)
				}
			}
			r.Switch()
			connects(50*time.Second, 2)
			connects(20*time.Second, 3)
			connects(100*time.Second, 3)
			connects(30*time.Second, 4)
			r.Switch() // asks for something else: at once, and the ladder begins anew
			connects(3*time.Second, 5)
			connects(50*time.Second, 5)
			connects(20*time.Second, 5) // one connection is kept for another filter
			time.Sleep(3 * time.Minute)
			if s := r.Status(); u.seen().connects != 6 || s.State != StateStreaming || s.Error != "" || s.NextAttempt != nil || l.missing() > 0 {
				t.Errorf("%d connects, status %+v", u.seen().connects, s)
			}
		})
	})
	t.Run("for good, and the old one is lost", func(t *testing.T) { // which does not wait for that
		var cut atomic.Bool
		u := &tap{limit: 2, before: func(n, _ int, _ context.Context) error {
			if n == 1 {
				return &Error{Class: Fatal, Err: errors.New("406"), Hint: "a hint"}
			}
			return nil
		}, during: func(n int, ctx context.Context, to Sink) error {
			for n == 0 && wait(ctx, 100*time.Millisecond) == nil {
				post(to)
				if cut.Load() {
					return errors.New("cut")
				}
			}
			return nil
		}}
		switching(t, u, nil, func(r *Runner, _ *log) {
			r.Switch()
			time.Sleep(3 * time.Second)
			cut.Store(true)
			time.Sleep(3 * time.Second)
			if s := r.Status(); u.seen().connects != 3 || s.State != StateStreaming || s.Error != "" {
				t.Errorf("%d connects, status %+v", u.seen().connects, s)
			}
		})
	})
	t.Run("while it is proven", func(t *testing.T) { // a message, then cut
		u := &tap{limit: 2, during: func(n int, ctx context.Context, to Sink) error {
			if n == 1 {
				to.Alive(50)
				to.Emit(&fanout.Event{Kind: fanout.KindLimit})
				return errors.New("cut")
			}
			return nil
		}}
		switching(t, u, nil, func(r *Runner, l *log) {
			r.Switch()
			time.Sleep(80 * time.Second)
			if n := u.seen().connects; n != 2 {
				t.Errorf("%d connects before the dead one has cooled", n)
			}
			time.Sleep(20 * time.Second)
			if s := r.Status(); u.seen().connects != 3 || s.State != StateStreaming || l.missing() > 0 || u.seen().most > 2 {
				t.Errorf("%d connects, status %+v, %d lost", u.seen().connects, s, l.missing())
			}
		})
	})
}
