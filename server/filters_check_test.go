package server

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter"
)

// v11 gives a gate the dialect of v1.1, so that it can read posts.
func v11(o *Options) { o.Dialect = twitter.Dialect }

const asJSON = "Content-Type: application/json"

// answer is what /filters/check says.
type answer struct {
	Filter         string
	Terms, Watched []string
	Names          []string
	Warnings       []string
	Matches        *bool
	Branches       []branch
}

// check asks about a filter; with a post, about that, too.
func (g *gate) check(query, post string) answer {
	g.t.Helper()
	method, headers := "GET", []string(nil)
	if post != "" {
		method, headers = "POST", []string{asJSON}
	}
	resp := g.do(method, "/filters/check?"+query, post, headers...)
	body := readAll(g.t, resp.Body)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("Cache-Control") != "no-store" {
		g.t.Fatalf("%s /filters/check?%s: %s %v %s", method, query, resp.Status, resp.Header, body)
	}
	var a answer
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		g.t.Fatalf("%v in %s", err, body)
	}
	if strings.Contains(body, "null") {
		g.t.Errorf("%s: a null: %s", query, body)
	}
	return a
}

// rule writes a rule into a query.
func rule(name, text string) string { return name + "=" + url.QueryEscape(text) }

// The canonical form is the one that hello shows, and it means itself.
func TestCheckSaysWhatHelloSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		for _, query := range []string{
			"", "track=GO%20rust,%20go", "follow=12,7&track=go&language=EN", "locations=-10,0,10,5&filter_level=low",
			rule("q", "Cat dog"), rule("q", `("hot soup" OR #Cooking) -is:retweet lang:en`), rule("q", "ZÜRICH OR ΣΊΣΥΦΟΣ"),
			"track=go&" + rule("q", "lang:en cat"),
			rule("filter.b", "cat") + "&" + rule("filter.a", "dog OR bird"),
			rule("filter.a", "cat") + "&track=go&" + rule("q", "from:12"),
		} {
			got := g.check(query, "")
			s := g.open("/stream?" + query)
			var said struct{ Hello hello }
			if err := json.Unmarshal([]byte(s.next().data), &said); err != nil {
				t.Fatal(err)
			}
			s.body.Close()
			if got.Filter != said.Hello.Filter {
				t.Errorf("%s is checked as %q and served as %q", query, got.Filter, said.Hello.Filter)
			}
			values, err := url.ParseQuery(got.Filter)
			if err != nil {
				t.Fatal(err)
			}
			if again := g.check(values.Encode(), ""); again.Filter != got.Filter || !slices.Equal(again.Names, got.Names) {
				t.Errorf("%s: %q is checked as %q", query, got.Filter, again.Filter)
			}
			if empty := query == ""; empty != (got.Filter == "") || empty != (len(got.Terms) == 0) || empty != slices.Contains(got.Warnings, "nothing is asked for: every post passes") {
				t.Errorf("%s: %+v", query, got)
			}
			if got.Matches != nil || got.Branches != nil {
				t.Errorf("%s: a verdict without a post: %+v", query, got)
			}
		}
		if got := g.check(rule("filter.b", "cat")+"&"+rule("filter.a", "dog"), ""); !slices.Equal(got.Names, []string{"a", "b"}) {
			t.Errorf("names: %q", got.Names)
		}
		if got := g.check("track=go", ""); got.Names != nil || !slices.Equal(got.Terms, []string{"go"}) || !slices.Equal(got.Watched, []string{"go"}) {
			t.Errorf("track=go: %+v", got)
		}
	})
}

