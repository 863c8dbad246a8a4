package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter/sim"
)

// One page, and the way to the next ones.
func TestSearchPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, from := newSimAPI(t, sim.Config{}, 25)
		g := newGate(t, searching(from))
		path, found := "/search?q=alpha&count=10&lang=en&result_type=recent", []string{}
		for n := 1; path != ""; n++ {
			resp, body := g.get(path)
			var in struct {
				Statuses []json.RawMessage
				Next     *string
				Rate     *rate
			}
			if err := json.Unmarshal([]byte(body), &in); err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: %v %s", resp.Status, err, body)
			}
			for _, raw := range in.Statuses {
				found = append(found, textOf(t, string(raw)))
			}
			if in.Rate == nil || in.Rate.Limit != 180 || in.Rate.Remaining != 180-n || !in.Rate.Reset.After(time.Now()) {
				t.Errorf("rate of page %d: %+v", n, in.Rate)
			}
			if link := resp.Header.Get("Link"); in.Next == nil && link != "" || in.Next != nil && link != "<"+*in.Next+`>; rel="next"` {
				t.Errorf("Link %q beside next %v", link, in.Next)
			}
			if path = ""; in.Next != nil {
				path = *in.Next
				if v, _ := url.Parse(path); v.Query().Get("lang") != "en" || v.Query().Get("count") != "10" || v.Query().Get("result_type") != "recent" {
					t.Errorf("next loses parameters: %s", path)
				}
			}
		}
		samePosts(t, "the pages", found, texts(24, 0))
		for _, q := range a.list() {
			if v, _ := url.ParseQuery(q.query); v.Get("tweet_mode") != "extended" || v.Get("lang") != "en" {
				t.Errorf("the upstream was asked %s", q.query)
			}
		}
	})
}

func TestSearchParameters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, from := newSimAPI(t, sim.Config{}, 1)
		g := newGate(t, searching(from))
		long := strings.Repeat("é", 501)
		for _, test := range []struct{ query, param, words string }{
			{"", "q", "needed"},
			{"q=", "q", "needed"},
			{"q=+", "q", "needed"},
			{"q=a&q=b", "q", "2 times"},
			{"q=" + long, "q", "501"},
			{"q=%ff", "q", "UTF-8"},
			{"q=%zz", "q", "URL-encoded"},
			{"q=a&count=0", "count", "1 to 100"},
			{"q=a&count=101", "count", "1 to 100"},
			{"q=a&count=ten", "count", "whole number"},
			{"q=a&lang=english-", "lang", "language code"},
			{"q=a&lang=", "lang", "language code"},
			{"q=a&lang=e", "lang", "language code"},
			{"q=a&lang=e%0an", "lang", "language code"},
			{"q=a&result_type=resent", "result_type", `did you mean "recent"`},
			{"q=a&until=2026-1-2", "until", "YYYY-MM-DD"},
			{"q=a&until=2026-02-30", "until", "YYYY-MM-DD"},
			{"q=a&until=2026-01-02T00:00:00Z", "until", "YYYY-MM-DD"},
			{"q=a&since_id=-1", "since_id", "id_str"},
			{"q=a&since_id=x", "since_id", "id_str"},
			{"q=a&since_id=18446744073709551616", "since_id", "id_str"},
			{"q=a&sinse_id=1", "sinse_id", `did you mean "since_id"`},
			{"q=a&geocode=1,2,3km", "geocode", "no parameter"},
			{"q=a&max_id=1", "max_id", "no parameter"},
			{"q=a&tweet_mode=compat", "tweet_mode", "no parameter"},
			{"q=a&track=go", "track", "no parameter"},
		} {
			for _, route := range []string{"/search?", "/search/pages?"} {
				problemIs(t, g, route+test.query, test.param, test.words)
			}
		}
		for _, test := range []struct{ path, param, words string }{
			{"/search?q=a&cursor=", "cursor", "take the one in next"},
			{"/search?q=a&cursor=p0", "cursor", "take the one in next"},
			{"/search?q=a&cursor=P12", "cursor", "take the one in next"},
			{"/search?q=a&cursor=p01", "cursor", "take the one in next"},
			{"/search?q=a&cursor=p3w5e11264sgsg", "cursor", "take the one in next"},
			{"/search?q=a&max=3", "max", "no parameter"},
			{"/search?q=a&direction=new", "direction", "no parameter"},
			{"/search/pages?q=a&cursor=p12", "cursor", "no parameter"},
			{"/search/pages?q=a&max=0", "max", "1 to"},
			{"/search/pages?q=a&direction=up", "direction", "one of"},
			{"/search/pages?q=a&direction=new&until=2026-01-02", "until", "none"},
			{"/search/pages?q=a&format=xml", "format", "one of"},
			{"/search/pages?q=a&payload=ids", "payload", "no parameter"},
			{"/search/pages?q=a&last_event_id=1&last_event_id=2", "last_event_id", "2 times"},
		} {
			problemIs(t, g, test.path, test.param, test.words)
		}
		if n := len(a.list()); n != 0 {
			t.Errorf("the upstream was asked %d times", n)
		}
		if resp, body := g.get("/search?q=" + strings.Repeat("%C3%A9", 500)); resp.StatusCode != 200 {
			t.Errorf("500 characters: %s %s", resp.Status, body)
		}
	})
}

