package upstream

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

func TestGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		control := func(ctx context.Context, to Sink) error {
			to.Alive(10)
			to.Emit(&fanout.Event{Kind: fanout.KindLimit})
			_ = wait(ctx, 3*time.Second)
			return errors.New("cut")
		}
		began := time.Now()
		r, _, l := runner(fails(HTTP, 0), streams(2, errors.New("cut")), fails(HTTP, 0), control, streams(2, nil))
		during(t, r, time.Hour, nil)
		want := []fanout.Kind{fanout.KindPost, fanout.KindPost, fanout.KindLimit, fanout.KindGap, fanout.KindPost, fanout.KindPost}
		if got := l.kinds(); !slices.Equal(got, want) {
			t.Fatalf("events %v, want %v", got, want)
		}
		// First stream 5 s to 7 s, last byte at 6 s; refused at 7 s; 12 s to 15 s
		// without a post; then 250 ms as the last immediate reconnect was just now.
		loss := l.losses()[0]
		if loss.Reason != "upstream" || loss.Missed != -1 || loss.From.Sub(began) != 6*time.Second || loss.To.Sub(began) != 15250*time.Millisecond {
			t.Errorf("loss %+v, from %v to %v", loss, loss.From.Sub(began), loss.To.Sub(began))
		}
	})
}

func TestNoGapAfterAWholeStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := &Error{Class: Fatal, Err: errors.New("end"), Clean: true, Whole: true}
		r, _, l := runner(streams(1, end))
		during(t, r, time.Minute, func() { r.Reconnect(); time.Sleep(time.Minute) })
		if got := l.kinds(); !slices.Equal(got, []fanout.Kind{fanout.KindPost, fanout.KindPost}) {
			t.Errorf("events %v", got)
		}
	})
}

func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, s, _ := runner(func(_ context.Context, to Sink) error { to.Alive(1); panic("bad input") }, streams(0, nil))
		during(t, r, 4*time.Second, func() {
			if u := r.Status(); u.Class != "http" || !strings.Contains(u.Error, "bad input") {
				t.Errorf("status %+v", u)
			}
		})
		if n := r.Stats().Drops[DropPanic]; n != 1 || s.connects() != 1 {
			t.Errorf("%d panics, %d connects", n, s.connects())
		}
	})
}

func TestStats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, l := runner(func(ctx context.Context, to Sink) error {
			for i := range 600 { // ten a second for a minute
				post(to)
				if i%100 == 0 {
					to.Drop(DropMalformed)
					to.Emit(GapEvent(fanout.Loss{Reason: "oversize", Missed: 1}))
				}
				_ = wait(ctx, 100*time.Millisecond)
			}
			<-ctx.Done()
			return ctx.Err()
		})
		l.refuse = true
		during(t, r, time.Minute, func() {
			if got := r.Status().PostsPerS; math.Abs(got-10) > 0.6 {
				t.Errorf("%v posts/s", got)
			}
			st := r.Stats()
			if st.Messages["post"] != 600 || st.Bytes != 60000 || st.Lag != 2*time.Second || st.Connects["ok"] != 1 ||
				st.Drops[DropDuplicate] != 600 || st.Drops[DropMalformed] != 6 || st.Drops[DropOversize] != 6 {
				t.Errorf("stats %+v", st)
			}
			time.Sleep(time.Minute)
			if got := r.Status().PostsPerS; got > 0.1 {
				t.Errorf("%v posts/s after a quiet minute", got)
			}
		})
	})
}

// The rate is right from the first seconds on.
func TestRateAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _, _ := runner(streams(1000, nil))
		during(t, r, 5*time.Second, func() {
			if got := r.Status().PostsPerS; got < 0.7 || got > 1.5 {
				t.Errorf("%v posts/s, want about 1", got)
			}
		})
	})
}

// A history that is read in a moment counts at the pace at which its posts came, and
// a machine whose clock is another one changes nothing.
func TestRateOfAHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			name  string
			clock time.Duration // of the machine that stamped them
		}{{"same clock", 0}, {"slow clock", -time.Hour}, {"fast clock", time.Hour}} {
			var rate rate
			for n := range 1000 {
				rate.add(time.Now(), time.Now().Add(c.clock-time.Duration(1000-n)*500*time.Millisecond))
			}
			if got := rate.at(time.Now()); math.Abs(got-2) > 0.2 {
				t.Errorf("%s: %v posts/s, want about 2", c.name, got)
			}
			for range 60 {
				time.Sleep(500 * time.Millisecond)
				rate.add(time.Now(), time.Now().Add(c.clock))
			}
			if got := rate.at(time.Now()); math.Abs(got-2) > 0.2 {
				t.Errorf("%s, after half a minute: %v posts/s, want about 2", c.name, got)
			}
			time.Sleep(time.Minute)
			if got := rate.at(time.Now()); got > 0.1 {
				t.Errorf("%s: %v posts/s after a quiet minute", c.name, got)
			}
		}
	})
}
