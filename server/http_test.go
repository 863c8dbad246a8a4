package server

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

func TestAccept(t *testing.T) {
	for accept, want := range map[string]string{
		"":                                typeSSE,
		"*/*":                             typeSSE,
		"text/*":                          typeSSE,
		"text/event-stream":               typeSSE,
		"TEXT/Event-Stream":               typeSSE,
		"application/x-ndjson":            typeNDJSON,
		"application/*":                   typeNDJSON,
		"application/x-ndjson, */*":       typeSSE,
		"application/x-ndjson, */*;q=0.5": typeNDJSON,
		"text/event-stream;q=0.1, application/x-ndjson;q=0.2":             typeNDJSON,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": typeSSE,
		"text/html":                  "",
		"application/json":           "",
		"text/event-stream;q=0":      "",
		"*/*, text/event-stream;q=0": typeNDJSON,
		"garbage":                    "",
	} {
		h := http.Header{}
		if accept != "" {
			h.Set("Accept", accept)
		}
		ndjson, explicit, ok := negotiate(h)
		got := map[bool]string{true: typeNDJSON, false: typeSSE}[ndjson]
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("Accept %q: %q, want %q", accept, got, want)
		}
		if explicit != (strings.Contains(strings.ToLower(accept), typeSSE) && !strings.Contains(accept, typeSSE+";q=0") || strings.Contains(accept, "q=0.1")) {
			t.Errorf("Accept %q: explicit %v", accept, explicit)
		}
	}
}

func TestMethods(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		if p := decode(t, g.do("GET", "/stream", "", "Accept: text/html")); p.Status != http.StatusNotAcceptable {
			t.Errorf("Accept: text/html: %+v", p)
		}
		resp := g.do("HEAD", "/stream?track=go", "")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream; charset=utf-8" || resp.Header.Get("Cache-Control") != "no-store, no-transform" {
			t.Errorf("HEAD: %s %v", resp.Status, resp.Header)
		}
		if resp := g.do("HEAD", "/stream?trak=go", ""); resp.StatusCode != 400 {
			t.Errorf("HEAD of a bad filter: %s", resp.Status)
		}
		for _, method := range []string{"PUT", "DELETE", "PATCH", "FOO"} {
			resp := g.do(method, "/stream", "")
			if p := decode(t, resp); p.Status != 405 || resp.Header.Get("Allow") != "GET, HEAD, POST, OPTIONS" {
				t.Errorf("%s: %+v, Allow %q", method, p, resp.Header.Get("Allow"))
			}
		}
		resp = g.do("POST", "/status", "")
		if p := decode(t, resp); p.Status != 405 || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("POST /status: %+v, Allow %q", p, resp.Header.Get("Allow"))
		}
		for _, path := range []string{"/nothing", "/filters", "/embed", "/metrics", "/debug/pprof/", "/stream/", "/1.1/statuses/firehose.json"} {
			if p := decode(t, g.do("GET", path, "")); p.Status != 404 {
				t.Errorf("GET %s: %+v, want a 404", path, p)
			}
		}
	})
}

func TestCORS(t *testing.T) {
	const exposed = "Link, Retry-After"
	for _, c := range []struct {
		name        string
		origins     []string
		origin      string
		allow, cred string
		status      int
	}{
		{"any", []string{"*"}, "https://a.example", "*", "", 200},
		{"any, no origin", []string{"*"}, "", "*", "", 200},
		{"any, null", []string{"*"}, "null", "", "", 403},
		{"listed", []string{"https://a.example", "https://b.example"}, "https://b.example", "https://b.example", "true", 200},
		{"not listed", []string{"https://a.example"}, "https://evil.example", "", "", 200},
		{"not quite listed", []string{"https://a.example"}, "https://a.example.evil.example", "", "", 200},
		{"list, null", []string{"https://a.example", "null"}, "null", "", "", 403},
		{"none", nil, "https://a.example", "", "", 200},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(t, func(o *Options) { o.CORSOrigins = c.origins })
			var headers []string
			if c.origin != "" {
				headers = []string{"Origin: " + c.origin}
			}
			for _, path := range []string{"/stream", "/status", "/filters/check"} {
				resp := g.do("GET", path, "", headers...)
				h := resp.Header
				if h.Get("Access-Control-Allow-Origin") != c.allow || h.Get("Access-Control-Allow-Credentials") != c.cred {
					t.Errorf("%s: GET %s: allow %q, credentials %q", c.name, path, h.Get("Access-Control-Allow-Origin"), h.Get("Access-Control-Allow-Credentials"))
				}
				if want := map[bool]string{true: exposed}[c.allow != ""]; h.Get("Access-Control-Expose-Headers") != want {
					t.Errorf("%s: exposed %q", c.name, h.Get("Access-Control-Expose-Headers"))
				}
				if !strings.Contains(h.Get("Vary"), "Origin") {
					t.Errorf("%s: GET %s: Vary %q", c.name, path, h.Get("Vary"))
				}
				if path != "/status" && resp.StatusCode != c.status {
					t.Errorf("%s: %s, want %d", c.name, resp.Status, c.status)
				}
				resp.Body.Close()
			}
			resp := g.do("OPTIONS", "/stream", "", append(headers, "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: last-event-id")...)
			h := resp.Header
			granted := h.Get("Access-Control-Allow-Headers") == "Last-Event-ID, Authorization, Content-Type" && strings.Contains(h.Get("Access-Control-Allow-Methods"), "POST")
			if granted != (c.allow != "") {
				t.Errorf("%s: preflight %s %v", c.name, resp.Status, h)
			}
		})
	}
}

func TestStatusAndHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		if resp := g.do("GET", "/healthz", ""); resp.StatusCode != 200 {
			t.Errorf("healthz: %s", resp.Status)
		}
		if p := decode(t, g.do("GET", "/readyz", "")); p.Status != 503 {
			t.Errorf("readyz before any data: %+v", p)
		}
		s := g.stream("/stream?track=go")
		g.post(1, "7", "go")
		s.ids(1)
		if resp := g.do("GET", "/readyz", ""); resp.StatusCode != 200 {
			t.Errorf("readyz with history: %s", resp.Status)
		}
		got := readAll(t, g.do("GET", "/status", "").Body)
		want := `{"version":"v1","uptime_s":0,"source":"sim","upstream":{"state":"streaming","since":"2026-01-02T03:04:05Z","class":null,"error":null,"hint":null,"next_attempt":null,"posts_per_s":0},"clients":1,"filters":1,"history":{"events":1,"bytes":`
		if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, `,"from":"2000-01-01T00:00:00Z","to":"2000-01-01T00:00:00Z"},"cluster":{"node":"local","leader":"local","role":"all","lag_s":0,"bus":null}}`+"\n") {
			t.Errorf("status: %s", got)
		}
		if got := readAll(t, g.do("HEAD", "/status", "").Body); got != "" {
			t.Errorf("HEAD /status: %q", got)
		}
		page := g.do("GET", "/", "")
		if page.StatusCode != 200 || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || !strings.Contains(page.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("GET /: %s %v", page.Status, page.Header)
		}
	})
}
