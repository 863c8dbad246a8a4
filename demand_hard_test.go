package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter/sim"
)

// ownTerms are terms of an operator's.
func ownTerms(n int) string {
	return strings.Join(numbered("own", 0, n), ",")
}

// read discards a stream's events, so that it is no slow client.
func (s *stream) read() { go func() { _, _ = io.Copy(io.Discard, s.body) }() }

// gaps reads a stream to its end and passes on what its gap events say, and how
// many posts came.
func (s *stream) gaps() (<-chan string, *atomic.Int64) {
	gaps, posts := make(chan string, 16), new(atomic.Int64)
	go func() {
		defer close(gaps)
		for {
			e, err := s.next()
			switch {
			case err != nil:
				return
			case e.name == "gap":
				gaps <- e.data
			case e.name == "":
				posts.Add(1)
			}
		}
	}()
	return gaps, posts
}

// A client whose term had room and is pushed out by others' is told with a gap that
// has no end yet; one that comes then is told in its hello; and when there is room
// again a gap tells from when to when.
func TestPushedOutIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := fakeIn(t, n, sim.Config{MaxConnects: 100})
		g := start(t, n, append(fake.Settings("http://127.0.0.1:9100"), "AVIARY_TRACK="+ownTerms(398), "AVIARY_DEMAND=on", "AVIARY_CONNECT_LIMIT=100", "AVIARY_LOG_LEVEL=warn")...)
		time.Sleep(time.Second)
		quit := make(chan struct{})
		defer close(quit)
		go func() {
			for {
				select {
				case <-quit:
					return
				case <-time.After(100 * time.Millisecond):
					say(fake, "own 1", "seldom", "common", "wanted")
				}
			}
		}()
		alone := g.open("track=seldom", "")
		alone.until("hello")
		for range 2 {
			s := g.open("track=common", "")
			s.until("hello")
			s.read()
		}
		gaps, posts := alone.gaps()
		if gap := <-gaps; strings.Contains(gap, `"to":null`) {
			t.Fatal("the posts of the term never came: ", gap)
		}
		time.Sleep(time.Minute) // the least that a term stays
		var crowd []*stream
		for range 3 {
			s := g.open("track=wanted", "")
			s.until("hello")
			s.read()
			crowd = append(crowd, s)
		}
		gap := <-gaps
		if !strings.Contains(gap, `"reason":"upstream"`) || !strings.Contains(gap, `"to":null`) {
			t.Error(gap)
		}
		if a := g.asked(); !slices.Equal(a.Demand.Track, []string{"common", "wanted"}) || !a.InForce {
			t.Errorf("%+v", a.Demand)
		}
		late := g.open("track=seldom", "")
		if hello := late.until("hello").data; !strings.Contains(hello, "room only for what more clients ask for") {
			t.Error(hello)
		}
		late.close()
		for _, s := range crowd {
			s.close()
		}
		time.Sleep(10 * time.Second)
		before := posts.Load()
		time.Sleep(10 * time.Second)
		if n := posts.Load() - before; n > 0 && slices.Equal(g.asked().Demand.Track, []string{"common", "wanted"}) {
			t.Errorf("%d posts that the upstream is not asked for", n)
		}
		if gap := <-gaps; strings.Contains(gap, `"to":null`) {
			t.Error(gap)
		}
		before = posts.Load()
		time.Sleep(10 * time.Second)
		if posts.Load() < before+50 {
			t.Error("the posts do not come again")
		}
		if stats := fake.Stats(); stats.Most > 2 || stats.Refused != 0 {
			t.Errorf("%+v", stats)
		}
		g.stop()
	})
}

