package server

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

func TestEventsLists(t *testing.T) {
	for list, want := range map[string]string{
		"":                         "hello  delete limit upstream gap",
		"events=all":               "hello  delete limit upstream gap",
		"events=none":              "",
		"events=hello":             "hello ",
		"events=delete,limit":      " delete limit",
		"events=delete&events=gap": " delete gap",
		"events=all,heartbeat":     "hello  delete limit upstream gap heartbeat",
		"events=heartbeat":         " heartbeat",
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(t)
			s := g.open("/stream?" + list)
			synctest.Wait()
			g.post(1, "7", "go")
			synctest.Wait() // or the delete finds it unwritten, and it is not written at all
			g.delete(1)
			g.notice(fanout.KindLimit, `{"limit":{"track":3}}`)
			g.notice(fanout.KindUpstream, `{"upstream":{"state":"halted"}}`)
			lost := fanout.NewEvent(nil, []byte(`{"gap":{}}`))
			lost.Kind, lost.Loss = fanout.KindGap, &fanout.Loss{Reason: "upstream", Missed: -1}
			g.hub.Publish(lost)
			time.Sleep(20 * time.Second)
			g.post(2, "7", "end")
			var got []string
			for {
				f := s.next()
				if f.event == "" && idOf(t, f.data) == "2" {
					break
				}
				got = append(got, f.event)
			}
			if have := strings.Join(got, " "); have != want {
				t.Errorf("%q, want %q", have, want)
			}
			if s.retry == "" || (strings.HasPrefix(list, "events=none") && s.pings != 2) {
				t.Errorf("retry %q, %d comments: want a retry, and without hello a comment first", s.retry, s.pings)
			}
		})
	}
}

// What clients learn of a delete depends on what they could have got.
func TestWhoGetsADelete(t *testing.T) {
	onPaths(t, func(t *testing.T, g *gate) {
		streams := map[string]*reader{
			"matched":    g.stream("/stream?track=go"),
			"unmatched":  g.stream("/stream?track=zig"),
			"unfiltered": g.stream("/stream"),
			"listing":    g.stream("/stream?track=zig&events=delete,hello"),
		}
		g.settle()
		g.post(1, "7", "go")
		g.settle()
		g.delete(1)   // held: to those it matched
		g.delete(999) // never seen: to the unfiltered and those who list it
		g.post(2, "7", "go zig")
		want := map[string]string{
			"matched": "1 delete:1 2", "unmatched": "2",
			"unfiltered": "1 delete:1 delete:999 2", "listing": "delete:999 2",
		}
		for who, s := range streams {
			var got []string
			for len(got) == 0 || got[len(got)-1] != "2" {
				f := s.next()
				if f.event == "delete" {
					got = append(got, "delete:"+regexp.MustCompile(`"id_str":"(\d+)"`).FindStringSubmatch(f.data)[1])
				} else {
					got = append(got, idOf(t, f.data))
				}
			}
			if have := strings.Join(got, " "); have != want[who] {
				t.Errorf("%s got %q, want %q", who, have, want[who])
			}
		}
	})
}

func TestLimitEndsForGood(t *testing.T) {
	for _, c := range []struct{ query, event string }{{"", "bye"}, {"&events=none", "EOF"}} {
		onPaths(t, func(t *testing.T, g *gate) {
			for i := range 5 {
				g.post(1+i, "7", "go")
			}
			s := g.open("/stream?since=1h&limit=3" + c.query)
			if c.query == "" {
				s.next()
			}
			if got := s.ids(3); !slices.Equal(got, []string{"1", "2", "3"}) {
				t.Fatal(got)
			}
			f := s.next()
			end := epoch(g) + "-3.end"
			if f.event != c.event || f.id != end {
				t.Fatalf("%v, want %s with id %s", f, c.event, end)
			}
			if c.event == "bye" {
				want := fmt.Sprintf(`{"bye":{"reason":"limit","retry_ms":%s,"cursor":"%s"}}`, s.retry, end)
				if f.data != want {
					t.Errorf("%s, want %s", f.data, want)
				}
				if f = s.next(); f.event != "EOF" {
					t.Errorf("after bye: %v", f)
				}
			}
			for _, path := range []string{"/stream?last_event_id=" + end, "/stream?since=" + end} {
				if resp := g.do("GET", path, ""); resp.StatusCode != http.StatusNoContent {
					t.Errorf("GET %s: %d, want 204", path, resp.StatusCode)
				}
			}
			if resp := g.do("GET", "/stream", "", "Last-Event-ID: "+end); resp.StatusCode != http.StatusNoContent {
				t.Errorf("Last-Event-ID %s: %d, want 204", end, resp.StatusCode)
			}
		})
	}
}

func TestMaxRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		live := g.stream("/stream?max_rate=3&track=go")
		synctest.Wait()
		base := time.Now() // the bubble's clock starts at a whole second
		id := 0
		for range 3 {
			for range 5 {
				id++
				g.post(id, "7", "go")
				time.Sleep(10 * time.Millisecond)
			}
			base = base.Add(time.Second)
			time.Sleep(time.Until(base))
		}
		time.Sleep(3 * time.Second) // the last gap is told without another post
		check := func(how string, s *reader) {
			t.Helper()
			for second := range 3 {
				first := second*5 + 1
				want := []string{fmt.Sprint(first), fmt.Sprint(first + 1), fmt.Sprint(first + 2)}
				if got := s.ids(3); !slices.Equal(got, want) {
					t.Errorf("%s, second %d: %v, want %v", how, second, got, want)
				}
				f := s.next()
				wantID := fmt.Sprintf("%s-%d", epoch(g), first+4)
				if f.event != "gap" || f.id != wantID || !strings.HasPrefix(f.data, `{"gap":{"missed":2,"reason":"max_rate","from":"2000`) {
					t.Errorf("%s, second %d: %v, want a gap of 2 that ends at %s", how, second, f, wantID)
				}
			}
		}
		check("live", live)
		replay := g.stream("/stream?max_rate=3&track=go&since=1h")
		time.Sleep(2 * time.Second)
		check("replay", replay)
	})
}

// A loss before the log has a number only for a client that gets every post.
func TestGapOfTheUpstream(t *testing.T) {
	onPaths(t, func(t *testing.T, g *gate) {
		every, some := g.stream("/stream"), g.stream("/stream?track=go")
		g.settle()
		e := fanout.NewEvent(nil, []byte(`{"gap":{}}`))
		at := time.Date(2026, 1, 1, 0, 0, 0, 5e6, time.UTC)
		e.Kind, e.Loss = fanout.KindGap, &fanout.Loss{Reason: "oversize", Missed: 1, From: at, To: at}
		g.hub.Publish(e)
		for s, missed := range map[*reader]string{every: "1", some: "null"} {
			want := `{"gap":{"missed":` + missed + `,"reason":"oversize","from":"2026-01-01T00:00:00.005Z","to":"2026-01-01T00:00:00.005Z","cursor":"` + epoch(g) + `-0"}}`
			if f := s.next(); f.data != want {
				t.Errorf("%s\nwant %s", f.data, want)
			}
		}
	})
}

func TestPostedForm(t *testing.T) {
	onPaths(t, func(t *testing.T, g *gate) {
		resp := g.do("POST", "/stream?follow=9", "track="+strings.Repeat("a", 50)+"+%C3%BC%2Cgo", "Content-Type: application/x-www-form-urlencoded; charset=UTF-8")
		if resp.StatusCode != 200 {
			t.Fatal(resp.Status, readAll(t, resp.Body))
		}
		f := newReader(t, resp.Body).next()
		if !strings.Contains(f.data, "ü") || !strings.Contains(f.data, "follow=9") {
			t.Errorf("%v: the filter lacks what was posted", f)
		}
	})
}

// What is deleted while a client is stuck is not sent to it, but for what its one
// pending write holds already.
func TestStuckClientGetsNoDeletedPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		c := g.mute("/stream")
		buf := make([]byte, 4096)
		if _, err := c.Read(buf); err != nil { // the head and hello; then it stops reading
			t.Fatal(err)
		}
		for i := range 100 {
			g.post(1+i, "7", strings.Repeat("x", 3000))
		}
		synctest.Wait()
		g.delete(100)
		all := soak(c)
		time.Sleep(time.Second)
		all.mu.Lock()
		got := string(all.buf)
		all.mu.Unlock()
		if !strings.Contains(got, `"id_str":"99","text"`) || strings.Contains(got, `"id_str":"100","text"`) {
			t.Error("want post 99 and not post 100, which was deleted before its turn")
		}
		if !strings.Contains(got, `{"delete":{"status":{"id":100,`) {
			t.Error("the delete is missing")
		}
	})
}
