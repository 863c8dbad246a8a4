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

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream/twitter"
)

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