// One address with a hundred streams of different terms takes a quarter of the
// room, whichever route its streams use, and pushes nobody out.
func TestOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := fakeIn(t, n, sim.Config{MaxConnects: 100})
		g := start(t, n, append(fake.Settings("http://127.0.0.1:9100"), "AVIARY_TRACK="+ownTerms(380), "AVIARY_DEMAND=on", "AVIARY_CONNECT_LIMIT=100",
			"AVIARY_TRUSTED_PROXIES=127.0.0.0/8", "AVIARY_LOG_LEVEL=error")...)
		time.Sleep(time.Second)
		ask := func(method, path, body, address string) {
			t.Helper()
			r, err := http.NewRequest(method, g.url+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("X-Forwarded-For", address)
			r.Header.Set("Content-Type", "application/json")
			response, err := g.client.Do(r)
			if err != nil || response.StatusCode >= 300 {
				t.Fatal(path, err, response)
			}
			t.Cleanup(func() { _ = response.Body.Close() })
			go func() { _, _ = io.Copy(io.Discard, response.Body) }()
		}
		for i := range 40 {
			ask("GET", fmt.Sprintf("/1.1/statuses/filter.json?track=hog%d", i), "", "192.0.2.1")
			ask("GET", fmt.Sprintf("/stream?track=hog%d", 100+i), "", "192.0.2.1")
		}
		var rules []string
		for i := range 60 {
			rules = append(rules, fmt.Sprintf(`{"value":"hog%d"}`, 200+i))
		}
		ask("POST", "/2/tweets/search/stream/rules", `{"add":[`+strings.Join(rules, ",")+`]}`, "192.0.2.1")
		ask("GET", "/2/tweets/search/stream", "", "192.0.2.1")
		time.Sleep(time.Minute)
		if got := len(g.asked().Demand.Track); got != 5 {
			t.Errorf("one address has %d of 20 terms", got)
		}
		for i := range 15 {
			ask("GET", fmt.Sprintf("/stream?track=other%d", i), "", fmt.Sprintf("198.51.100.%d", i+1))
		}
		time.Sleep(5 * time.Minute)
		others := 0
		for _, term := range g.asked().Demand.Track {
			if strings.HasPrefix(term, "other") {
				others++
			}
		}
		if others != 15 {
			t.Errorf("%d of 15 other clients are served", others)
		}
		g.stop()
	})
}

// Clients of the drop-in routes ask for what their parameters and rules say, and
// are refused where nothing can come.
func TestDropInDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := fakeIn(t, n, sim.Config{MaxConnects: 100})
		g := start(t, n, append(fake.Settings("http://127.0.0.1:9100"), "AVIARY_TRACK=go", "AVIARY_LANGUAGE=en", "AVIARY_DEMAND=on", "AVIARY_CONNECT_LIMIT=100", "AVIARY_LOG_LEVEL=error")...)
		time.Sleep(time.Second)
		post := func(path, body, kind string) (*http.Response, string) {
			t.Helper()
			response, err := g.client.Post(g.url+path, kind, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode == 200 && strings.Contains(path, "filter.json") {
				return response, ""
			}
			defer response.Body.Close()
			said, _ := io.ReadAll(response.Body)
			return response, string(said)
		}
		const form, rules = "application/x-www-form-urlencoded", "/2/tweets/search/stream/rules"
		if r, said := post("/1.1/statuses/filter.json", "track=zebra&language=de", form); r.StatusCode != 406 || !strings.Contains(said, "LANGUAGE") {
			t.Errorf("%d %s", r.StatusCode, said)
		}
		if r, said := post(rules, `{"add":[{"value":"zebra lang:de"}]}`, "application/json"); r.StatusCode != 400 || !strings.Contains(said, "LANGUAGE") {
			t.Errorf("%d %s", r.StatusCode, said)
		}
		if r, said := post(rules, `{"add":[{"value":"lion -is:retweet"},{"value":"go has:links"}]}`, "application/json"); r.StatusCode != 201 {
			t.Errorf("%d %s", r.StatusCode, said)
		}
		time.Sleep(5 * time.Second)
		if a := g.asked(); len(a.Demand.Track) != 0 {
			t.Errorf("rules without a stream count: %q", a.Demand.Track)
		}
		one, _ := post("/1.1/statuses/filter.json", "track=zebra", form)
		two, err := g.client.Get(g.url + "/2/tweets/search/stream")
		if err != nil || two.StatusCode != 200 {
			t.Fatal(err, two)
		}
		time.Sleep(5 * time.Second)
		if a := g.asked(); !slices.Equal(a.Demand.Track, []string{"lion", "zebra"}) {
			t.Errorf("asked for %q", a.Demand.Track)
		}
		one.Body.Close()
		two.Body.Close()
		time.Sleep(5 * time.Minute)
		if a := g.asked(); len(a.Demand.Track) != 0 {
			t.Errorf("still asked for %q", a.Demand.Track)
		}
		g.stop()
	})
}

