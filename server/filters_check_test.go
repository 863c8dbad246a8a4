package server

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
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

// tweet is a v1.1 post.
func tweet(text, lang string) string {
	words, _ := json.Marshal(text)
	return `{"id":1234,"id_str":"1234","text":` + string(words) + `,"lang":"` + lang + `","user":{"id":12,"id_str":"12","screen_name":"ann"}}`
}

func TestCheckTriesAPost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, v11)
		for _, c := range []struct {
			query, post string
			matches     bool
			rules       []string // of the branches
			names       []string
		}{
			{"", tweet("anything", "en"), true, nil, nil},
			{"track=go,rust", tweet("go and see", "en"), true, []string{"track"}, nil},
			{"track=go,rust", tweet("nothing", "en"), false, []string{"track", "track"}, nil},
			{"track=go&language=de", tweet("go and see", "en"), false, []string{"track", "language"}, nil},
			{rule("q", "go -lang:en"), tweet("GO and see", "de"), true, []string{"q"}, nil},
			{rule("q", "go -lang:en"), tweet("GO and see", "en"), false, []string{"q"}, nil},
			{rule("q", `"hot soup" OR from:ann`), tweet("cold soup", "en"), true, []string{"q"}, nil},
			{"track=go&" + rule("q", "see -rust"), tweet("GO and see", "en"), true, []string{"q"}, nil},
			{rule("filter.a", "soup") + "&" + rule("filter.b", "from:12") + "&" + rule("filter.c", "tea"), tweet("soup", "en"), true, []string{"filter.a", "filter.b"}, []string{"a", "b"}},
			{rule("filter.a", "soup") + "&" + rule("filter.c", "tea"), tweet("water", "en"), false, []string{"filter.a", "filter.c"}, []string{}},
		} {
			got := g.check(c.query, c.post)
			if got.Matches == nil || *got.Matches != c.matches {
				t.Errorf("%s and %s: %+v", c.query, c.post, got)
				continue
			}
			var rules []string
			missing := 0
			for _, b := range got.Branches {
				rules = append(rules, b.Rule)
				missing += len(b.Missing)
				if b.Text == "" || len(b.Tokens)+len(b.Missing) == 0 {
					t.Errorf("%s: %+v", c.query, b)
				}
			}
			if c.matches != (missing == 0) {
				t.Errorf("%s: the verdict is %v, and %+v", c.query, c.matches, got.Branches)
			}
			if !slices.Equal(rules, c.rules) {
				t.Errorf("%s: branches of %q, want %q: %+v", c.query, rules, c.rules, got.Branches)
			}
			if !reflect.DeepEqual(got.Names, c.names) {
				t.Errorf("%s: names %q, want %q", c.query, got.Names, c.names)
			}
		}
	})
}

