package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter/sim"
)

// 450 posts over nine pages, with all that an upstream does to a pager in
// between: each post once, in order, and never faster than the pace.
func TestWalkThroughTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, a, from := newSimAPI(t, sim.Config{Faults: sim.MustFaults(`
			after 1 search   search 503 body json                # 130
			after 1 search   search 500 body json times 2        # 131, twice
			after 1 search   search 503 body html
			after 1 search   search 429 body json reset 2m
			after 1 search   search 502 body empty
			after 1 search   search refuse`)}, 450)
		g := newGate(t, searching(from))
		began := time.Now()
		r := g.open("/search/pages?q=alpha&count=50")
		got := r.walk(0)
		if got.last.event != "done" || !strings.HasSuffix(got.last.id, ".end") || !strings.Contains(got.last.data, `"posts":450`) {
			t.Fatalf("it ends with %v", got.last)
		}
		samePosts(t, "the walk", got.texts, texts(449, 0))
		if len(got.pages) != 9 {
			t.Fatalf("%d pages", len(got.pages))
		}
		for i, p := range got.pages {
			if p.Page != i+1 || p.Posts != 50*(i+1) || p.Remaining == nil || p.Reset == nil || p.Oldest == nil {
				t.Errorf("page %d says %+v", i+1, p)
			}
		}
		keptPace(t, a.list(), 5*time.Second)
		// 9 pages and 7 failures in turns of 5 s; the back-off adds 5 s after the
		// first 131 and the rate limit two minutes.
		if took := time.Since(began); took < 2*time.Minute+13*5*time.Second || took > 4*time.Minute {
			t.Errorf("it took %v", took)
		}
		if s := fake.Stats(); s.OverLimit != 0 || s.Searches != 17 || s.Pages != 10 { // the last: nothing comes after the ninth full one
			t.Errorf("the upstream was asked %+v", s)
		}
		if r.pings < 7 {
			t.Errorf("%d heartbeats in two minutes of waiting", r.pings)
		}
		if resp := g.do("GET", "/search/pages?q=alpha&count=50", "", "Last-Event-ID: "+got.last.id); resp.StatusCode != http.StatusNoContent {
			t.Errorf("back with the id of the end: %s", resp.Status)
		}
	})
}

// keptPace checks that requests begin at least so far apart.
func keptPace(t *testing.T, list []asked, apart time.Duration) {
	t.Helper()
	for i := 1; i < len(list); i++ {
		if gap := list[i].at.Sub(list[i-1].at); gap < apart {
			t.Errorf("request %d comes %v after the one before", i+1, gap)
		}
	}
}

// A walk that is cut anywhere goes on by the last id with exactly what is missing.
func TestWalkResumes(t *testing.T) {
	for _, cut := range []int{1, 49, 50, 51, 173, 449} {
		t.Run(fmt.Sprint(cut), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, _, from := newSimAPI(t, sim.Config{}, 450)
				g := newGate(t, searching(from))
				first := g.open("/search/pages?q=alpha&count=50")
				got := first.walk(cut)
				_ = first.body.Close()
				samePosts(t, "before", got.texts, texts(449, 450-cut))
				again := g.open("/search/pages?q=alpha&count=50", "Last-Event-ID: "+got.id)
				rest := again.walk(0)
				samePosts(t, "after", rest.texts, texts(449-cut, 0))
				if p := rest.pages[len(rest.pages)-1]; p.Posts != 450 || !strings.Contains(rest.last.data, `"posts":450`) {
					t.Errorf("posts are not counted on: %+v, %v", p, rest.last)
				}
				// From the id of a page, too; by the parameter, too.
				if len(got.pages) > 0 {
					p := got.pages[len(got.pages)-1]
					third := g.open("/search/pages?q=alpha&count=50&last_event_id=" + p.Cursor).walk(0)
					samePosts(t, "from a page", third.texts, texts(449-p.Posts, 0))
				}
			})
		})
	}
}