func problemIs(t *testing.T, g *gate, path, param, words string) {
	t.Helper()
	p := decode(t, g.do("GET", path, ""))
	if p.Status != http.StatusBadRequest || p.Param != param || !strings.Contains(p.Detail, words) {
		t.Errorf("GET %.80s: %+v, want a 400 about %s that says %q", path, p, param, words)
	}
}

func TestSearchMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, from := newSimAPI(t, sim.Config{}, 1)
		g, none := newGate(t, searching(from)), newGate(t)
		for _, path := range []string{"/search", "/search/pages"} {
			if p := decode(t, none.do("GET", path+"?q=a", "")); p.Status != http.StatusNotImplemented {
				t.Errorf("%s without a search: %+v", path, p)
			}
			for _, method := range []string{"POST", "PUT", "DELETE"} {
				resp := g.do(method, path+"?q=a", "")
				if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != allowSearch {
					t.Errorf("%s %s: %s, Allow %q", method, path, resp.Status, resp.Header.Get("Allow"))
				}
			}
			if resp := g.do("HEAD", path+"?q=a", ""); resp.StatusCode != 200 || resp.Header.Get("Content-Type") == "" {
				t.Errorf("HEAD %s: %s %v", path, resp.Status, resp.Header)
			}
			if resp := g.do("HEAD", path, ""); resp.StatusCode != 400 {
				t.Errorf("HEAD %s without q: %s", path, resp.Status)
			}
			resp := g.do("OPTIONS", path, "", "Origin: https://a.example", "Access-Control-Request-Method: GET")
			if resp.StatusCode != 204 || resp.Header.Get("Access-Control-Allow-Methods") != allowSearch || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "Last-Event-ID") {
				t.Errorf("OPTIONS %s: %s %v", path, resp.Status, resp.Header)
			}
			resp = g.do("GET", path+"?q=a", "", "Origin: https://a.example")
			if resp.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(resp.Header.Get("Access-Control-Expose-Headers"), "Link") {
				t.Errorf("GET %s from elsewhere: %v", path, resp.Header)
			}
			if resp := g.do("GET", path+"?q=a", "", "Origin: null"); resp.StatusCode != 403 {
				t.Errorf("GET %s from null: %s", path, resp.Status)
			}
		}
		if resp := g.do("GET", "/search/pages?q=a", "", "Accept: text/html"); resp.StatusCode != http.StatusNotAcceptable {
			t.Errorf("Accept: text/html: %s", resp.Status)
		}
		if n := len(a.list()); n != 2 { // a walk asks for more posts at once
			t.Errorf("%d requests", n)
		}
	})
}

