package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
)

func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) { o.MaxClients = 2 })
		first := g.stream("/stream")
		g.stream("/stream")

		resp := g.do("GET", "/stream", "")
		p := decode(t, resp)
		after, err := strconv.Atoi(resp.Header.Get("Retry-After"))
		if p.Status != http.StatusServiceUnavailable || err != nil || after < 30 || after > 60 {
			t.Errorf("over the limit: %+v, Retry-After %q", p, resp.Header.Get("Retry-After"))
		}
		// An EventSource would give up for ever on that.
		b := expectBye(t, g.open("/stream", "Accept: text/event-stream"), "overloaded")
		if b.Bye.RetryMS < 30000 || b.Bye.Cursor == nil {
			t.Errorf("%+v, want a long retry and the head's cursor", b)
		}
		old := epoch(g) + "-77"
		if b := expectBye(t, g.open("/stream", "Accept: text/event-stream", "Last-Event-ID: "+old), "overloaded"); *b.Bye.Cursor != old {
			t.Errorf("a refused client's cursor moved from %s to %s", old, *b.Bye.Cursor)
		}
		if b := expectBye(t, g.open("/stream?since=1h", "Accept: text/event-stream"), "overloaded"); b.Bye.Cursor != nil {
			t.Errorf("cursor %q would take the history away that the client asked for", *b.Bye.Cursor)
		}

		first.body.Close()
		synctest.Wait()
		g.stream("/stream") // the place is free again
		if got := metric(t, g, `aviary_client_closes_total{reason="overloaded"}`); got != "4" {
			t.Errorf("overloaded %s, want 4", got)
		}
	})
}

func TestLimitPerKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) {
			o.MaxClientsPerKey = 1
			o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		})
		// Pipes have no address: put one in.
		inner := g.http.Handler
		g.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.RemoteAddr = "10.0.0.1:1234"
			inner.ServeHTTP(w, r)
		})
		one := g.stream("/stream", "X-Forwarded-For: 203.0.113.9")
		g.stream("/stream", "X-Forwarded-For: 203.0.113.10")
		resp := g.do("GET", "/stream", "", "X-Forwarded-For: 198.51.100.1, 203.0.113.9") // spoofed on the left
		if p := decode(t, resp); p.Status != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
			t.Errorf("second stream of an address: %+v", p)
		}
		expectBye(t, g.open("/stream", "X-Forwarded-For: 203.0.113.9", "Accept: text/event-stream"), "overloaded")
		one.body.Close()
		synctest.Wait()
		g.stream("/stream", "X-Forwarded-For: 203.0.113.9")
	})
}

func TestClientKey(t *testing.T) {
	for _, c := range []struct {
		name, proxies, peer, xff, want string
	}{
		{"direct", "", "203.0.113.9:1", "", "203.0.113.9"},
		{"direct, header ignored", "", "203.0.113.9:1", "198.51.100.1", "203.0.113.9"},
		{"untrusted peer", "10.0.0.0/8", "203.0.113.9:1", "198.51.100.1", "203.0.113.9"},
		{"one proxy", "10.0.0.0/8", "10.0.0.1:1", "203.0.113.9", "203.0.113.9"},
		{"spoofed on the left", "10.0.0.0/8", "10.0.0.1:1", "1.1.1.1, 203.0.113.9", "203.0.113.9"},
		{"two proxies", "10.0.0.0/8", "10.0.0.1:1", "1.1.1.1, 203.0.113.9, 10.9.9.9", "203.0.113.9"},
		{"claims to be a proxy", "10.0.0.0/8", "10.0.0.1:1", "10.6.6.6, 203.0.113.9", "203.0.113.9"},
		{"garbage", "10.0.0.0/8", "10.0.0.1:1", "203.0.113.9, what", "10.0.0.1"},
		{"nothing", "10.0.0.0/8", "10.0.0.1:1", "", "10.0.0.1"},
		{"mapped", "10.0.0.0/8", "[::ffff:10.0.0.1]:1", "::ffff:203.0.113.9", "203.0.113.9"},
		{"IPv6 by /64", "", "[2001:db8:1:2:3:4:5:6]:1", "", "2001:db8:1:2::/64"},
		{"IPv6 behind a proxy", "10.0.0.0/8", "10.0.0.1:1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"},
		{"loopback", "", "127.0.0.1:1", "", ""},
		{"loopback 6", "", "[::1]:1", "", ""},
		{"pipe", "", "pipe", "", ""},
		{"local proxy, local client", "127.0.0.0/8", "127.0.0.1:1", "", ""},
		{"local proxy, remote client", "127.0.0.0/8", "127.0.0.1:1", "203.0.113.9", "203.0.113.9"},
		{"local proxy, garbage", "127.0.0.0/8", "127.0.0.1:1", "garbage", "127.0.0.1"},
		{"claims loopback from afar", "10.0.0.0/8", "10.0.0.1:1", "127.0.0.1", "127.0.0.1"},
		{"claims loopback directly", "10.0.0.0/8", "203.0.113.9:1", "127.0.0.1", "203.0.113.9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var trusted []netip.Prefix
			if c.proxies != "" {
				trusted = append(trusted, netip.MustParsePrefix(c.proxies))
			}
			s := &Server{opts: Options{TrustedProxies: trusted}}
			var got string
			h := clientIP(trusted)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = s.clientKey(r) }))
			r := httptest.NewRequest("GET", "/stream", nil)
			r.RemoteAddr = c.peer
			if c.xff != "" {
				r.Header.Set("X-Forwarded-For", c.xff)
			}
			h.ServeHTTP(httptest.NewRecorder(), r)
			if got != c.want {
				t.Errorf("key %q, want %q", got, c.want)
			}
		})
	}
}

// deaf is a writer that a middleware has wrapped without an Unwrap.
type deaf struct{ http.ResponseWriter }

func TestWrappedWriterFailsLoudly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		inner := g.http.Handler
		g.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { inner.ServeHTTP(deaf{w}, r) })
		if p := decode(t, g.do("GET", "/stream", "")); p.Status != 500 {
			t.Errorf("%+v", p)
		}
		if n := g.server.clients.Len(); n != 0 {
			t.Errorf("%d clients are left", n)
		}
	})
}

func TestPanicsBecomeProblems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		g.http.Handler = g.server.short(1e9)(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("a bug") }))
		p := decode(t, g.do("GET", "/status", ""))
		if p.Status != 500 || strings.Contains(p.Detail, "a bug") {
			t.Errorf("%+v", p)
		}
		g.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			g.server.opts.Hub = nil
			g.server.stream(w, r)
		})
		if p := decode(t, g.do("GET", "/stream", "")); p.Status != 500 {
			t.Errorf("stream: %+v", p)
		}
		if n := g.server.clients.Len(); n != 0 {
			t.Errorf("%d clients are left", n)
		}
	})
}

// metric reads one sample of /metrics.
func metric(t testing.TB, g *gate, name string) string {
	t.Helper()
	w := httptest.NewRecorder()
	g.server.Admin().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(body), "\n") {
		if value, found := strings.CutPrefix(line, name+" "); found {
			return value
		}
	}
	t.Fatalf("no metric %s", name)
	return ""
}
