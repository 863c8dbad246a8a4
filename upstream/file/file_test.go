package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/gzip"

	"aviary/fanout"
	"aviary/upstream"
)

// sink keeps what a replay brings, with the times.
type sink struct {
	events []*fanout.Event
	at     []time.Time
	bytes  int
	drops  map[string]int
	emit   func() // called at each event
}

func (s *sink) Alive(n int) { s.bytes += n }
func (s *sink) Emit(e *fanout.Event) {
	s.events, s.at = append(s.events, e), append(s.at, time.Now())
	if s.emit != nil {
		s.emit()
	}
}
func (s *sink) Drop(reason string) {
	if s.drops == nil {
		s.drops = map[string]int{}
	}
	s.drops[reason]++
}

// lines are what the events hold, and their windows.
func (s *sink) lines() (l []string) {
	for _, e := range s.events {
		if e.Kind == fanout.KindGap {
			l = append(l, "gap")
			continue
		}
		l = append(l, fmt.Sprintf("%d:%s", e.Window, e.JSON))
	}
	return l
}

// decode takes "{"t":<milliseconds>}" as a post sent then, refuses "bad" and what
// holds an open string, and panics at "panic".
func decode(line []byte) (*fanout.Event, error) {
	switch string(line) {
	case "bad":
		return nil, errors.New("bad line")
	case "panic":
		panic("bad line")
	}
	if bytes.Count(line, []byte{'"'})%2 != 0 {
		return nil, errors.New("open string")
	}
	e := fanout.NewEvent(nil, line)
	var ms int64
	if n, _ := fmt.Sscanf(string(line), `{"t":%d}`, &ms); n == 1 {
		e.Sent = time.UnixMilli(ms)
	}
	return e, nil
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(content))
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func replay(t *testing.T, ctx context.Context, c Config, to *sink) *upstream.Error {
	t.Helper()
	c.Decode = decode
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	err = s.Stream(ctx, to)
	var e *upstream.Error
	if !errors.As(err, &e) && ctx.Err() == nil {
		t.Fatalf("Stream returned %v", err)
	}
	return e
}

func TestReplay(t *testing.T) {
	big := strings.Repeat("x", upstream.MaxMessage+1)
	for _, c := range []struct {
		name, content string
		want          []string
		drops         int
		says          string
	}{
		{"NDJSON", "{\"a\":1}\n\n{\"a\":2}\n{\"a\":3}", []string{`1:{"a":1}`, `1:{"a":2}`, `1:{"a":3}`}, 0, "end of file"},
		{"CRLF", "{\"a\":1}\r\n{\"a\":\n2}\r\n", []string{`1:{"a":1}`, `1:{"a":2}`}, 0, "end of file"},
		{"CRLF, then LF", "{\"a\":1}\r\n{\"a\":2}\n{\"a\":\n3}\n{\"a\":4}", []string{`1:{"a":1}`, `1:{"a":2}`, `1:{"a":3}`, `1:{"a":4}`}, 0, "end of file"},
		{"CRLF, then a broken line and LF", "{\"a\":1}\r\n{\"a\n{\"a\":2}\nbad\n\n{\"a\":3}\n", []string{`1:{"a":1}`, `1:{"a":2}`, `1:{"a":3}`}, 2, "end of file"},
		{"byte order mark", "\uFEFF{\"a\":1}\n\uFEFF{\"a\":2}\n", []string{`1:{"a":1}`, `1:{"a":2}`}, 0, "end of file"},
		{"gzip", zipped(t, "{\"a\":1}\n{\"a\":2}\n"), []string{`1:{"a":1}`, `1:{"a":2}`}, 0, "end of file"},
		{"bad lines", "{}\nbad\npanic\n" + big + "\n{}\n", []string{"1:{}", "gap", "1:{}"}, 2, "end of file"},
		{"empty", "", nil, 0, "no message"},
		{"only bad", "bad\n", nil, 1, "no message"},
		{"cut gzip", zipped(t, strings.Repeat("{}\n", 3))[:15], nil, 0, "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sink
			e := replay(t, t.Context(), Config{Path: write(t, "capture", c.content), Pace: Max}, &s)
			if e.Class != upstream.Fatal || !e.Whole || !strings.Contains(e.Error(), c.says) || e.Hint == "" {
				t.Errorf("ended with %+v", e)
			}
			if got := s.lines(); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if n := s.drops[upstream.DropMalformed] + s.drops[upstream.DropPanic]; n != c.drops {
				t.Errorf("drops %v", s.drops)
			}
			if s.bytes != len(c.content) {
				t.Errorf("%d bytes of %d reported", s.bytes, len(c.content))
			}
		})
	}
}

