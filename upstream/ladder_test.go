package upstream

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestLadders(t *testing.T) {
	linear := func() (d []time.Duration) {
		for i := 1; i <= 64; i++ {
			d = append(d, time.Duration(i)*250*time.Millisecond)
		}
		return append(d, 16*time.Second, 16*time.Second)
	}
	for _, c := range []struct {
		name  string
		class Class
		want  []time.Duration
	}{
		{"network", Network, linear()},
		{"http", HTTP, []time.Duration{5e9, 10e9, 20e9, 40e9, 80e9, 160e9, 320e9, 320e9, 320e9}},
		{"rate limit", RateLimit, []time.Duration{1 * time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 16 * time.Minute}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, s, _ := runner(fails(c.class, 0))
				var sum time.Duration
				for _, d := range c.want {
					sum += d
				}
				during(t, r, sum, nil)
				if got := s.gaps(); !slices.Equal(got, c.want) {
					t.Errorf("waits are %v\nwant %v", got, c.want)
				}
				if st := r.Stats(); st.Connects[c.class.String()] != uint64(len(c.want)+1) || st.BackoffTotal != sum {
					t.Errorf("stats: %+v", st)
				}
			})
		})
	}
}

func TestLadderSettings(t *testing.T) {
	l := ladder{figures: Ladders{HTTP: 3, HTTPMax: 2, RateLimitMax: math.MaxInt64}.withDefaults()}
	if d, atCap := l.next(HTTP, 0); d != 3 || !atCap {
		t.Errorf("a cap below the first step: %v %v", d, atCap)
	}
	for range 100 { // must not overflow
		if d, _ := l.next(RateLimit, 0); d <= 0 {
			t.Fatalf("wait is %v", d)
		}
	}
}

func TestJitterOnlyAdds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, _ := runner(fails(HTTP, 0))
		r.Jitter = func() float64 { return 0.999999 }
		during(t, r, 16500*time.Millisecond, nil)
		got := s.gaps()
		if len(got) != 2 || got[0] < 5*time.Second || got[0] > 5500*time.Millisecond || got[1] < 10*time.Second || got[1] > 11*time.Second {
			t.Errorf("waits are %v", got)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, _ := runner(fails(RateLimit, 90*time.Second), fails(RateLimit, 30*time.Second), fails(HTTP, 24*time.Hour), streams(0, nil))
		during(t, r, time.Hour, nil)
		// Longer than the ladder, shorter than it, beyond the cap.
		if got, want := s.gaps(), []time.Duration{90 * time.Second, 2 * time.Minute, 16 * time.Minute}; !slices.Equal(got, want) {
			t.Errorf("waits are %v, want %v", got, want)
		}
	})
}

// Only an established stream is answered at once and resets the ladders.
func TestEstablished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := fails(Network, 0)
		r, s, _ := runner(down, down, down, streams(5, errors.New("cut")), down, down, streams(120, errors.New("cut")), down, streams(0, nil))
		during(t, r, time.Hour, nil)
		want := []time.Duration{250e6, 500e6, 750e6,
			5 * time.Second, 250e6, 500e6, // at once, then from the foot
			120 * time.Second, 250e6} // a minute later: at once again
		if got := s.gaps(); !slices.Equal(got, want) {
			t.Errorf("waits are %v\nwant %v", got, want)
		}
	})
}

// "200, then close" is not established: the ladder climbs.
func TestAcceptedThenClosed(t *testing.T) {
	for name, step := range map[string]step{
		"nothing":    func(_ context.Context, to Sink) error { to.Alive(0); return errors.New("closed") },
		"keep-alive": func(_ context.Context, to Sink) error { to.Alive(0); to.Alive(2); return errors.New("closed") },
		"malformed": func(_ context.Context, to Sink) error {
			to.Alive(20)
			to.Drop(DropMalformed)
			return errors.New("closed")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, s, _ := runner(step)
				during(t, r, time.Hour, nil)
				if n := s.connects(); n > 64+(3600-520)/16+2 {
					t.Errorf("%d connects in an hour", n)
				}
				if got := s.gaps()[:3]; !slices.Equal(got, []time.Duration{250e6, 500e6, 750e6}) {
					t.Errorf("first waits are %v", got)
				}
			})
		})
	}
}

// A stream that brings a message and ends, for ever, must not become a hot loop.
func TestFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, _ := runner(func(_ context.Context, to Sink) error { post(to); return errors.New("cut") })
		during(t, r, time.Hour, nil)
		if n := s.connects(); n > 400 {
			t.Errorf("%d connects in an hour", n)
		}
		for i, d := range s.gaps() {
			if i > 0 && d == 0 && s.at[i].Sub(s.at[0]) < time.Minute {
				t.Errorf("connect %d came at once, %v after the first", i+1, s.at[i].Sub(s.at[0]))
			}
		}
	})
}

// Keep-alives for 30 s establish a stream that brings no message.
func TestQuietStreamIsEstablished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		quiet := func(ctx context.Context, to Sink) error {
			to.Alive(0)
			for range 4 {
				_ = wait(ctx, 10*time.Second)
				to.Alive(2)
			}
			return errors.New("cut")
		}
		r, s, _ := runner(fails(HTTP, 0), quiet, fails(HTTP, 0), streams(0, nil))
		during(t, r, time.Minute, nil)
		if got, want := s.gaps(), []time.Duration{5e9, 40e9, 5e9}; !slices.Equal(got, want) {
			t.Errorf("waits are %v, want %v", got, want)
		}
	})
}
