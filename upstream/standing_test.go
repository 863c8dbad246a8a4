package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// shelf is a Keeper that keeps what JSON does.
type shelf struct{ raw []byte }

func (k *shelf) Load(context.Context) (s Standing, err error) {
	if k.raw != nil {
		err = json.Unmarshal(k.raw, &s)
	}
	return s, err
}

func (k *shelf) Save(s Standing) { k.raw, _ = json.Marshal(s) }

// A Runner goes on where another one stopped.
func TestStandingGoesOn(t *testing.T) {
	t.Run("on the ladder", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			kept := &shelf{}
			a, _, _ := runner(fails(RateLimit, 0))
			a.Keeper = kept
			during(t, a, 90*time.Second, nil) // refused at 0 and 60 s, the next at 180 s
			b, s, _ := runner(fails(RateLimit, 0), streams(1, nil))
			b.Keeper = kept
			began := time.Now()
			during(t, b, 10*time.Minute, func() {
				if u := b.Status(); u.State != StateStreaming {
					t.Errorf("%+v", u)
				}
			})
			if first, gaps := s.at[0].Sub(began), s.gaps(); first != 90*time.Second || !slices.Equal(gaps, []time.Duration{4 * time.Minute}) {
				t.Errorf("connects after %v, then %v", first, gaps)
			}
		})
	})
	t.Run("in a halt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			kept := &shelf{}
			a, _, _ := runner(fails(Fatal, 0))
			a.Keeper = kept
			during(t, a, time.Second, nil)
			b, s, _ := runner(streams(1, nil))
			b.Keeper = kept
			during(t, b, 24*time.Hour, func() {
				if u := b.Status(); u.State != StateHalted || u.Class != "fatal" || u.Error != "refused" || u.Hint != "a hint" || s.connects() != 0 {
					t.Errorf("%+v, %d connects", u, s.connects())
				}
				b.Reconnect()
				time.Sleep(time.Second)
				if u := b.Status(); u.State != StateStreaming || u.Error != "" || s.connects() != 1 {
					t.Errorf("%+v, %d connects", u, s.connects())
				}
			})
		})
	})
	t.Run("with the connects of the last minutes", func(t *testing.T) {
		kept := &shelf{}
		u := &tap{limit: 2}
		switching(t, u, func(r *Runner) { r.Keeper = kept }, func(r *Runner, _ *log) {
			for range 3 {
				r.Switch()
				time.Sleep(5 * time.Second)
			}
		})
		s, _ := kept.Load(context.Background())
		if len(s.Connects) != 4 || s.State != StateStreaming {
			t.Fatalf("%+v", s)
		}
	})
}

// Run can be called again: what was missed in between is told, or what Opened says.
func TestRunAgain(t *testing.T) {
	for _, told := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			r, s, l := runner(streams(1000, nil))
			var since time.Time
			slots := []int{}
			if told {
				r.Opened = func(_ context.Context, slot int, accepted time.Time) (time.Time, error) {
					if !accepted.Equal(time.Now()) {
						t.Errorf("accepted at %v", accepted)
					}
					slots = append(slots, slot)
					return since, nil
				}
			}
			during(t, r, 1500*time.Millisecond, nil)
			left := time.Now().Add(-500 * time.Millisecond)
			time.Sleep(time.Minute)
			since = time.Now().Add(-10 * time.Second)
			want := left
			if told {
				want = since
			}
			during(t, r, 1500*time.Millisecond, func() {
				if u := r.Status(); u.State != StateStreaming {
					t.Errorf("%+v", u)
				}
			})
			if loss := l.losses(); len(loss) != 1 || !loss[0].From.Equal(want) {
				t.Errorf("told %v, want one from %v", loss, want)
			}
			if s.connects() != 2 || told && !slices.Equal(slots, []int{1, 1}) {
				t.Errorf("%d connects, slots %v", s.connects(), slots)
			}
		})
	}
}

// A stream whose first byte was not let through publishes nothing and is closed.
func TestOpenedRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, l := runner(streams(10, nil))
		r.Opened = func(context.Context, int, time.Time) (time.Time, error) {
			return time.Time{}, errors.New("the bus is away")
		}
		during(t, r, time.Second, func() {
			if u := r.Status(); u.State != StateBackingOff || u.Error != "the bus is away" {
				t.Errorf("%+v", u)
			}
		})
		if n := len(l.kinds()); n > 0 || s.connects() < 2 {
			t.Errorf("%d events, %d connects", n, s.connects())
		}
	})
}

// A stream that was not let through brought nothing, so its end is not where the loss
// begins: that is what Opened says of the next one.
func TestLossBeforeARefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, l := runner(streams(1000, nil))
		since := time.Now().Add(-time.Minute)
		tries := 0
		r.Opened = func(context.Context, int, time.Time) (time.Time, error) {
			if tries++; tries == 1 {
				return time.Time{}, errors.New("the bus is away")
			}
			return since, nil
		}
		during(t, r, 10*time.Second, nil)
		if loss := l.losses(); len(loss) != 1 || !loss[0].From.Equal(since) {
			t.Errorf("told %v, want one from %v", loss, since)
		}
	})
}

// When the right to stream is lost, the end of a stream means nothing: code 7 is
// what an upstream says to the one that was replaced.
func TestNotValid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept := &shelf{}
		r, s, _ := runner(streams(1, &Error{Class: Fatal, Err: errors.New("code 7"), Clean: true}))
		r.Keeper = kept
		r.Valid = func() bool { return false }
		ctx, cancel := context.WithCancelCause(context.Background())
		done := make(chan struct{})
		go func() { _ = r.Run(ctx); close(done) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		if st, _ := kept.Load(ctx); st.State != StateStreaming || s.connects() != 1 {
			t.Errorf("%+v, %d connects", st, s.connects())
		}
		cancel(errors.New("another node leads"))
		<-done
		if u := r.Status(); u.Error != "another node leads" {
			t.Errorf("%+v", u)
		}
	})
}

// A state reads as it was written.
func TestStandingAsJSON(t *testing.T) {
	at := stamp(time.Now())
	s := Standing{State: StateBackingOff, Since: at, Class: "http", Error: "e", Hint: "h", NextAttempt: &at, HTTP: time.Second, Connects: []time.Time{at}}
	raw, err := json.Marshal(s)
	var back Standing
	if err != nil || json.Unmarshal(raw, &back) != nil {
		t.Fatal(err)
	}
	u := back.Upstream()
	if u.State != s.State || !u.Since.Equal(at) || u.Class != "http" || u.Error != "e" || u.Hint != "h" || !u.NextAttempt.Equal(at) ||
		back.HTTP != s.HTTP || len(back.Connects) != 1 || !back.Immediate.IsZero() {
		t.Errorf("%s", raw)
	}
	if e, err := StateEvent(u); err != nil || e.Kind != fanout.KindUpstream {
		t.Errorf("%v %v", e, err)
	}
}
