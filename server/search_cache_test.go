package server

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"aviary/fanout"
	"aviary/upstream/twitter/sim"
)

func TestPageCacheBounds(t *testing.T) {
	c := newPageCache(10*time.Second, 3, 10_000)
	now := time.Now()
	page := func(bytesEach int) *SearchPage {
		return &SearchPage{Items: []SearchItem{{Event: fanout.NewEvent(dialect, bytes.Repeat([]byte("x"), bytesEach))}}}
	}
	key := func(n int) searchKey { return searchKey{q: SearchQuestion{Q: fmt.Sprint(n)}} }
	held := func() (s string) {
		for n := range 10 {
			if c.get(key(n), now) != nil {
				s += fmt.Sprint(n)
			}
		}
		return s
	}
	for n := range 5 {
		c.put(key(n), page(10), now)
	}
	if got := held(); got != "234" {
		t.Errorf("three entries at most: %s", got)
	}
	c.put(key(5), page(8000), now)
	if got := held(); got != "5" {
		t.Errorf("10,000 bytes at most: %s", got)
	}
	c.put(key(6), page(20_000), now)
	if got := held(); got != "5" {
		t.Errorf("too large to hold: %s", got)
	}
	c.put(key(5), page(10), now.Add(time.Second)) // anew
	now = now.Add(10500 * time.Millisecond)
	if got := held(); got != "5" {
		t.Errorf("within its time: %s", got)
	}
	now = now.Add(time.Second)
	if got := held(); got != "" || c.held != 0 || c.order.Len() != 0 {
		t.Errorf("behind its time: %s, %d bytes", got, c.held)
	}
	none := newPageCache(0, 3, 1000)
	none.put(key(1), page(1), now)
	if none.get(key(1), now) != nil {
		t.Error("no cache, and it holds a page")
	}
}

// No two questions have the same key for their flight.
func TestFlightKeys(t *testing.T) {
	seen := map[string]searchKey{}
	for _, k := range []searchKey{
		{}, {scope: "a"}, {q: SearchQuestion{Q: "a"}}, {q: SearchQuestion{Lang: "a"}}, {scope: "a1:b"}, {scope: "a", q: SearchQuestion{Q: "b"}},
		{scope: "1:a"}, {q: SearchQuestion{Q: "1:a"}}, {q: SearchQuestion{Count: 1}}, {q: SearchQuestion{SinceID: 1}}, {q: SearchQuestion{MaxID: 1}},
		{q: SearchQuestion{Count: 1, SinceID: 1}}, {q: SearchQuestion{Count: 11}}, {q: SearchQuestion{ResultType: "a"}}, {q: SearchQuestion{Until: "a"}},
	} {
		for _, m := range []manner{asPage, asWalk, asPoll} {
			f := k.flight(m)
			if other, twice := seen[f]; twice {
				t.Errorf("%+v and %+v share %q", k, other, f)
			}
			seen[f] = k
		}
	}
}

// Clients that may see different things share no answer, neither from the cache
// nor in flight; the same question of the same scope is shared.
func TestScopeIsInTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, from := newSimAPI(t, sim.Config{Faults: sim.MustFaults("search delay 1s for 1h")}, 3)
		s := newSearch(Options{Search: from, SearchCache: time.Minute}.withDefaults())
		defer s.close()
		q := SearchQuestion{Q: "alpha"}
		for range 2 { // in flight together, then from the cache
			done := make(chan error, 4)
			for _, scope := range []string{"ann", "bob", "ann", "bob"} {
				go func() {
					_, err := s.ask(context.Background(), searchKey{scope, q}, asPage)
					done <- err
				}()
			}
			for range 4 {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		}
		if n := len(a.list()); n != 2 {
			t.Errorf("%d requests for two scopes", n)
		}
		const want = `
# HELP aviary_search_remaining Requests left in the upstream's rate limit window; NaN until it has told.
# TYPE aviary_search_remaining gauge
aviary_search_remaining 178
`
		if err := testutil.CollectAndCompare(s, strings.NewReader(want), "aviary_search_remaining"); err != nil {
			t.Error(err)
		}
		for result, want := range map[string]float64{resultOK: 2, resultShared: 2, resultCached: 4, resultLimited: 0} {
			if got := testutil.ToFloat64(s.results.WithLabelValues(result)); got != want {
				t.Errorf("%s: %v, want %v", result, got, want)
			}
		}
		if problems, err := testutil.CollectAndLint(s); err != nil || len(problems) > 0 {
			t.Errorf("%v %v", problems, err)
		}
	})
}

// Any text may come as an id; only what was written is read, and it is read back.
func FuzzPlace(f *testing.F) {
	at := placeOf(SearchQuestion{Q: "go"}, false)
	at.pages, at.posts, at.at = 3, 287, 1125490788736032770
	f.Add(at.String())
	f.Add(at.End())
	at.newer = true
	f.Add(at.String())
	f.Add("k3f9a1-4711.end")
	f.Add("o-0-0-0")
	f.Fuzz(func(t *testing.T, s string) {
		p, end, ok := parsePlace(s)
		if !ok {
			return
		}
		again := p.String()
		if end {
			again = p.End()
		}
		if again != s {
			t.Errorf("%q is read as %+v, which is written %q", s, p, again)
		}
		if len(s) > longestPlace || strings.ContainsAny(s, "\r\n\x00") {
			t.Errorf("%q is taken", s)
		}
	})
}

// The same for the cursor of a page.
func FuzzPageCursor(f *testing.F) {
	f.Add(pageCursor(1125490788736032770))
	f.Add("p1")
	f.Add("p01")
	f.Add("p+1")
	f.Add("pZ")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := parsePageCursor(map[string][]string{"cursor": {s}})
		if err == nil && (id == 0 || pageCursor(id) != s) {
			t.Errorf("%q is read as %d, which is written %q", s, id, pageCursor(id))
		}
		if back, err := parsePageCursor(map[string][]string{"cursor": {pageCursor(max(id, 1))}}); err != nil || back != max(id, 1) {
			t.Errorf("%d comes back as %d, %v", id, back, err)
		}
	})
}
