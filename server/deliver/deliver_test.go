package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// Whatever is pending goes out in few writes, none above 64 KiB, none without a
// whole write timeout before it.
func TestWritesAreLargeAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, nil)
		for range 100 {
			w.post(3000)
		}
		w.post(500 << 10)
		out := &socket{header: http.Header{}, timeout: 10 * time.Second}
		ctx, leave := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Minute); leave() }()
		reason, err := w.serve(ctx, out, nil)
		if reason != Gone || err != nil {
			t.Errorf("%v %v", reason, err)
		}
		total := 0
		for _, n := range out.writes {
			if total += n; n > maxWrite {
				t.Errorf("a write of %d bytes", n)
			}
		}
		if len(out.writes) > 35 || total < 800_000 {
			t.Errorf("%d writes for %d bytes", len(out.writes), total)
		}
		if out.late > 0 || out.flushed != len(out.writes) {
			t.Errorf("%d writes were late, %d of %d flushed", out.late, out.flushed, len(out.writes))
		}
		if n := bytes.Count(out.data.Bytes(), []byte("\ndata: {\"id_str\"")); n != 101 {
			t.Errorf("%d posts", n)
		}
	})
}

// On a connection of its own a client's deadline is renewed now and then; on a
// shared one, where it ends the stream by itself, it is set and taken away.
func TestDeadlines(t *testing.T) {
	for _, own := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, nil)
			out := &socket{header: http.Header{}, timeout: 10 * time.Second}
			ctx, leave := context.WithCancel(t.Context())
			go func() {
				for range 1000 {
					w.post(10)
					time.Sleep(10 * time.Millisecond)
				}
				leave()
			}()
			if _, err := w.serve(ctx, out, func(s *Stream) {
				if own {
					s.Conn = nowhere{}
				}
			}); err != nil {
				t.Fatal(err)
			}
			if own && (out.armed > 12 || out.cleared > 0 || out.late > 0) {
				t.Errorf("own: set %d times, cleared %d, late %d in %d writes", out.armed, out.cleared, out.late, len(out.writes))
			}
			if !own && (out.cleared != len(out.writes) || out.late > 0) {
				t.Errorf("shared: cleared %d, late %d in %d writes", out.cleared, out.late, len(out.writes))
			}
		})
	}
}

func TestReasons(t *testing.T) {
	for _, c := range []struct {
		name string
		fail error
		want Reason
	}{{"broken", errors.New("broken pipe"), Gone}, {"deadline", fmt.Errorf("write: %w", os.ErrDeadlineExceeded), TooSlow}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, nil)
			reason, err := w.serve(t.Context(), &socket{header: http.Header{}, fail: c.fail}, nil)
			if reason != c.want || err != nil {
				t.Errorf("%s: %v %v, want %v", c.name, reason, err, c.want)
			}
		})
	}
}

func TestAdmitCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.MaxClients, c.MaxPerKey = 3, 2 })
		admit := func(key string, want error) *Client {
			t.Helper()
			c, err := w.clients.Admit(key)
			if !errors.Is(err, want) {
				t.Errorf("Admit(%q): %v, want %v", key, err, want)
			}
			return c
		}
		a := admit("a", nil)
		admit("a", nil)
		admit("a", ErrKeyFull)
		b := admit("", nil)
		admit("", ErrFull)
		a.Leave()
		b.Leave()
		admit("a", nil)
		admit("a", ErrKeyFull)
		if n := w.clients.Len(); n != 2 {
			t.Errorf("%d clients", n)
		}
		if len(w.clients.byKey) != 1 {
			t.Errorf("keys are kept: %v", w.clients.byKey)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.clients.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Drain with clients that never serve: %v", err)
		}
		admit("", ErrDraining)
	})
}

