package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A heartbeat carries the position of what did not match: a quiet filtered
// client resumes from there and not from its last post.
func TestHeartbeatsAreOnTimeAndOnlyInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		resp := g.do("GET", "/stream?track=zig", "")
		body := soak(resp.Body)
		cut(t, body, "\n\n", 2)
		g.post(1, "7", "go")
		began := time.Now()
		beat := cut(t, body, "\n\n", 1)
		if want := ":\nid: " + epoch(g) + "-1\n\n"; beat != want {
			t.Errorf("heartbeat %q, want %q", beat, want)
		}
		if d := time.Since(began); d < 9*time.Second || d > 15*time.Second {
			t.Errorf("the first heartbeat after %v", d)
		}
		for i := range 30 { // a post every second: no heartbeat
			time.Sleep(time.Second)
			g.post(10+i, "7", "zig")
		}
		if got := cut(t, body, "\n\n", 30); strings.Contains(got, ":\n") {
			t.Errorf("heartbeats in a busy stream: %q", got)
		}
	})
}

// Clients that came together are not all due together.
func TestHeartbeatsAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		var all []*sponge
		for range 64 {
			body := soak(g.do("GET", "/stream", "").Body)
			cut(t, body, "\n\n", 2) // retry and hello
			all = append(all, body)
		}
		began, seconds := time.Now(), map[int]bool{}
		for range 15 {
			time.Sleep(time.Second)
			synctest.Wait()
			for _, body := range all {
				body.mu.Lock()
				if len(body.buf) > 0 {
					body.buf = body.buf[:0]
					seconds[int(time.Since(began).Seconds())] = true
				}
				body.mu.Unlock()
			}
		}
		if len(seconds) < 4 {
			t.Errorf("64 clients had their first heartbeats in these seconds: %v", seconds)
		}
	})
}

func TestNamedHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		s := g.stream("/stream?events=all,heartbeat")
		lines := soak(g.do("GET", "/stream?events=heartbeat&format=ndjson", "").Body)
		f, want := s.next(), `{"heartbeat":{"cursor":"`+epoch(g)+`-0"}}`
		if f.event != "heartbeat" || f.data != want {
			t.Errorf("%v, want %s", f, want)
		}
		if got := cut(t, lines, "\n", 2); got != `{"cursor":"`+epoch(g)+`-0"}`+"\n"+want+"\n" {
			t.Errorf("NDJSON: %q", got)
		}
	})
}

type bye struct {
	Bye struct {
		Reason  string  `json:"reason"`
		RetryMS int     `json:"retry_ms"`
		Cursor  *string `json:"cursor"`
	} `json:"bye"`
}

// expectBye reads up to a bye and the end behind it.
func expectBye(t *testing.T, s *reader, reason string) bye {
	t.Helper()
	f := s.next()
	var b bye
	if err := json.Unmarshal([]byte(f.data), &b); err != nil || f.event != "bye" || b.Bye.Reason != reason {
		t.Fatalf("%v (%v), want bye %s", f, err, reason)
	}
	if s.retry != fmt.Sprint(b.Bye.RetryMS) {
		t.Errorf("retry: %s, retry_ms %d", s.retry, b.Bye.RetryMS)
	}
	if f := s.next(); f.event != "EOF" {
		t.Errorf("after bye: %v", f)
	}
	return b
}

func TestMaxAge(t *testing.T) {
	for _, age := range []time.Duration{1500 * time.Millisecond, 100 * time.Second} {
		t.Run(age.String(), func(t *testing.T) { testMaxAge(t, age) })
	}
}

func testMaxAge(t *testing.T, age time.Duration) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) { o.MaxAge = age })
		lives := map[time.Duration]bool{}
		for range 10 {
			s := g.stream("/stream")
			began := time.Now()
			b := expectBye(t, s, "max_age")
			d := time.Since(began)
			if d < age/5*4 || d > age {
				t.Errorf("lived %v, want 80 to 100 %% of %v", d, age)
			}
			if b.Bye.Cursor == nil || *b.Bye.Cursor != epoch(g)+"-0" {
				t.Errorf("cursor %v", b.Bye.Cursor)
			}
			lives[d] = true
		}
		if len(lives) < 3 && age > time.Minute { // short lives end with the sweep
			t.Errorf("all lives are alike: %v", lives)
		}
	})
}

func TestDrain(t *testing.T) {
	onPaths(t, func(t *testing.T, g *gate) {
		var streams []*reader
		for range 50 {
			streams = append(streams, g.stream("/stream"))
		}
		silent := g.open("/stream?events=none")
		g.settle()
		g.post(1, "7", "the last words")
		if err := g.server.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		retries := map[int]bool{}
		for _, s := range streams {
			if got := s.ids(1); got[0] != "1" { // what is in the history goes out before the bye
				t.Error(got)
			}
			b := expectBye(t, s, "draining")
			if b.Bye.RetryMS < 3000 || b.Bye.RetryMS > 13000 {
				t.Errorf("retry %d, want 3000 to 13000", b.Bye.RetryMS)
			}
			retries[b.Bye.RetryMS] = true
		}
		if len(retries) < 25 {
			t.Errorf("retries are not spread: %v", retries)
		}
		if silent.ids(1); silent.next().event != "EOF" || silent.retry == "" {
			t.Error("a client without named events must be told when to come back")
		}
		if p := decode(t, g.do("GET", "/readyz", "")); p.Status != 503 {
			t.Errorf("readyz: %+v", p)
		}
		late := g.open("/stream", "Last-Event-ID: "+epoch(g)+"-1")
		if b := expectBye(t, late, "draining"); *b.Bye.Cursor != epoch(g)+"-1" {
			t.Errorf("a new stream's cursor is %s", *b.Bye.Cursor)
		}
		if got := readAll(t, g.do("GET", "/stream?format=ndjson", "").Body); !strings.HasPrefix(got, `{"bye":{"reason":"draining"`) {
			t.Errorf("NDJSON: %q", got)
		}
	})
}

func TestDrainDoesNotWaitForTheStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		g.mute("/stream")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := g.server.Drain(ctx); err == nil || !strings.Contains(err.Error(), "1 clients") {
			t.Errorf("Drain: %v, want one client left", err)
		}
	})
}

func TestStalledClientIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		g.mute("/stream")
		synctest.Wait()
		time.Sleep(9 * time.Second)
		if n := g.server.clients.Len(); n != 1 {
			t.Fatalf("%d clients after 9 s", n)
		}
		time.Sleep(3 * time.Second)
		if n := g.server.clients.Len(); n != 0 {
			t.Errorf("%d clients, want the stalled one gone after 10 s", n)
		}
		if got := metric(t, g, `aviary_client_closes_total{reason="too_slow"}`); got != "1" {
			t.Errorf("too_slow %s, want 1", got)
		}
	})
}

// The deadline is renewed with writes, not by them alone: an idle connection
// whose deadline has long passed is still good.
func TestIdleThenBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) { o.Heartbeat = time.Hour; o.WriteTimeout = time.Second })
		s := g.stream("/stream")
		for i := range 20 {
			time.Sleep(time.Duration(i) * 300 * time.Millisecond)
			g.post(1+i, "7", "go")
			s.ids(1)
		}
	})
}