func TestCheckBodies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, v11)
		const path = "/filters/check?track=go"
		whole := tweet("go", "en")
		for _, c := range []struct {
			name, body, kind string
			status           int
			says             string
		}{
			{"a post", whole, "application/json", 200, ""},
			{"with a charset", whole, "Application/JSON; charset=utf-8", 200, ""},
			{"white space around", "\r\n\t " + whole + "\r\n", "application/json", 200, ""},
			{"as long as may be", `{"x":"` + strings.Repeat("a", maxPost-len(whole)-7) + `",` + whole[1:], "application/json", 200, ""},
			{"longer", `{"x":"` + strings.Repeat("a", maxPost) + `",` + whole[1:], "application/json", 413, "1048576 bytes"},
			{"no type", whole, "", 415, "application/json"},
			{"a form", "track=go", "application/x-www-form-urlencoded", 415, "application/json"},
			{"lines", whole, "application/x-ndjson", 415, "application/json"},
			{"nothing", "", "application/json", 400, "it is empty"},
			{"spaces", " \n", "application/json", 400, "it is empty"},
			{"broken", whole[:40], "application/json", 400, "not JSON at byte 40"},
			{"two posts", whole + whole, "application/json", 400, "not JSON at byte"},
			{"a list", "[" + whole + "]", "application/json", 400, "the body is no post: not one"},
			{"null", "null", "application/json", 400, "the body is no post: not one"},
			{"a delete", `{"delete":{"status":{"id":1,"id_str":"1","user_id":2}}}`, "application/json", 400, "no id with a user"},
			{"a compact post", `{"id_str":"1","text":"go","author":{"username":"ann"}}`, "application/json", 400, "no id with a user"},
			{"bytes", "\x00\x01\xff{\"", "application/json", 400, "the body is no post"},
		} {
			headers := []string{"Content-Type: " + c.kind}
			if c.kind == "" {
				headers = nil
			}
			resp := g.do("POST", path, c.body, headers...)
			if resp.StatusCode != c.status {
				t.Errorf("%s: %s %s", c.name, resp.Status, readAll(t, resp.Body))
				continue
			}
			if c.status == 200 {
				if body := readAll(t, resp.Body); !strings.Contains(body, `"matches":true`) {
					t.Errorf("%s: %s", c.name, body)
				}
				continue
			}
			p := decode(t, resp)
			clean(t, c.name, p.Detail)
			if !strings.Contains(p.Detail, c.says) || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %+v", c.name, p)
			}
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

// A dialect with a bug costs one answer, and one without a decoder is told.
func TestCheckBadDialects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		g := newGate(t, func(o *Options) {
			o.Dialect = &fanout.Dialect{Name: "x", Post: func([]byte) (*filter.Post, error) { panic("a bug") }}
			o.Log = slog.New(slog.NewTextHandler(&log, nil))
		})
		for range maxChecks + 1 { // its place is free again
			if p := decode(t, g.do("POST", "/filters/check?track=go", "{}", asJSON)); p.Status != 500 || strings.Contains(p.Detail, "bug") {
				t.Fatalf("%+v", p)
			}
		}
		if !strings.Contains(log.String(), "a bug") {
			t.Errorf("the log does not say what happened: %q", log.String())
		}
		bare := newGate(t)
		if p := decode(t, bare.do("POST", "/filters/check?track=go", "{}", asJSON)); p.Status != 501 {
			t.Errorf("%+v", p)
		}
	})
}

// Whatever a stranger sends is answered: with a verdict, or with what is wrong.
func FuzzCheckBody(f *testing.F) {
	f.Add("track=go", []byte(tweet("go and see", "en")))
	f.Add("q=%22hot+soup%22+-is:retweet", []byte(`{"id":1,"id_str":"1","user":{"id":2},"text":"hot soup","retweeted_status":{"id":3,"user":{"id":4}},"entities":{"hashtags":[{"text":7}]}}`))
	f.Add("filter.a=cat", []byte(`{"id":1,"user":{"id":2},"extended_tweet":null,"coordinates":{"coordinates":[1e400,"x"]},"place":[]}`))
	f.Add("", []byte("{\"id\":1,\"user\":{\"id\":2},\"text\":\"\\ud800\\u0000\xff\"}"))
	f.Add("locations=-180,-90,180,90", []byte(strings.Repeat(`{"quoted_status":`, 300)))
	f.Fuzz(func(t *testing.T, query string, body []byte) {
		values := url.Values{}
		if parseQuery(values, query) != nil {
			return
		}
		fl, _, err := parseCheck(values)
		if err != nil {
			problemIsSound(t, err)
			return
		}
		post, err := twitter.Dialect.Post(fanout.Normalize(nil, body))
		if err != nil {
			problemIsSound(t, problem(http.StatusBadRequest, "%s", whyNoPost(body, err)))
			return
		}
		var a checked
		a.judge(fl, post)
		if a.Matches != fl.Match(post) {
			t.Errorf("%s and %q: explained as %v", query, body, a.Matches)
		}
		text, err := marshal(a)
		if err != nil || !json.Valid(text) {
			t.Errorf("%v: %q", err, text)
		}
		clean(t, "answer", string(text))
	})
}