func TestNoFile(t *testing.T) {
	if e := replay(t, t.Context(), Config{Path: "/nowhere/at/all"}, &sink{}); e.Class != upstream.Fatal || !strings.Contains(e.Error(), "/nowhere/at/all") {
		t.Errorf("got %+v", e)
	}
	if e := replay(t, t.Context(), Config{Path: t.TempDir()}, &sink{}); e.Class != upstream.Fatal {
		t.Errorf("a folder: %+v", e)
	}
	for _, c := range []Config{{Decode: decode}, {Path: "x"}} {
		if _, err := New(c); err == nil {
			t.Errorf("New(%+v) is no error", c)
		}
	}
}

// Each lap, and each replay, is a window of its own.
func TestLoop(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := sink{}
	s.emit = func() {
		if len(s.events) == 5 {
			cancel()
		}
	}
	src, err := New(Config{Path: write(t, "c", "{\"a\":1}\n{\"a\":2}\n"), Pace: Max, Loop: true, Decode: decode})
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Stream(ctx, &s); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if got := strings.Join(s.lines(), " "); got != `1:{"a":1} 1:{"a":2} 2:{"a":1} 2:{"a":2} 3:{"a":1}` {
		t.Errorf("got %s", got)
	}
	src.config.Loop = false
	s.events, s.emit = nil, nil
	_ = src.Stream(t.Context(), &s)
	if s.events[0].Window != 4 {
		t.Errorf("a new replay has window %d", s.events[0].Window)
	}
}

func TestPace(t *testing.T) {
	stamped := "{\"t\":1000000}\n{\"t\":1001500}\n{}\n{\"t\":1001000}\n{\"t\":1002000}\n{\"t\":99000000}\n"
	for _, c := range []struct {
		pace Pace
		want []time.Duration
	}{
		{Recorded, []time.Duration{0, 1500e6, 1500e6, 1500e6, 2e9, 12e9}}, // out of order waits for nobody, a day is MaxPause
		{Max, []time.Duration{0, 0, 0, 0, 0, 0}},
		{4, []time.Duration{0, 250e6, 500e6, 750e6, 1e9, 1250e6}},
		{0.01, []time.Duration{0, 100e9, 200e9, 300e9, 400e9, 500e9}},
	} {
		t.Run(c.pace.String(), func(t *testing.T) {
			path := write(t, "capture", stamped)
			synctest.Test(t, func(t *testing.T) {
				var s sink
				began := time.Now()
				replay(t, t.Context(), Config{Path: path, Pace: c.pace}, &s)
				var got []time.Duration
				for _, at := range s.at {
					got = append(got, at.Sub(began))
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("events came after %v, want %v", got, c.want)
				}
			})
		})
	}
}

// A long pause is no stall, and a replay that has ended halts and tells no gap.
func TestUnderARunner(t *testing.T) {
	path := write(t, "capture", "{\"t\":1000}\n{\"t\":9000}\n")
	synctest.Test(t, func(t *testing.T) {
		src, err := New(Config{Path: path, Decode: decode})
		if err != nil {
			t.Fatal(err)
		}
		kinds := map[fanout.Kind]int{}
		r := &upstream.Runner{Source: src, StallTimeout: time.Second, Name: "file", Log: slog.New(slog.DiscardHandler),
			Publish: func(e *fanout.Event) bool { kinds[e.Kind]++; return true }}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		for replays := range 2 {
			if replays > 0 {
				r.Reconnect()
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if u := r.Status(); u.State != upstream.StateHalted || u.Error != "end of file" {
				t.Errorf("status %+v", u)
			}
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if kinds[fanout.KindPost] != 4 || kinds[fanout.KindGap] != 0 {
			t.Errorf("kinds %v", kinds)
		}
	})
}

// Being asked to start afresh in the middle of a replay is a new replay, without a gap.
func TestReconnectInTheMiddle(t *testing.T) {
	path := write(t, "capture", "{\"t\":1000}\n{\"t\":9000}\n")
	synctest.Test(t, func(t *testing.T) {
		src, err := New(Config{Path: path, Decode: decode})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		r := &upstream.Runner{Source: src, Name: "file", Log: slog.New(slog.DiscardHandler), Publish: func(e *fanout.Event) bool {
			if e.Kind != fanout.KindUpstream {
				got = append(got, fmt.Sprintf("%d:%s", e.Window, e.JSON))
			}
			return true
		}}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		time.Sleep(2 * time.Second)
		r.Reconnect()
		time.Sleep(time.Minute)
		cancel()
		<-done
		if want := []string{`1:{"t":1000}`, `2:{"t":1000}`, `2:{"t":9000}`}; !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestParsePace(t *testing.T) {
	for in, want := range map[string]Pace{"recorded": Recorded, "MAX": Max, "50": 50, " 0.5 ": 0.5} {
		if got, err := ParsePace(in); err != nil || got != want {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "fast", "0", "-1", "NaN", "Inf", "1e9", "5/s"} {
		if _, err := ParsePace(in); err == nil {
			t.Errorf("%q is no error", in)
		}
	}
}