func TestRetries(t *testing.T) {
	cs := &Clients{cfg: Config{Retry: 3 * time.Second, Drain: 10 * time.Second}}
	for r, bounds := range map[Reason][2]time.Duration{
		Draining: {3 * time.Second, 13 * time.Second}, MaxAge: {1500 * time.Millisecond, 4500 * time.Millisecond},
		Limit: {1500 * time.Millisecond, 4500 * time.Millisecond}, Overloaded: {30 * time.Second, 60 * time.Second},
	} {
		low, high := time.Hour, time.Duration(0)
		for range 2000 {
			d := cs.RetryAfter(r)
			low, high = min(low, d), max(high, d)
		}
		span := bounds[1] - bounds[0]
		if low < bounds[0] || high > bounds[1] || low > bounds[0]+span/50 || high < bounds[1]-span/50 {
			t.Errorf("%v: from %v to %v, want all of %v", r, low, high, bounds)
		}
	}
}

func TestRate(t *testing.T) {
	r := &rate{max: 2}
	at := func(ms int) *fanout.Event { return &fanout.Event{Received: time.UnixMilli(int64(ms))} }
	var sent, gaps []string
	for i, ms := range []int{100, 200, 300, 999, 1000, 1001, 1002, 3000} {
		e := at(ms)
		if r.starts(e) {
			if g := r.take(fanout.Cursor{Seq: uint64(i)}); !g.Zero() {
				gaps = append(gaps, fmt.Sprintf("%d@%d %d-%d", g.Missed, g.Cursor.Seq, g.From.UnixMilli(), g.To.UnixMilli()))
			}
		}
		if r.pass(e) {
			sent = append(sent, fmt.Sprint(ms))
		}
	}
	if got := strings.Join(sent, " "); got != "100 200 1000 1001 3000" {
		t.Errorf("sent %s", got)
	}
	if got := strings.Join(gaps, ", "); got != "2@4 300-999, 1@7 1002-1002" {
		t.Errorf("gaps %s", got)
	}
}

// Joining and leaving in any order keeps the books of a shard right.
func TestShardBooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Shards = 1 })
		var leaves []context.CancelFunc
		done := make(chan struct{}, 30)
		for range 30 {
			ctx, leave := context.WithCancel(t.Context())
			leaves = append(leaves, leave)
			go func() {
				if _, err := w.serve(ctx, &socket{header: http.Header{}}, nil); err != nil {
					t.Error(err)
				}
				done <- struct{}{}
			}()
		}
		synctest.Wait()
		s := w.clients.shards[0]
		for i := range leaves {
			leaves[(i*7)%30]()
			<-done
			s.mu.Lock()
			n := 0
			for _, members := range s.byGroup {
				for j, h := range members {
					if h.inGroup != j || s.handlers[h.index] != h {
						t.Errorf("after %d leaves: a client is not where it says", i+1)
					}
					n++
				}
			}
			if n != 29-i || len(s.handlers) != 29-i {
				t.Errorf("after %d leaves: %d and %d clients", i+1, n, len(s.handlers))
			}
			s.mu.Unlock()
		}
	})
}

// A panic that belongs to no client does not stop the loop, nor what it has been
// asked besides.
func TestLoopSurvivesPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		w := newWorld(t, func(c *Config) { c.Shards, c.Log = 1, slog.New(slog.NewTextHandler(&log, nil)) })
		ctx, leave := context.WithCancel(t.Context())
		out := &socket{header: http.Header{}}
		served := make(chan error)
		go func() {
			_, err := w.serve(ctx, out, nil)
			served <- err
		}()
		synctest.Wait()
		s := w.clients.shards[0]
		for range 3 {
			s.do(func() { panic("a bug") })
		}
		if n := len(w.clients.List()); n != 1 {
			t.Errorf("%d clients", n)
		}
		w.post(10)
		synctest.Wait()
		if !strings.Contains(out.data.String(), `"id_str":"1"`) {
			t.Errorf("the client has %q", out.data.String())
		}
		if n := strings.Count(log.String(), "a shard panicked"); n != 3 {
			t.Errorf("%d panics in the log", n)
		}
		leave()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
