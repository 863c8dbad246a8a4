package main

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter/sim"
)

// An operator's changes, at once and many: no post is lost that the filter in force
// matches, there are never more than two streams, and never more connects than
// allowed.
func TestPutUpstreamFilter(t *testing.T) {
	for _, c := range []struct {
		name   string
		limit  string
		window time.Duration
		most   int // connects in the window
	}{
		{"the real budget", "5", 5 * time.Minute, 5},
		{"a raised budget", "400", 5 * time.Minute, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				fake := fakeIn(t, n, sim.Config{MaxConnects: c.most})
				g := start(t, n, append(fake.Settings("http://127.0.0.1:9100"), "AVIARY_TRACK=always", "AVIARY_CONNECT_LIMIT="+c.limit, "AVIARY_LOG_LEVEL=error")...)
				time.Sleep(time.Second)
				s := g.open("track=always", "")
				s.until("hello")
				const changes = 200
				const each = 100 // 200 posts a second
				done := make(chan int)
				go func() {
					sent := 0
					for range changes {
						for range each { // half a second
							say(fake, fmt.Sprintf("always %d", sent))
							sent++
							time.Sleep(500 * time.Millisecond / each)
						}
					}
					done <- sent
				}()
				got := make(chan []string)
				go func() { got <- s.posts(changes * each) }()
				for i := range changes {
					if code, body := g.put(fmt.Sprintf(`{"track":"always,extra%d"}`, i)); code != 202 {
						t.Fatal(code, body)
					}
					time.Sleep(500 * time.Millisecond)
				}
				sent := <-done
				texts := <-got
				for i, text := range texts {
					if text != fmt.Sprintf("always %d", i) {
						t.Fatalf("post %d of %d is %q", i, sent, text)
					}
				}
				time.Sleep(6 * time.Minute)
				if a := g.asked(); a.Track != fmt.Sprintf("always,extra%d", changes-1) || !a.InForce {
					t.Errorf("%+v", a)
				}
				stats := fake.Stats()
				if stats.Most > 2 || stats.Refused != 0 || stats.Connects < 3 {
					t.Errorf("%+v", stats)
				}
				t.Logf("%d changes: %d connects, at most %d streams", changes, stats.Connects, stats.Most)
				g.stop()
			})
		})
	}
}

// Wrong wishes are refused in words and change nothing.
func TestPutUpstreamFilterWrong(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, environ...)
	connected(t, fake)
	for _, c := range []struct{ body, says string }{
		{``, "a JSON object"},
		{`{"track":["go"]}`, "a JSON object"},
		{`{"trak":"go"}`, "track"},
		{`{"track":"www.example.com"}`, "never matches"},
		{`{"language":"en"}`, "must be asked for something"},
		{`{"locations":"1,2,3"}`, "four numbers"},
		{`{"locations":"1,1,1.05,2"}`, "too narrow"},
		{`{"track":"` + strings.Repeat("a,", 400) + `a"}`, "limit is 400"},
		{`{"track":"` + strings.Repeat("é", 31) + `"}`, "62 bytes"},
	} {
		code, said := g.put(c.body)
		if code != 400 || !strings.Contains(said, c.says) {
			t.Errorf("%s: %d %s", c.body, code, said)
		}
	}
	if a := g.asked(); a.Track != "go,rust" || a.Demand != nil || !a.InForce {
		t.Errorf("%+v", a)
	}
	if fake.Stats().Connects != 1 {
		t.Errorf("%+v", fake.Stats())
	}
}
