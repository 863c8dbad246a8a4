package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter/sim"
)

// fakeIn serves a simulator in a network in memory.
func fakeIn(t *testing.T, n *network, c sim.Config) *sim.Server {
	t.Helper()
	fake := sim.New(c)
	l, err := n.listen("tcp", "127.0.0.1:9100")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: fake}
	go func() { _ = web.Serve(l) }()
	t.Cleanup(func() { _ = fake.Close(); _ = web.Close() })
	return fake
}

// asked is GET /upstream/filter.
type askedFor struct {
	Track   string
	InForce bool `json:"in_force"`
	Demand  *struct{ Track, Rules []string }
}

func (g *running) asked() (a askedFor) {
	g.t.Helper()
	_, body := fetch(g.t, g.client, g.admin+"/upstream/filter")
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		g.t.Fatal(err, body)
	}
	return a
}

// put is PUT /upstream/filter.
func (g *running) put(body string) (int, string) {
	g.t.Helper()
	request, err := http.NewRequest(http.MethodPut, g.admin+"/upstream/filter", strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := g.client.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	var said strings.Builder
	_ = response.Write(&said)
	return response.StatusCode, said.String()
}

// A client that asks for a new term is told that it is not there yet, gets its posts
// soon, and a gap that ends when they begin; the term goes after the client.
func TestDemand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := fakeIn(t, n, sim.Config{MaxConnects: 5})
		g := start(t, n, append(fake.Settings("http://127.0.0.1:9100"), "AVIARY_TRACK=go", "AVIARY_DEMAND=on")...)
		time.Sleep(time.Second)
		s := g.open("track=zebra&format=sse", "")
		if hello := s.until("hello").data; !strings.Contains(hello, `asked of the upstream as soon as may be`) || !strings.Contains(hello, "zebra") {
			t.Error(hello)
		}
		posts := 0
		go func() {
			for range 100 {
				say(fake, "a zebra", "go on")
				time.Sleep(100 * time.Millisecond)
			}
		}()
		began := time.Now()
		if gap := s.until("gap").data; !strings.Contains(gap, `"reason":"upstream"`) || strings.Contains(gap, `"to":null`) {
			t.Error(gap)
		}
		for _, text := range s.posts(20) {
			if posts++; text != "a zebra" {
				t.Error(text)
			}
		}
		if took := time.Since(began); took > 6*time.Second { // 20 posts are two seconds
			t.Errorf("the first posts took %v", took)
		}
		if a := g.asked(); a.Track != "go" || !a.InForce || !slices.Equal(a.Demand.Track, []string{"zebra"}) {
			t.Errorf("%+v", a)
		}
		s.close()
		time.Sleep(20 * time.Second)
		if a := g.asked(); len(a.Demand.Track) != 1 {
			t.Errorf("gone before its time: %+v", a)
		}
		time.Sleep(time.Minute)
		if a := g.asked(); len(a.Demand.Track) != 0 || !a.InForce {
			t.Errorf("still there: %+v", a)
		}
		if stats := fake.Stats(); stats.Most > 2 || stats.Connects != 3 || stats.Refused != 0 {
			t.Errorf("%+v", stats)
		}
		g.stop()
	})
}

