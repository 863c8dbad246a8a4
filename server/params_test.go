package server

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// decode reads a problem and checks what all problems have.
func decode(t *testing.T, resp *http.Response) Problem {
	t.Helper()
	if ct := resp.Header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("Content-Type %q", ct)
	}
	body := readAll(t, resp.Body)
	var p Problem
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatalf("%v in %q", err, body)
	}
	if p.Type == "" || p.Title == "" || p.Status != resp.StatusCode || p.Detail == "" {
		t.Errorf("incomplete: %s", body)
	}
	return p
}

func TestBadParameters(t *testing.T) {
	at := func(n int) *int { return &n }
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		for _, c := range []struct {
			query, param string
			position     *int
			nearest      string
		}{
			{"trak=go", "trak", nil, "track"},
			{"Track=go", "Track", nil, "track"},
			{"q=-go", "q", at(0), ""},
			{"q=cat%20fron%3Aann", "q", at(4), "from:ann"},
			{"q=%C3%BC%20%F0%9F%94%AD%20%28fron%3Aann%29", "q", at(5), "from:ann"},
			{"q=go%zz", "q", at(2), ""},
			{"q=cat&q=dog", "q", nil, ""},
			{"filter.a=cat%20fron%3Aann", "filter.a", at(4), "from:ann"},
			{"filter.a=cat&filter.a=dog", "filter.a", nil, ""},
			{"filter.=go", "filter.", nil, "filter.NAME"},
			{"filter=go", "filter", nil, "filter.NAME"},
			{"fliter.a=go", "fliter.a", nil, "filter.a"},
			{"filters.cats=go", "filters.cats", nil, "filter.cats"},
			{"filter.a%20b=go", "filter.a b", nil, "*"},
			{"%66ilter.=go", "filter.", nil, "filter.NAME"},
			{"Q=go", "Q", nil, "q"},
			{"zzzzzzzzzz=1", "zzzzzzzzzz", nil, ""},
			{"=x", "", nil, "*"},
			{"track=www.x", "track", at(0), "*"},
			{"track=go,www.x", "track", at(3), "*"},
			{"track=%C3%BC,www.x", "track", at(2), "*"},
			{"locations=10,0,-10,5", "locations", nil, "*"},
			{"follow=12,x", "follow", at(3), "*"},
			{"filter_level=hihg", "filter_level", at(0), "*"},
			{"payload=idz", "payload", at(0), "ids"},
			{"payload=", "payload", at(0), "*"},
			{"payload=ids&payload=full", "payload", nil, ""},
			{"format=xml", "format", at(0), "*"},
			{"events=delete,upstrem", "events", at(7), "upstream"},
			{"events=delete,,gap", "events", at(7), "*"},
			{"events=", "events", at(0), "*"},
			{"events=none,gap", "events", nil, ""},
			{"since=yesterday", "since", at(0), ""},
			{"since=", "since", at(0), ""},
			{"since=15x", "since", at(2), ""},
			{"since=-15m", "since", at(0), ""},
			{"since=2026-13-01T00:00:00Z", "since", at(5), ""},
			{"since=2026-02-30T00:00:00Z", "since", at(8), ""},
			{"since=2026-01-01T00:00:00%2002:00", "since", at(19), ""},
			{"since=1h&since=2h", "since", nil, ""},
			{"limit=0", "limit", at(0), ""},
			{"limit=-1", "limit", at(0), ""},
			{"limit=12a", "limit", at(2), ""},
			{"limit=1.5", "limit", at(1), ""},
			{"limit=", "limit", at(0), ""},
			{"limit=99999999999999999999", "limit", at(0), ""},
			{"max_rate=0", "max_rate", at(0), ""},
			{"max_rate=ten", "max_rate", at(0), ""},
			{"max_rate=1&max_rate=1", "max_rate", nil, ""},
			{"track=%C3%BC%zz", "track", at(1), ""},
			{"%zz=1", "%zz", nil, ""},
			{"track=a;b=%", "track", at(4), ""},
		} {
			resp := g.do("GET", "/stream?"+c.query, "")
			if resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%s: %d, want 400", c.query, resp.StatusCode)
				resp.Body.Close()
				continue
			}
			p := decode(t, resp)
			if p.Param != c.param || c.nearest != "*" && p.Nearest != c.nearest {
				t.Errorf("%s: param %q, nearest %q, want %q, %q", c.query, p.Param, p.Nearest, c.param, c.nearest)
			}
			if c.position != nil && (p.Position == nil || *p.Position != *c.position) {
				t.Errorf("%s: position %v, want %d (%s)", c.query, show(p.Position), *c.position, p.Detail)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: a script of another origin cannot read the problem", c.query)
			}
		}
	})
}

func show(n *int) any {
	if n == nil {
		return "none"
	}
	return *n
}