// A filter that /stream refuses is refused in the same words.
func TestCheckRefusesAsTheStreamDoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, v11)
		for _, query := range []string{
			"track=go,www.x", "locations=10,0,-10,5", "follow=x", "trak=go", "fliter.a=go", "filter.=x", "track=%zz", "language=en,klingonese",
			rule("q", "("), rule("q", "-cat"), rule("q", "is:retweet"), rule("q", "fron:ann"), rule("q", `"hot`), rule("q", "cat OR"), rule("q", "ü fron:x"),
			rule("q", "context:1.2"), rule("q", strings.Repeat("x", 5000)), rule("filter.a", "cat OR"), "q=a%0Ab",
		} {
			want := g.do("GET", "/stream?"+query, "")
			if want.StatusCode != http.StatusBadRequest {
				t.Errorf("GET /stream?%s: %s", query, want.Status)
				want.Body.Close()
				continue
			}
			stream := readAll(t, want.Body)
			for _, method := range []string{"GET", "POST"} {
				resp := g.do(method, "/filters/check?"+query, `{}`, asJSON)
				body := readAll(t, resp.Body)
				// The parameters that are near differ: /filters/check has fewer.
				if resp.StatusCode != http.StatusBadRequest || want.StatusCode != resp.StatusCode || body != stream {
					t.Errorf("%s %s: %s %s; /stream says %s %s", method, query, resp.Status, body, want.Status, stream)
				}
			}
		}
		for _, name := range ownParams {
			p := decode(t, g.do("GET", "/filters/check?track=go&"+name+"=1", ""))
			if p.Status != http.StatusBadRequest || p.Param != name || !strings.Contains(p.Detail, "no part of a filter") {
				t.Errorf("%s: %+v", name, p)
			}
		}
		if p := decode(t, g.do("GET", "/filters/check?trakc=1", "")); p.Nearest != "track" {
			t.Errorf("%+v", p)
		}
		if p := decode(t, g.do("GET", "/filters/check?track="+strings.Repeat("a", 140_000), "")); p.Status != http.StatusRequestURITooLong {
			t.Errorf("%+v", p)
		}
	})
}

func TestCheckMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, v11)
		resp := g.do("HEAD", "/filters/check?track=go", "")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" || resp.Header.Get("Cache-Control") != "no-store" || readAll(t, resp.Body) != "" {
			t.Errorf("HEAD: %s %v", resp.Status, resp.Header)
		}
		if resp := g.do("HEAD", "/filters/check?trakc=go", ""); resp.StatusCode != 400 {
			t.Errorf("HEAD of a bad filter: %s", resp.Status)
		}
		for _, method := range []string{"PUT", "DELETE", "PATCH", "FOO"} {
			resp := g.do(method, "/filters/check", "")
			if p := decode(t, resp); p.Status != 405 || resp.Header.Get("Allow") != allowCheck {
				t.Errorf("%s: %+v, Allow %q", method, p, resp.Header.Get("Allow"))
			}
		}
		resp = g.do("OPTIONS", "/filters/check", "", "Origin: https://a.example", "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type")
		if resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Methods") != allowCheck || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "Content-Type") {
			t.Errorf("preflight: %s %v", resp.Status, resp.Header)
		}
		if p := decode(t, g.do("POST", "/filters/check?track=go", tweet("go", "en"), asJSON, "Origin: null")); p.Status != 403 {
			t.Errorf("Origin: null: %+v", p)
		}
	})
}

// A client that does not send its post is not waited for, and those that do not
// are no more than so many.
func TestCheckWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, v11, func(o *Options) { o.WriteTimeout = 2 * time.Second })
		head := "POST /filters/check?track=go HTTP/1.1\r\nHost: gate\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
		for range maxChecks {
			c, err := g.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			go c.Write([]byte(head))
		}
		synctest.Wait()
		resp := g.do("POST", "/filters/check?track=go", tweet("go", "en"), asJSON)
		if p := decode(t, resp); p.Status != 503 || resp.Header.Get("Retry-After") != "1" {
			t.Errorf("while all places are taken: %+v", p)
		}
		if got := g.check("track=go", ""); got.Filter != "track=go" {
			t.Errorf("a filter alone: %+v", got)
		}
		time.Sleep(2100 * time.Millisecond)
		if got := g.check("track=go", tweet("go", "en")); !*got.Matches {
			t.Errorf("after the time is over: %+v", got)
		}
	})
}