// More terms than there is room for: the most used are asked for, whoever is left
// out was told in the hello, and is told again when that changes.
func TestDemandCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := fakeIn(t, n, sim.Config{MaxConnects: 5})
		g := start(t, n, append(fake.Settings("http://127.0.0.1:9100"), "AVIARY_TRACK=go", "AVIARY_DEMAND=on", "AVIARY_LOG_LEVEL=warn")...)
		time.Sleep(time.Second)
		open := func(term int) *stream {
			s := g.open(fmt.Sprintf("track=term%04d", term), "")
			s.until("hello")
			go func() { _, _ = io.Copy(io.Discard, s.body) }()
			return s
		}
		for term := range 450 { // 399 have room
			open(term)
			if term < 300 {
				open(term)
			}
		}
		time.Sleep(2 * time.Minute)
		a := g.asked()
		if len(a.Demand.Track) != 399 || !a.InForce {
			t.Fatalf("%d terms, in force: %v", len(a.Demand.Track), a.InForce)
		}
		for term := range 300 {
			if !slices.Contains(a.Demand.Track, fmt.Sprintf("term%04d", term)) {
				t.Fatalf("term%04d is used twice and not there", term)
			}
		}
		if _, body := g.get("/filters/check?track=term9999"); !strings.Contains(body, "room only for what more clients ask for") {
			t.Error(body)
		}
		// Three more for one that was left out: another one goes.
		for range 3 {
			open(449)
		}
		time.Sleep(5 * time.Minute)
		if a = g.asked(); len(a.Demand.Track) != 399 || !slices.Contains(a.Demand.Track, "term0449") {
			t.Errorf("%d terms; term0449: %v", len(a.Demand.Track), slices.Contains(a.Demand.Track, "term0449"))
		}
		if stats := fake.Stats(); stats.Most > 2 || stats.Refused != 0 {
			t.Errorf("%+v", stats)
		}
		g.stop()
	})
}

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

// DEMAND=off: what can never come is refused, what comes by chance is warned of.
func TestJudged(t *testing.T) {
	fake, environ := fakeTwitter(t, "AVIARY_LANGUAGE=en")
	g := start(t, nil, environ...)
	connected(t, fake)
	for _, c := range []struct {
		query string
		code  int
		says  string
	}{
		{"track=go&language=de", 400, `"param":"language"`},
		{"q=go+lang:de", 400, `"param":"q"`},
		{"q=zebra+-go+-rust", 400, "negated"},
		{"track=zebra", 200, `"warnings":["found only in posts that the upstream's own filter brings for another reason`},
		{"track=go+lang", 200, `"warnings":[]`},
		{"", 200, `"warnings":[]`},
	} {
		response, err := g.client.Get(g.url + "/stream?format=ndjson&limit=1&" + c.query)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 2048)
		k, _ := response.Body.Read(buf)
		response.Body.Close()
		if response.StatusCode != c.code || !strings.Contains(string(buf[:k]), c.says) {
			t.Errorf("%s: %d %s", c.query, response.StatusCode, buf[:k])
		}
	}
	if code, body := g.get("/filters/check?track=zebra"); code != 200 || !strings.Contains(body, "for another reason") {
		t.Error(code, body)
	}
	if code, body := g.get("/filters/check?language=de"); code != 400 || !strings.Contains(body, "LANGUAGE") {
		t.Error(code, body)
	}
}

// On X rules are edited, and the stream goes on.
func TestDemandX(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := fakeIn(t, n, sim.Config{})
		g := start(t, n, append(fake.SettingsX("http://127.0.0.1:9100"), "AVIARY_TRACK=go", "AVIARY_DEMAND=on")...)
		time.Sleep(time.Second)
		s := g.open("q=zebra+-is:retweet", "")
		s.until("hello")
		time.Sleep(5 * time.Second)
		say(fake, "a zebra")
		if e := s.until(""); !strings.Contains(e.data, `"text":"a zebra"`) {
			t.Error(e.data)
		}
		var rules []string
		for _, r := range fake.Rules() {
			rules = append(rules, r.Value)
		}
		if slices.Sort(rules); !slices.Equal(rules, []string{"go", "zebra -is:retweet"}) {
			t.Errorf("rules %q", rules)
		}
		s.close()
		time.Sleep(3 * time.Minute)
		if rules := fake.Rules(); len(rules) != 1 {
			t.Errorf("rules %v", rules)
		}
		if code, body := g.put(`{"track":"rust"}`); code != 202 {
			t.Error(code, body)
		}
		time.Sleep(time.Minute)
		if rules := fake.Rules(); len(rules) != 1 || rules[0].Value != "rust" {
			t.Errorf("rules %v", rules)
		}
		if stats := fake.Stats(); stats.Connects-stats.Refused != 1 || stats.Most != 1 { // the compliance stream is refused
			t.Errorf("%+v", stats)
		}
		g.stop()
	})
}
