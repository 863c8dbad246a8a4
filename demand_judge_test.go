package main

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

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
		{"track=zebra", 200, `"warnings":["the upstream is not asked for this, so it is found only in posts that come for another reason`},
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

// While the upstream refuses what the operator wants it goes on as before, and so
// no client is refused whose posts come. Who asks for what is past never is.
func TestJudgedByWhatIsInForce(t *testing.T) {
	demanded(t, sim.Config{MaxConnects: 100}, false, func(t *testing.T, fake *sim.Server, g *running) {
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
		for _, want := range []string{`"state":"streaming"`, `"class":"fatal"`, `HTTP 403`, `the stream goes on as it was asked before`, `"next_attempt":"`} {
			if _, status := g.get("/status"); !strings.Contains(status, want) {
				t.Errorf("the status does not say %s: %s", want, status)
			}
		}
		time.Sleep(20 * time.Minute) // by itself
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
	}, "AVIARY_TRACK=go", "AVIARY_CONNECT_LIMIT=100")
}

// Rules of others bring posts that nobody here can know of.
func TestOthersRules(t *testing.T) {
	demanded(t, sim.Config{}, true, func(t *testing.T, fake *sim.Server, g *running) {
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
	}, "AVIARY_TRACK=go", "AVIARY_LANGUAGE=en")
}