// max counts what was sent before the cut, and ends with done.
func TestWalkMax(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, from := newSimAPI(t, sim.Config{}, 300)
		g := newGate(t, searching(from))
		got := g.open("/search/pages?q=alpha&max=120").walk(0)
		samePosts(t, "max=120", got.texts, texts(299, 180))
		if got.last.event != "done" || len(got.pages) != 2 || got.pages[1].Posts != 120 {
			t.Errorf("%+v", got)
		}
		part := g.open("/search/pages?q=alpha&max=120").walk(70)
		rest := g.open("/search/pages?q=alpha&max=120", "Last-Event-ID: "+part.id).walk(0)
		samePosts(t, "the rest", rest.texts, texts(229, 180))
		if n := len(a.list()); n > 5 {
			t.Errorf("%d requests", n)
		}
	})
}

// Forward: 350 posts come between two polls, the poll for them fails in its
// middle, and the client is cut off in theirs. All of them arrive, once, oldest first.
func TestForwardHasNoGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, a, from := newSimAPI(t, sim.Config{}, 10)
		g := newGate(t, searching(from))
		r := g.open("/search/pages?q=alpha&direction=new")
		samePosts(t, "to begin with", r.walk(10).texts, texts(0, 9))
		if f := r.next(); f.event != "page" {
			t.Fatalf("%v after the first round", f)
		}
		time.Sleep(7 * time.Second) // between two polls
		alphas(fake, 10, 350)
		if err := fake.Do("after 2 searches search 503 body json times 2"); err != nil {
			t.Fatal(err)
		}
		got := r.walk(200)
		samePosts(t, "before the cut", got.texts, texts(10, 209))
		_ = r.body.Close()
		alphas(fake, 360, 1)
		r = g.open("/search/pages?q=alpha&direction=new", "Last-Event-ID: "+got.id)
		samePosts(t, "after it", r.walk(151).texts, texts(210, 360))
		if f := r.next(); f.event != "page" || !strings.Contains(f.data, `"posts":361`) {
			t.Errorf("%v after the last round", f)
		}
		time.Sleep(time.Minute)
		alphas(fake, 361, 1)
		samePosts(t, "at last", r.walk(1).texts, texts(361, 361))
		keptPace(t, a.list(), 5*time.Second)
		if n := fake.Stats().OverLimit; n != 0 {
			t.Errorf("%d requests beyond the budget", n)
		}
	})
}

// Where nothing was found at first, everything that comes is new.
func TestForwardFromNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, _, from := newSimAPI(t, sim.Config{}, 0)
		g := newGate(t, searching(from))
		r := g.open("/search/pages?q=alpha&direction=new&max=250")
		time.Sleep(12 * time.Second)
		alphas(fake, 0, 260)
		got := r.walk(0)
		samePosts(t, "all", got.texts, texts(0, 249))
		if got.last.event != "done" {
			t.Errorf("%v", got.last)
		}
	})
}

// A walk forward that finds nothing new is not silent.
func TestForwardHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, _, from := newSimAPI(t, sim.Config{}, 3)
		g := newGate(t, searching(from))
		r := g.open("/search/pages?q=alpha&direction=new")
		samePosts(t, "to begin with", r.walk(3).texts, texts(0, 2))
		time.Sleep(2 * time.Minute)
		alphas(fake, 3, 1)
		samePosts(t, "then", r.walk(1).texts, texts(3, 3))
		if r.pings < 6 {
			t.Errorf("%d heartbeats in two quiet minutes", r.pings)
		}
	})
}

// A small budget and many who want it: nobody overspends it, and all get theirs.
func TestBudgetIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, a, from := newSimAPI(t, sim.Config{SearchLimit: 7, SearchWindow: 10 * time.Minute}, 90)
		g := newGate(t, searching(from), func(o *Options) { o.SearchCache = 0 })
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				got := g.open(fmt.Sprintf("/search/pages?q=alpha&count=%d", 30+i)).walk(0)
				samePosts(t, fmt.Sprint("pager ", i), got.texts, texts(89, 0))
			})
		}
		time.Sleep(11 * time.Second)
		for i := range 6 { // pages are not paced: four of the seven are left
			resp, body := g.get(fmt.Sprintf("/search?q=alpha&count=%d", 1+i))
			switch {
			case resp.StatusCode == http.StatusOK && i < 4:
			case resp.StatusCode == http.StatusTooManyRequests && i >= 4:
				if after := resp.Header.Get("Retry-After"); after < "580" || after > "590" || !strings.Contains(body, `"code":88`) {
					t.Errorf("page %d: Retry-After %s, %s", i, after, body)
				}
			default:
				t.Errorf("page %d: %s %s", i, resp.Status, body)
			}
		}
		all.Wait()
		if s := fake.Stats(); s.OverLimit != 0 || s.Searches != 17 {
			t.Errorf("%+v: want 3 pages for each of the pagers, one more where all three are full, and 4; none beyond the limit", s)
		}
		windows := map[int64]int{}
		for _, q := range a.list() {
			windows[q.at.Unix()/600]++
		}
		t.Logf("requests in each window: %v", windows)
	})
}

