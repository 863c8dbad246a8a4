package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

func TestStall(t *testing.T) {
	hang := func(ctx context.Context, to Sink) error { <-ctx.Done(); return ctx.Err() }
	t.Run("before the answer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, s, _ := runner(hang, streams(0, nil))
			during(t, r, 95*time.Second, nil)
			if got, want := s.gaps(), []time.Duration{90*time.Second + 250*time.Millisecond}; !slices.Equal(got, want) {
				t.Errorf("waits are %v, want %v", got, want)
			}
			if n := r.Stats().Connects["stall"]; n != 1 {
				t.Errorf("%d stalls", n)
			}
		})
	})
	t.Run("any byte restarts it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, s, l := runner(func(ctx context.Context, to Sink) error {
				for range 3 {
					to.Alive(1)
					_ = wait(ctx, 80*time.Second)
				}
				return hang(ctx, to)
			}, streams(1, nil))
			during(t, r, 10*time.Minute, func() {
				if u := r.Status(); u.State != StateBackingOff && u.State != StateStreaming {
					t.Errorf("state %+v", u)
				}
			})
			if got, want := s.gaps()[0], 250*time.Second; got != want { // 160 s + 90 s, and at once
				t.Errorf("reconnected after %v, want %v", got, want)
			}
			if l := l.losses(); len(l) != 1 || l[0].To.Sub(l[0].From) != 90*time.Second {
				t.Errorf("losses %v", l)
			}
		})
	})
}

func TestFatalHaltsUntilReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, l := runner(fails(HTTP, 0), fails(Fatal, 0), fails(HTTP, 0), streams(3, nil))
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		r.Reconnect() // before Run: means nothing
		go r.Run(ctx)
		time.Sleep(24 * time.Hour)
		if n := s.connects(); n != 2 {
			t.Fatalf("%d connects", n)
		}
		u := r.Status()
		if u.State != StateHalted || u.Class != "fatal" || u.Error != "refused" || u.Hint != "a hint" || u.NextAttempt != nil {
			t.Errorf("status %+v", u)
		}
		r.Reconnect()
		synctest.Wait()
		time.Sleep(5 * time.Second) // the ladder starts at its foot
		synctest.Wait()
		if n := s.connects(); n != 4 {
			t.Fatalf("%d connects after Reconnect", n)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if u := r.Status(); u.State != StateStreaming || u.Class != "" || u.Error != "" {
			t.Errorf("status %+v", u)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		var states []string
		for _, e := range l.events {
			if e.Kind == fanout.KindUpstream {
				var m struct{ Upstream fanout.Upstream }
				if err := json.Unmarshal(e.JSON, &m); err != nil {
					t.Fatal(err)
				}
				states = append(states, m.Upstream.State)
			}
		}
		want := "connecting backing_off connecting halted connecting backing_off connecting streaming"
		if got := strings.Join(states, " "); got != want {
			t.Errorf("states %s\nwant   %s", got, want)
		}
	})
}

func TestReconnectEndsAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, _ := runner(fails(RateLimit, 0), fails(RateLimit, 0), streams(0, nil))
		during(t, r, 10*time.Second, func() {
			u := r.Status()
			if u.State != StateBackingOff || u.NextAttempt == nil || time.Until(*u.NextAttempt) != 50*time.Second {
				t.Errorf("status %+v", u)
			}
			if d := r.Stats().Backoff; d != time.Minute {
				t.Errorf("back-off is %v", d)
			}
			r.Reconnect()
			synctest.Wait()
			if n := s.connects(); n != 2 {
				t.Errorf("%d connects", n)
			}
			// Being asked for one attempt is no reason to forget the penalty.
			if u := r.Status(); u.NextAttempt == nil || time.Until(*u.NextAttempt) != 2*time.Minute {
				t.Errorf("status %+v", u)
			}
		})
	})
}

// A conflict soon after a stream of ours died is probably that one.
func TestConflict(t *testing.T) {
	conflict := func(_ context.Context, to Sink) error {
		to.Alive(1)
		return &Error{Class: Conflict, Err: errors.New("too many"), Clean: true}
	}
	for _, c := range []struct {
		name  string
		steps []step
		want  string
		waits []time.Duration
	}{
		{"out of the blue", []step{conflict}, StateHalted, nil},
		{"after an unclean death", []step{streams(1, errors.New("cut")), conflict, streams(0, nil)}, StateStreaming, []time.Duration{time.Second, time.Minute}},
		{"after a clean end", []step{streams(1, &Error{Class: Network, Clean: true}), conflict}, StateHalted, []time.Duration{time.Second}},
		{"for ever after one death", []step{streams(1, errors.New("cut")), conflict}, StateHalted, []time.Duration{time.Second, time.Minute, 2 * time.Minute}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, s, _ := runner(c.steps...)
				during(t, r, time.Hour, func() {
					if u := r.Status(); u.State != c.want {
						t.Errorf("status %+v, want %s", u, c.want)
					}
				})
				if got := s.gaps(); !slices.Equal(got, c.waits) {
					t.Errorf("waits %v, want %v", got, c.waits)
				}
			})
		})
	}
}

// An upstream that refuses while it counts the dead is left alone until it has
// forgotten one; one that cuts its oldest is not.
func TestSlots(t *testing.T) {
	for _, holds := range []bool{true, false} {
		t.Run(fmt.Sprint("holds=", holds), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cut := streams(1, errors.New("cut"))
				r, s, _ := runner(cut, cut, streams(0, nil))
				r.HoldsSlots = holds
				during(t, r, 10*time.Minute, nil)
				third := s.at[2].Sub(s.at[0])
				if want := 91 * time.Second; holds && third != want { // the first died at 1 s
					t.Errorf("the third stream opened after %v, want %v", third, want)
				}
				if want := 2250 * time.Millisecond; !holds && third != want {
					t.Errorf("the third stream opened after %v, want %v", third, want)
				}
				if s.most != 1 {
					t.Errorf("%d streams at once", s.most)
				}
			})
		})
	}
}

func TestRunEndsWithContext(t *testing.T) {
	for name, s := range map[string]step{"streaming": streams(1000, nil), "waiting": fails(RateLimit, 0), "halted": fails(Fatal, 0)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, s, l := runner(s)
				during(t, r, time.Second, nil) // fails if Run goes on, or leaves a goroutine
				if s.open != 0 {
					t.Error("Run returned before the stream was closed")
				}
				if u := r.Status(); u.State != StateHalted || u.Error != "the gateway is shutting down" || u.Hint != "" || u.PostsPerS != 0 || u.NextAttempt != nil {
					t.Errorf("status after the end: %+v", u)
				}
				if n := len(l.events); l.events[n-1].Kind == fanout.KindUpstream && strings.Contains(string(l.events[n-1].JSON), "shutting down") {
					t.Error("the end was published")
				}
			})
		})
	}
}
