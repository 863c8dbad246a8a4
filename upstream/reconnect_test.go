package upstream

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// Twenty calls at once close the open stream once, and the next opens at once.
func TestReconnectWhileStreaming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, l := runner(streams(1000, nil))
		began := time.Now()
		during(t, r, 10*time.Second+500*time.Millisecond, func() {
			for range 20 {
				go r.Reconnect()
			}
			synctest.Wait()
			for range 20 {
				r.Reconnect()
			}
			time.Sleep(3 * time.Second)
			synctest.Wait()
			if got, want := s.gaps(), []time.Duration{10*time.Second + 500*time.Millisecond}; !slices.Equal(got, want) {
				t.Errorf("reconnected after %v, want %v", got, want)
			}
			if u := r.Status(); u.State != StateStreaming || u.Class != "" || s.most != 1 {
				t.Errorf("status %+v, %d streams at once", u, s.most)
			}
			if st := r.Stats(); st.Ends["reconnect"] != 1 || len(st.Ends) != 1 || st.Connects["ok"] != 2 || len(st.Connects) != 1 {
				t.Errorf("stats %+v", st)
			}
			loss := l.losses()
			if len(loss) != 1 || loss[0].Reason != "upstream" || loss[0].From.Sub(began) != 10*time.Second || loss[0].To.Sub(began) != 10500*time.Millisecond {
				t.Errorf("losses %+v", loss)
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			for _, e := range l.events {
				if e.Kind == fanout.KindUpstream && strings.Contains(string(e.JSON), StateBackingOff) {
					t.Errorf("told %s", e.JSON)
				}
			}
		})
	})
}

// A stream that Reconnect closed neither cools nor uses up the immediate
// reconnect of the minute.
func TestReconnectIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet := func(ctx context.Context, to Sink) error { to.Alive(1); <-ctx.Done(); return ctx.Err() }
		r, s, _ := runner(quiet, quiet, streams(3, errors.New("cut")), streams(0, nil))
		r.StreamLimit, r.HoldsSlots = 1, true
		during(t, r, 2*time.Second, func() {
			r.Reconnect()
			time.Sleep(2 * time.Second)
			r.Reconnect()
			time.Sleep(3 * time.Minute)
		})
		// The third dies at 3 s and is not taken for ours until it has cooled.
		if got, want := s.gaps(), []time.Duration{2 * time.Second, 2 * time.Second, 93 * time.Second}; !slices.Equal(got, want) {
			t.Errorf("waits %v, want %v", got, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		r, s, _ := runner(streams(100, nil), streams(3, errors.New("cut")), streams(0, nil))
		during(t, r, 2*time.Second, func() {
			r.Reconnect()
			time.Sleep(time.Minute)
		})
		if got, want := s.gaps(), []time.Duration{2 * time.Second, 3 * time.Second}; !slices.Equal(got, want) {
			t.Errorf("waits %v, want %v", got, want)
		}
	})
}

// What comes just after the call that left a halt does not close the stream
// that it led to.
func TestReconnectsAfterAHaltAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, _ := runner(fails(Fatal, 0), streams(1000, nil))
		during(t, r, time.Minute, func() {
			for range 20 {
				r.Reconnect()
				synctest.Wait()
			}
			if n := s.connects(); n != 2 {
				t.Errorf("%d connects", n)
			}
			time.Sleep(coalesce)
			r.Reconnect()
			synctest.Wait()
			if n := s.connects(); n != 3 {
				t.Errorf("%d connects after a second", n)
			}
		})
	})
}

// A source that loses nothing when it is asked to start afresh is not said to.
func TestReconnectWithoutLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, l := runner(func(ctx context.Context, to Sink) error {
			post(to)
			<-ctx.Done()
			return &Error{Err: ctx.Err(), Whole: true}
		})
		during(t, r, 2*time.Second, func() { r.Reconnect(); time.Sleep(time.Second) })
		if got := l.kinds(); !slices.Equal(got, []fanout.Kind{fanout.KindPost, fanout.KindPost}) {
			t.Errorf("events %v", got)
		}
	})
}

// Being turned away by a disconnect message is no service that takes the ladder
// for being turned away back to its foot.
func TestDismissedAgainAndAgain(t *testing.T) {
	dismissed := func(class Class) step {
		return func(_ context.Context, to Sink) error {
			to.Alive(50)
			to.Emit(&fanout.Event{Kind: fanout.KindDisconnect})
			return &Error{Class: class, Err: errors.New("disconnected"), Clean: true}
		}
	}
	for _, c := range []struct {
		name  string
		steps []step
		want  []time.Duration
	}{
		{"rate limit", []step{dismissed(RateLimit), dismissed(RateLimit), dismissed(RateLimit), streams(0, nil)}, []time.Duration{60e9, 120e9, 240e9}},
		{"ordinary", []step{fails(HTTP, 0), dismissed(Network), fails(HTTP, 0), streams(0, nil)}, []time.Duration{5e9, 0, 5e9}},
		{"after a message", []step{dismissed(RateLimit), streams(1, &Error{Class: RateLimit, Clean: true}), streams(0, nil)}, []time.Duration{60e9, 61e9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, s, _ := runner(c.steps...)
				during(t, r, 10*time.Minute, nil)
				if got := s.gaps(); !slices.Equal(got, c.want) {
					t.Errorf("waits %v, want %v", got, c.want)
				}
			})
		})
	}
}
