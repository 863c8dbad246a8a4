package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aviary/fanout"
)

// heads are requests, and whether they are plain enough to be taken without
// net/http.
var heads = []struct {
	head  string
	taken bool
}{
	{"GET /stream HTTP/1.1\r\nHost: gate\r\n\r\n", true},
	{"GET /stream?track=go%20lang&since=5m HTTP/1.1\r\nhost: gate\r\nAccept: text/event-stream\r\nAccept-Encoding: gzip\r\n\r\n", true},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nConnection: keep-alive\r\nCookie: a=b; c=d\r\n\r\n", true},

	{"GET /stream HTTP/1.1\r\nHost: gate.example:8080\r\n\r\n", true},
	{"GET /stream HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n", true},

	{"GET /stream HTTP/1.0\r\nHost: gate\r\n\r\n", false},
	{"GET /stream HTTP/2.0\r\nHost: gate\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost:\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: ga te\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: http://gate\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: ann@gate\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate?\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nHost: other\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nHOST: other\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\n\r\nGET / HTTP/1.1\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\n\r\n\r\n\r\n", false},
	{"GET /stream HTTP/1.1\nHost: gate\n\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nA: b\n\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nA: b\rC\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nA: b\x00\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nA: é\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nA: b\r\n c\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nA : b\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nContent-Length: 3\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nContent-Length: 0\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nTransfer-Encoding: chunked\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nExpect: 100-continue\r\n\r\n", false},
	{"GET /stream HTTP/1.1\r\nHost: gate\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", false},
	{"GET /streams HTTP/1.1\r\nHost: gate\r\n\r\n", false},
	{"GET /stream/ HTTP/1.1\r\nHost: gate\r\n\r\n", false},
	{"GET /stream", false},
	{"GET /strea", false},
	{"", false},
	{"POST /stream HTTP/1.1\r\nHost: gate\r\n\r\n", false},
	{"HEAD /stream HTTP/1.1\r\nHost: gate\r\n\r\n", false},
	{"GET http://gate/stream HTTP/1.1\r\nHost: gate\r\n\r\n", false},
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", false},
	{"GET /stream?x=" + strings.Repeat("x", maxHead) + " HTTP/1.1\r\nHost: gate\r\n\r\n", false},
}

func TestPlainRequests(t *testing.T) {
	peer := netip.MustParseAddrPort("192.0.2.7:1234")
	for _, h := range heads {
		r := read(h.head, peer)
		if (r != nil) != h.taken {
			t.Errorf("%q: taken %v", clip(h.head), r != nil)
		}
		if r != nil && (!strings.Contains(h.head, r.Host) || r.RemoteAddr != "192.0.2.7:1234" || r.URL.Path != "/stream") {
			t.Errorf("%q: %+v", h.head, r)
		}
	}
}

func read(head string, peer netip.AddrPort) *http.Request {
	t := takers.Get().(*taker)
	defer takers.Put(t)
	return t.request(copy(t.head[:], head), peer)
}

// What is taken is read as net/http reads it.
func FuzzPlainRequests(f *testing.F) {
	for _, h := range heads {
		f.Add(h.head)
	}
	f.Fuzz(func(t *testing.T, head string) {
		got := read(head, netip.AddrPort{})
		if got == nil {
			return
		}
		want, body := served(t, head)
		if want == nil {
			t.Fatalf("%q was taken; net/http refuses it", head)
		}
		if got.URL.String() != want.URL.String() || got.Host != want.Host || fmt.Sprint(got.Header) != fmt.Sprint(want.Header) {
			t.Fatalf("%q: %+v, want %+v", head, got, want)
		}
		if body != "" || want.Method != http.MethodGet {
			t.Fatalf("%q was taken: %s with %q", head, want.Method, body)
		}
	})
}