// While the upstream refuses what the operator wants it goes on as before, and so
// no client is refused whose posts come. Who asks for what is past never is.
func TestJudgedByWhatIsInForce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := fakeIn(t, n, sim.Config{MaxConnects: 100})
		g := start(t, n, append(fake.Settings("http://127.0.0.1:9100"), "AVIARY_TRACK=go", "AVIARY_CONNECT_LIMIT=100")...)
		time.Sleep(time.Second)
		code := func(query string) int {
			t.Helper()
			got, _ := g.get("/filters/check?" + query)
			return got
		}
		never := "q=" + url.QueryEscape("rust -go")
		if code(never) != 400 {
			t.Error("what never comes is not refused")
		}
		if err := fake.Do("status 403 for 10m"); err != nil {
			t.Fatal(err)
		}
		if got, said := g.put(`{"track":"zebra","language":"de"}`); got != 202 {
			t.Fatal(said)
		}
		time.Sleep(time.Minute)
		if a := g.asked(); a.InForce {
			t.Error("it is in force although the upstream refuses it")
		}
		for _, query := range []string{"track=go&language=en", "track=zebra&language=de", "q=" + url.QueryEscape("rust -zebra")} {
			if code(query) != 200 {
				t.Errorf("%s is refused", query)
			}
		}
		time.Sleep(10 * time.Minute)
		if got, said := g.put(`{"track":"zebra","language":"de"}`); got != 202 { // another try
			t.Fatal(said)
		}
		time.Sleep(time.Minute)
		if a := g.asked(); !a.InForce || code("track=go&language=en") != 400 {
			t.Errorf("%+v", a)
		}
		connects := fake.Stats().Connects
		s := g.open("track=go&language=en&since=1h", "")
		if hello := s.until("hello").data; !strings.Contains(hello, "only posts of the past") {
			t.Error(hello)
		}
		for range 5 { // what it is asked for already takes no connection
			g.put(`{"track":"zebra","language":"de"}`)
			time.Sleep(10 * time.Second)
		}
		if now := fake.Stats().Connects; now != connects {
			t.Errorf("%d connections for the same filter", now-connects)
		}
		g.stop()
	})
}

// However often an operator changes rules of X, the requests that a lost stream
// needs are not spent.
func TestEditsOfRulesArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := fakeIn(t, n, sim.Config{})
		g := start(t, n, append(fake.SettingsX("http://127.0.0.1:9100"), "AVIARY_TRACK=go", "AVIARY_LOG_LEVEL=warn")...)
		time.Sleep(time.Second)
		for i := range 300 {
			if i%3 == 0 {
				g.signals <- os.Signal(syscall.SIGHUP)
			}
			if code, said := g.put(fmt.Sprintf(`{"track":"word%d"}`, i)); code != 202 {
				t.Fatal(said)
			}
			time.Sleep(time.Second)
		}
		if err := fake.Do("drop"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		if stats := fake.Stats(); stats.Streams != 1 {
			_, status := g.get("/status")
			t.Errorf("%+v: %s", stats, status)
		}
		time.Sleep(time.Minute)
		if rules := fake.Rules(); len(rules) != 1 || rules[0].Value != "word299" || !g.asked().InForce {
			t.Errorf("%v", rules)
		}
		if strings.Contains(g.log.String(), "used up") {
			t.Error("the budget of requests was used up")
		}
		g.stop()
	})
}

// Rules of others bring posts that nobody here can know of.
func TestOthersRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := fakeIn(t, n, sim.Config{})
		g := start(t, n, append(fake.SettingsX("http://127.0.0.1:9100"), "AVIARY_TRACK=go", "AVIARY_LANGUAGE=en")...)
		time.Sleep(time.Second)
		queries := []string{"q=" + url.QueryEscape("rust -go"), "track=go&language=de"}
		for _, query := range queries {
			if code, body := g.get("/filters/check?" + query); code != 400 {
				t.Errorf("%s: %d %s", query, code, body)
			}
		}
		if err := fake.AddRule("rust", "somebody's"); err != nil {
			t.Fatal(err)
		}
		if code, said := g.put(`{"track":"go,gopher","language":"en"}`); code != 202 {
			t.Fatal(said)
		}
		time.Sleep(5 * time.Second)
		for _, query := range queries {
			if code, body := g.get("/filters/check?" + query); code != 200 || !strings.Contains(body, "found only in posts") {
				t.Errorf("%s: %d %s", query, code, body)
			}
		}
		g.stop()
	})
}