// A thousand clients ask twenty questions, some leave: twenty requests.
func TestCoalescing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, a, from := newSimAPI(t, sim.Config{Faults: sim.MustFaults("search delay 2s for 1h")}, 30)
		g := newGate(t, searching(from))
		var all sync.WaitGroup
		answers := make([]string, 1000)
		for i := range answers {
			all.Go(func() {
				ctx, leave := context.WithCancel(t.Context())
				defer leave()
				if i < 40 { // the first two of each question: one of them leads
					time.AfterFunc(time.Second, leave)
				}
				r, _ := http.NewRequestWithContext(ctx, "GET", fmt.Sprintf("%s/search?q=alpha&count=%d", g.url, 1+i%20), nil)
				resp, err := g.client.Do(r)
				if err != nil {
					answers[i] = "left"
					return
				}
				defer resp.Body.Close()
				answers[i] = fmt.Sprint(resp.StatusCode, strings.Count(readAll(t, resp.Body), `"full_text"`))
			})
		}
		all.Wait()
		for i, got := range answers {
			want := fmt.Sprint(200, 1+i%20)
			if i < 40 {
				want = "left"
			}
			if got != want {
				t.Errorf("client %d got %s, want %s", i, got, want)
			}
		}
		if n := len(a.list()); n != 20 {
			t.Errorf("%d upstream requests", n)
		}
		time.Sleep(5 * time.Second) // the cache answers
		if resp, _ := g.get("/search?q=alpha&count=3"); resp.StatusCode != 200 || fake.Stats().Searches != 20 {
			t.Errorf("%s after %d requests", resp.Status, fake.Stats().Searches)
		}
		time.Sleep(6 * time.Second) // and does not any more
		if resp, _ := g.get("/search?q=alpha&count=3"); resp.StatusCode != 200 || fake.Stats().Searches != 21 {
			t.Errorf("%s after %d requests", resp.Status, fake.Stats().Searches)
		}
	})
}

// A drain parts from pagers wherever they are, with an id to go on by.
func TestDrainTellsPagers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, _, from := newSimAPI(t, sim.Config{}, 120)
		g := newGate(t, searching(from))
		paced := g.open("/search/pages?q=alpha&count=50")
		got := paced.walk(50)
		if err := fake.Do("search hang for 1h"); err != nil {
			t.Fatal(err)
		}
		hung := g.open("/search/pages?q=alpha&count=51")
		time.Sleep(7 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		if err := g.server.Drain(ctx); err != nil || time.Since(began) > time.Second {
			t.Errorf("Drain: %v after %v", err, time.Since(began))
		}
		rest := paced.walk(0)
		for name, end := range map[string]walked{"paced": rest, "hung": hung.walk(0)} {
			if end.last.event != "bye" || !strings.Contains(end.last.data, `"draining"`) || strings.HasSuffix(end.last.id, ".end") {
				t.Errorf("%s: %v", name, end.last)
			}
		}
		if late := g.open("/search/pages?q=alpha").walk(0); !strings.Contains(late.last.data, `"draining"`) {
			t.Errorf("a late pager: %v", late.last)
		}
		_ = fake.Do("search open")
		g2 := newGate(t, searching(from))
		samePosts(t, "elsewhere", g2.open("/search/pages?q=alpha&count=50", "Last-Event-ID: "+rest.last.id).walk(0).texts, texts(69, 0))
		samePosts(t, "the first page", got.texts, texts(119, 70))
	})
}
