package upstream

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// If the old stream ends while the new one is opened, the new one takes its place,
// whatever ended the old: an upstream that allows but one stream cuts it.
func TestOldEndsWhileSwitching(t *testing.T) {
	t.Run("cut to make room", func(t *testing.T) {
		u := &tap{limit: 1}
		switching(t, u, func(r *Runner) { r.StreamLimit = 2 }, func(r *Runner, l *log) {
			r.Switch()
			time.Sleep(5 * time.Second)
			if s := r.Status(); u.seen().connects != 2 || u.seen().cut != 1 || s.State != StateStreaming || s.Error != "" || l.missing() > 0 {
				t.Errorf("%d connects, %d cut, status %+v, %d lost", u.seen().connects, u.seen().cut, s, l.missing())
			}
			if slices.Contains(l.kinds(), fanout.KindDisconnect) {
				t.Error("that the old stream was cut was told")
			}
		})
	})
	t.Run("before the new one is let in", func(t *testing.T) {
		var again atomic.Bool
		u := &tap{limit: 2, before: func(n, _ int, ctx context.Context) error {
			if n == 1 {
				again.Store(true)
				return wait(ctx, 10*time.Second)
			}
			return nil
		}, during: func(n int, ctx context.Context, to Sink) error {
			if n == 0 {
				for wait(ctx, 100*time.Millisecond) == nil {
					post(to)
					if again.Load() {
						return errors.New("cut")
					}
				}
			}
			return nil
		}}
		switching(t, u, nil, func(r *Runner, l *log) {
			r.Switch()
			time.Sleep(5 * time.Second)
			if s := r.Status(); s.State != StateConnecting {
				t.Errorf("status %+v", s)
			}
			time.Sleep(10 * time.Second)
			if s := r.Status(); u.seen().connects != 2 || s.State != StateStreaming || len(l.losses()) != 1 {
				t.Errorf("%d connects, status %+v, told %v", u.seen().connects, s, l.losses())
			}
		})
	})
	t.Run("by Reconnect", func(t *testing.T) {
		u := &tap{limit: 2}
		switching(t, u, nil, func(r *Runner, l *log) {
			r.Switch()
			time.Sleep(400 * time.Millisecond)
			r.Reconnect()
			time.Sleep(10 * time.Second)
			if s := r.Status(); u.seen().connects != 2 || s.State != StateStreaming || l.missing() > 0 || r.Stats().Ends["reconnect"] != 1 {
				t.Errorf("%d connects, status %+v, %d lost", u.seen().connects, s, l.missing())
			}
		})
	})
}

// Without an open stream a Switch changes nothing: a halt and a wait go on.
func TestSwitchWithoutAStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, _ := runner(fails(RateLimit, 0), fails(Fatal, 0), streams(1, nil))
		r.Switch() // before Run
		during(t, r, 10*time.Second, func() {
			r.Switch()
			time.Sleep(40 * time.Second)
			if n := s.connects(); n != 1 {
				t.Errorf("%d connects while it waits", n)
			}
			time.Sleep(30 * time.Second)
			r.Switch()
			time.Sleep(time.Hour)
			if n := s.connects(); n != 2 || r.Status().State != StateHalted {
				t.Errorf("%d connects, %+v", n, r.Status())
			}
			r.Reconnect()
			time.Sleep(time.Hour)
			if n := s.connects(); n != 3 || r.Status().State != StateStreaming {
				t.Errorf("%d connects, %+v", n, r.Status())
			}
		})
	})
}

// A stop in the middle of a switch closes both streams.
func TestStopWhileSwitching(t *testing.T) {
	for _, after := range []time.Duration{0, 251 * time.Millisecond, 270 * time.Millisecond, 400 * time.Millisecond, time.Second, 2500 * time.Millisecond} {
		u := &tap{limit: 2}
		switching(t, u, nil, func(r *Runner, _ *log) {
			r.Switch()
			time.Sleep(after)
		})
	}
}

// A stream that takes its time to close is waited for, and nothing else is opened.
func TestSwitchWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, _ := runner(func(ctx context.Context, to Sink) error {
			post(to)
			<-ctx.Done()
			time.Sleep(5 * time.Second)
			return ctx.Err()
		})
		during(t, r, time.Second, r.Switch)
		if n := s.connects(); n != 1 {
			t.Errorf("%d connects", n)
		}
	})
}