// served is what a server of net/http makes of these bytes; nil: a refusal.
func served(t *testing.T, head string) (r *http.Request, body string) {
	p := newPipes()
	read := http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, asked *http.Request) {
		all, err := io.ReadAll(asked.Body)
		if err != nil {
			t.Error(err)
		}
		r, body = asked, string(all)
	})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = read.Serve(p) })
	c, err := p.dial()
	if err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.WriteString(c, head) }() // a refusal may come before it is read
	if _, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil {
		t.Error(err)
	}
	c.Close()
	read.Close()
	serving.Wait()
	return r, body
}

// A request that comes in pieces, or late, or a second one on a kept connection,
// is answered all the same.
func TestSlowRequests(t *testing.T) {
	g := newTCPGate(t)
	c, err := g.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	lines := bufio.NewReader(c)
	fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: gate\r\n\r\n")
	if resp, err := http.ReadResponse(lines, nil); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	} else if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	for _, piece := range []string{"GET /str", "eam HTTP/1.1\r\nHo", "st: gate\r\n", "\r\n"} {
		fmt.Fprint(c, piece)
		time.Sleep(5 * time.Millisecond)
	}
	resp, err := http.ReadResponse(lines, nil)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp, err)
	}
	newReader(t, resp.Body).next()
}

// Clients that are not admitted get the answer that net/http would give.
func TestTakenOrRefused(t *testing.T) {
	g := newTCPGate(t, func(o *Options) { o.MaxClients = 1 })
	first := g.stream("/stream")
	if resp := g.do("GET", "/stream", ""); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Error(resp.Status, resp.Header)
	}
	if resp := g.do("GET", "/stream", "", "Accept: text/event-stream"); resp.StatusCode != http.StatusOK {
		t.Error(resp.Status)
	} else if all, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(all), `"reason":"overloaded"`) {
		t.Errorf("%s, %v", all, err)
	}
	if resp := g.do("GET", "/stream?trakc=x", ""); resp.StatusCode != http.StatusBadRequest {
		t.Error(resp.Status)
	}
	if resp := g.do("GET", "/stream", "", "Last-Event-ID: "+fanout.Cursor{Epoch: 1 << 30, Seq: 1}.End()); resp.StatusCode != http.StatusNoContent {
		t.Error(resp.Status)
	}
	g.post(1, "ann", "one")
	first.ids(1)
}

// A bug in what begins a stream costs one client its connection.
func TestPanicBeforeAStream(t *testing.T) {
	var broken atomic.Bool
	g := newTCPGate(t, func(o *Options) {
		o.Upstream = func() fanout.Upstream {
			if broken.Load() {
				panic("a bug")
			}
			return fanout.Upstream{State: "streaming"}
		}
	})
	broken.Store(true)
	if resp := g.do("GET", "/stream", ""); resp.StatusCode != http.StatusInternalServerError {
		t.Error(resp.Status)
	}
	broken.Store(false)
	g.post(1, "ann", "one")
	g.stream("/stream?since=1h").ids(1)
	eventually(t, "gone", func() bool { return g.server.clients.Len() == 1 })
}

// A front may be closed before, or while, it is asked for the first time.
func TestFrontClosesEarly(t *testing.T) {
	g := newGate(t)
	for i := range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f := g.server.Front(l)
		asked := make(chan error)
		ask := func() {
			_, err := f.Accept()
			asked <- err
		}
		if i%2 == 0 {
			go ask()
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if i%2 != 0 {
			go ask()
		}
		if err := <-asked; err == nil {
			t.Error("a connection")
		}
	}
}

// Closing the listener ends it, whoever waits.
func TestFrontCloses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(t)
	f := g.server.Front(l)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	accepted := make(chan error)
	go func() {
		for {
			c, err := f.Accept()
			if err != nil {
				accepted <- err
				return
			}
			_, _ = bufio.NewReader(c).ReadString('\n') // closed unread it would be a reset
			c.Close()
		}
	}()
	fmt.Fprint(c, "GET / HTTP/1.1\n")
	if _, err := io.ReadAll(c); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if err := <-accepted; err == nil {
		t.Error("no error")
	}
	if err := f.Close(); err == nil {
		t.Error("closed twice without an error")
	}
	if c, err := net.Dial("tcp", l.Addr().String()); err == nil {
		c.Close()
		t.Error("the port is still open")
	}
}
