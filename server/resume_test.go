package server

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// hello is the first event of a stream.
type hello struct {
	Cursor   string
	Resumed  string
	Missed   *int64 // null: cannot be known
	Filter   string
	Warnings []string
}

// helloOf is the hello of a fresh stream.
func helloOf(t *testing.T, g *gate, path string, headers ...string) (hello, *reader) {
	t.Helper()
	s := g.open(path, headers...)
	f := s.next()
	var h struct{ Hello hello }
	if err := json.Unmarshal([]byte(f.data), &h); err != nil || f.event != "hello" {
		t.Fatalf("%v: %v", f, err)
	}
	if f.id != h.Hello.Cursor {
		t.Errorf("hello's id %q and cursor %q differ", f.id, h.Hello.Cursor)
	}
	return h.Hello, s
}

func TestResumeLosesAndRepeatsNothing(t *testing.T) {
	onPaths(t, func(t *testing.T, g *gate) {
		g.post(1, "7", "go")
		s := g.stream("/stream?track=go")
		g.post(2, "7", "go")
		g.post(3, "7", "go")
		if got := s.ids(2); !slices.Equal(got, []string{"2", "3"}) {
			t.Fatalf("live: %v", got)
		}
		last := s.id
		s.body.Close()
		g.post(4, "7", "go")
		g.post(5, "7", "zig")
		g.post(6, "7", "go")
		for how, s := range map[string]*reader{
			"header":    g.open("/stream?track=go&since=1h", "Last-Event-ID: "+last),
			"parameter": g.open("/stream?track=go&since=1h&last_event_id=" + last),
			"since":     g.open("/stream?track=go&since=" + last),
			"both":      g.open("/stream?track=go&last_event_id="+epoch(g)+"-1", "Last-Event-ID: "+last),
		} {
			f := s.next()
			if !strings.Contains(f.data, `"resumed":"full"`) || f.id != last {
				t.Errorf("%s: %v", how, f)
			}
			if got := s.ids(2); !slices.Equal(got, []string{"4", "6"}) {
				t.Errorf("%s: %v, want 4 and 6", how, got)
			}
		}
	})
}

func TestHelloOnResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := fanout.NewHub(fanout.Config{Epoch: 1 << 30, Events: 20})
		defer hub.Close()
		g := newGate(t, func(o *Options) { o.Hub = hub })
		for i := range 60 {
			g.post(1+i, "7", "go")
		}
		e := epoch(g)
		missed := func(n int64) *int64 { return &n }
		for _, c := range []struct {
			name, query, header string
			resumed             string
			missed              *int64
			gap                 string // reason of the gap after hello
			warnings            int
		}{
			{"nothing asked", "", "", "live", missed(0), "", 0},
			{"full", "", e + "-55", "full", missed(0), "", 0},
			{"ahead of the log", "", e + "-900", "full", missed(0), "", 0},
			{"history is shorter", "", e + "-3", "partial", nil, "history", 0},
			{"another epoch", "", "abcdef-3", "none", nil, "restart", 0},
			{"unreadable", "", "what?", "none", nil, "", 1},
			{"unreadable parameter", "?last_event_id=%00%0A", "", "none", nil, "", 1},
			{"empty parameter", "?last_event_id=", "", "live", missed(0), "", 0},
		} {
			var headers []string
			if c.header != "" {
				headers = []string{"Last-Event-ID: " + c.header}
			}
			h, s := helloOf(t, g, "/stream"+c.query, headers...)
			if h.Resumed != c.resumed || len(h.Warnings) != c.warnings {
				t.Errorf("%s: %+v, want resumed %q, %d warnings", c.name, h, c.resumed, c.warnings)
			}
			if c.missed != nil && (h.Missed == nil || *h.Missed != *c.missed) {
				t.Errorf("%s: missed %v, want %d", c.name, h.Missed, *c.missed)
			}
			if c.gap != "" {
				if f := s.next(); f.event != "gap" || !strings.Contains(f.data, `"reason":"`+c.gap+`"`) {
					t.Errorf("%s: after hello %v, want a gap %q", c.name, f, c.gap)
				}
			}
			s.body.Close()
		}
	})
}

func TestMissedDeletesComeFirstWithoutIDs(t *testing.T) {
	onPaths(t, func(t *testing.T, g *gate) {
		g.post(1, "7", "go one")
		g.post(2, "7", "go two")
		last := g.hub.Stats().Head.String()
		g.delete(1)
		g.post(3, "7", "go three")
		g.delete(2)
		s := g.stream("/stream?track=go", "Last-Event-ID: "+last)
		for _, id := range []string{"1", "2"} {
			f := s.next()
			if f.event != "delete" || f.id != last || !strings.Contains(f.data, `"id_str":"`+id+`"`) {
				t.Fatalf("%v, want the delete of %s at the id of hello", f, id)
			}
		}
		if got := s.ids(1); got[0] != "3" {
			t.Errorf("%v, want 3", got)
		}
		g.post(4, "7", "go four") // and the deletes are not repeated
		if got := s.ids(1); got[0] != "4" {
			t.Errorf("%v, want 4", got)
		}
	})
}

func TestSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		var times []time.Time
		for i := range 5 {
			times = append(times, time.Now())
			g.post(100+i, "7", "go")
			time.Sleep(time.Minute)
		}
		e := epoch(g)
		for since, want := range map[string]string{
			"101":                                   "102",
			"2m30s":                                 "103",
			e + "-4":                                "104",
			times[3].UTC().Format(time.RFC3339Nano): "103",
			times[3].Add(time.Second).Format(time.RFC3339):                       "104",
			strings.ToLower(times[0].UTC().Add(-time.Hour).Format(time.RFC3339)): "100", // RFC 3339, 5.6
			strings.TrimSuffix(e, "") + "-0":                                     "100",
		} {
			_, s := helloOf(t, g, "/stream?since="+strings.ReplaceAll(since, "+", "%2B"))
			f := s.next()
			if f.event == "gap" {
				f = s.next()
			}
			if f.event != "" || idOf(t, f.data) != want {
				t.Errorf("since=%s begins with %v, want %s", since, f, want)
			}
			s.body.Close()
		}
	})
}