func TestTooLongFilters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) { o.MaxFilterBytes = 1000 })
		long := "track=" + strings.Repeat("a", 1000)
		form := "Content-Type: application/x-www-form-urlencoded"
		if p := decode(t, g.do("GET", "/stream?"+long, "")); p.Status != http.StatusRequestURITooLong {
			t.Errorf("GET: %+v", p)
		}
		if p := decode(t, g.do("POST", "/stream", long, form)); p.Status != http.StatusRequestEntityTooLarge {
			t.Errorf("POST: %+v", p)
		}
		if p := decode(t, g.do("POST", "/stream", "{}", "Content-Type: application/json")); p.Status != http.StatusUnsupportedMediaType {
			t.Errorf("POST of JSON: %+v", p)
		}
	})
}

// A filter as long as may be fits into a URL.
func TestLongestURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		follow := "follow=" + strings.TrimSuffix(strings.Repeat("1234567890123456789,", 4900), ",")
		s := g.open("/stream?" + follow)
		if f := s.next(); f.event != "hello" {
			t.Error(f)
		}
	})
}

// What a client sends comes back escaped, never as a line end or a control character.
func TestHostileInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		published := 0
		for _, bad := range []string{"%0D", "%0A", "%0D%0Aid:%201", "%00", "%C2%85", "%E2%80%A8", "%E2%80%A9", "%7F", "%FF", "%EF%BB%BF", "%1B[2J", "</script>"} {
			for _, query := range []string{
				"track=x" + bad + "y", "language=d" + bad, "since=" + bad, "events=" + bad, "limit=" + bad,
				bad + "=1", "last_event_id=" + bad, "q=x" + bad + "y", "filter.a=x" + bad + "y", "filter." + bad + "=x", "payload=" + bad, "format=" + bad, "follow=" + bad,
			} {
				resp := g.do("GET", "/stream?"+query, "")
				if resp.StatusCode == http.StatusOK {
					s := newReader(t, soak(resp.Body)) // its reader fails on a broken line
					f := s.next()
					if f.event != "hello" {
						t.Errorf("%s begins with %v", query, f)
					}
					clean(t, query, f.data)
					published++
					g.post(published, "7", "x y")
					resp.Body.Close()
					continue
				}
				body := strings.TrimSuffix(readAll(t, resp.Body), "\n")
				if resp.StatusCode != http.StatusBadRequest || !json.Valid([]byte(body)) {
					t.Errorf("%s: %d %q", query, resp.StatusCode, body)
				}
				clean(t, query, body)
			}
		}
	})
}

func clean(t *testing.T, what, s string) {
	t.Helper()
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r <= 0x9f || r == 0x2028 || r == 0x2029 {
			t.Errorf("%s: U+%04X comes back as it is in %q", what, r, s)
		}
	}
}

// Bytes that net/http itself refuses must not reach a stream either.
func TestHostileHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		for _, id := range []string{"a\x00b", "k\u2028", "x\u0085y", strings.Repeat("9", 5000), "hra0hs-1.end.end", "hra0hs-01", "\xff"} {
			c, err := g.dial()
			if err != nil {
				t.Fatal(err)
			}
			go c.Write([]byte("GET /stream HTTP/1.1\r\nHost: gate\r\nLast-Event-ID: " + id + "\r\n\r\n"))
			b := make([]byte, 64<<10)
			n, err := c.Read(b)
			got := string(b[:n])
			if err != nil || !strings.HasPrefix(got, "HTTP/1.1 400") && !strings.Contains(got, `"resumed":"none","missed":null`) {
				t.Errorf("id %q: %v %q", id, err, got)
			}
			c.Close()
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("track=go&since=15m&events=all,heartbeat&limit=3", "k3f9a1-4711", "text/event-stream")
	f.Add("q=(cat+OR+%22hot+soup%22)+-is:retweet&filter.a=dog&filter.b=from:12", "", "")
	f.Fuzz(func(t *testing.T, query, id, accept string) {
		values := map[string][]string{}
		h := http.Header{"Last-Event-Id": {id}, "Accept": {accept}}
		if err := parseQuery(values, query); err != nil {
			problemIsSound(t, err)
			return
		}
		q, err := parse(values, h, time.Unix(1e9, 0))
		if err != nil {
			problemIsSound(t, err)
			return
		}
		if q.limit < 0 || q.maxRate < 0 || q.filter == nil {
			t.Errorf("%+v", q)
		}
		if strings.ContainsAny(q.id, "\r\n\x00\u2028\u0085") {
			t.Errorf("an id that breaks lines: %q", q.id)
		}
	})
}

// problemIsSound checks that an error is one a client can be shown.
func problemIsSound(t *testing.T, err error) {
	t.Helper()
	p := asProblem(err)
	if p.Status != http.StatusBadRequest && p.Status != http.StatusNotAcceptable {
		t.Errorf("%v is a %d", err, p.Status)
	}
	b, err := marshal(p)
	if err != nil || !json.Valid(b) {
		t.Errorf("%v: %q", err, b)
	}
	clean(t, "problem", string(b))
}