// What the upstream refuses is passed on; what may pass is asked again, for a moment.
func TestSearchErrors(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		header map[string]string
		body   string
		want   int
		code   int
		says   string
		hint   string
		asked  int
	}{
		"32":            {401, nil, `{"errors":[{"code":32,"message":"Could not authenticate you."}]}`, 401, 32, "Could not authenticate you.", "AVIARY_TWITTER_BEARER_TOKEN", 1},
		"89":            {401, nil, `{"errors":[{"code":89,"message":"Invalid or expired token."}]}`, 401, 89, "Invalid or expired token.", "AVIARY_TWITTER_BEARER_TOKEN", 1},
		"195":           {403, nil, `{"errors":[{"code":195,"message":"Missing or invalid url parameter"}]}`, 403, 195, "Missing or invalid", "since_id", 1},
		"453":           {403, nil, `{"errors":[{"message":"You currently have access to a subset","code":453}]}`, 403, 453, "subset", "access level", 1},
		"old form":      {401, nil, `{"request":"/1.1/search/tweets.json","error":"Not authorized."}`, 401, 0, "Not authorized.", "AVIARY_TWITTER_BEARER_TOKEN", 1},
		"plain strings": {404, nil, `{"errors":["Sorry, that page does not exist"]}`, 404, 0, "Sorry", "AVIARY_TWITTER_API_URL", 1},
		"html 403":      {403, nil, "<html><script>x()</script><body>Forbidden\r\nzone</body></html>", 403, 0, "Forbidden zone", "access level", 1},
		"empty 410":     {410, nil, "", 410, 0, "", "AVIARY_TWITTER_API_URL", 1},
		"418":           {418, nil, "short and stout", 418, 0, "stout", "", 1},
		"redirect":      {302, map[string]string{"Location": "https://elsewhere.example/x"}, "", 502, 0, "", "elsewhere.example", 1},
		"88":            {429, map[string]string{"x-rate-limit-limit": "450", "x-rate-limit-remaining": "0", "x-rate-limit-reset": "946684920"}, `{"errors":[{"code":88,"message":"Rate limit exceeded"}]}`, 429, 88, "Rate limit exceeded", "reset", 1},
		"420":           {420, map[string]string{"Retry-After": "120"}, "calm down", 429, 0, "calm down", "reset", 1},
		"130":           {503, nil, `{"errors":[{"code":130,"message":"Over capacity"}]}`, 502, 130, "Over capacity", "later", 4},
		"131 as a 200":  {200, nil, `{"errors":[{"code":131,"message":"Internal error"}]}`, 502, 131, "Internal error", "later", 4},
		"131 in a page": {200, nil, `{"statuses":[{"code":131,"message":"Internal error"}]}`, 502, 131, "middle of a page", "later", 4},
		"html 502":      {502, nil, "<h1>Bad gateway</h1>", 502, 0, "Bad gateway", "later", 4},
		"html 200":      {200, nil, "<h1>Log in to the hotel</h1>", 502, 0, "Log in", "portal", 4},
		"empty 200":     {200, nil, "", 502, 0, "", "portal", 4},
		"half a body":   {200, map[string]string{"Content-Length": "100"}, `{"statuses":[`, 502, 0, "no whole answer", "network", 4},
		"no gzip":       {200, map[string]string{"Content-Encoding": "gzip"}, "this is plain text", 502, 0, "gzip", "proxy", 4},
		"secrets":       {400, nil, `{"error":"bad token ` + bearerToken + ` and AAAA/bearer=of-a-test"}`, 400, 0, "***", "q", 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, from := newAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					for name, value := range test.header {
						w.Header().Set(name, value)
					}
					w.WriteHeader(test.status)
					fmt.Fprint(w, test.body)
				}))
				g := newGate(t, searching(from))
				began := time.Now()
				resp := g.do("GET", "/search?q=a", "")
				after := resp.Header.Get("Retry-After")
				p := decode(t, resp)
				if p.Status != test.want || resp.StatusCode != test.want || p.Code != test.code ||
					!strings.Contains(p.Message, test.says) || !strings.Contains(p.Hint, test.hint) || !strings.Contains(p.Detail, p.Hint) {
					t.Errorf("%+v", p)
				}
				if text := fmt.Sprintf("%+v", p); strings.Contains(text, "of-a-test") {
					t.Errorf("a secret is told: %s", text)
				}
				if (test.want == 429) != (after != "") || test.want == 429 && after != "120" {
					t.Errorf("Retry-After %q", after)
				}
				if n := len(a.list()); n != test.asked || time.Since(began) > 15*time.Second {
					t.Errorf("asked %d times in %v", n, time.Since(began))
				}
				// A walk that is refused at once is answered so too.
				if test.asked == 1 && test.want != 429 {
					if p := decode(t, g.do("GET", "/search/pages?q=a", "")); p.Status != test.want || p.Code != test.code {
						t.Errorf("/search/pages: %+v", p)
					}
				}
			})
		})
	}
}

// An upstream that never answers costs 15 s, whatever the client's patience.
func TestSearchHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, _, from := newSimAPI(t, sim.Config{Faults: sim.MustFaults("search hang for 1h")}, 1)
		g := newGate(t, searching(from))
		began := time.Now()
		p := decode(t, g.do("GET", "/search?q=a", ""))
		if took := time.Since(began); p.Status != http.StatusBadGateway || took > 16*time.Second {
			t.Errorf("%+v after %v", p, took)
		}
	})
}
