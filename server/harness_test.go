package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// gate is a server on a listener, and a client for it.
type gate struct {
	t      testing.TB
	hub    *fanout.Hub
	server *Server
	http   *http.Server
	client *http.Client
	dial   func() (net.Conn, error)
	url    string
	settle func() // waits until everything published has been written
}

// pipes is a listener whose connections are in memory: inside synctest they stand
// still together with the clock.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p *pipes) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

func (p *pipes) dial() (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

var dialect = &fanout.Dialect{Name: "twitter"}

// newGate serves on pipes; newTCPGate on loopback, where the front takes streams.
func newGate(t testing.TB, change ...func(*Options)) *gate {
	p := newPipes()
	return serveGate(t, p, p.dial, change)
}

func newTCPGate(t testing.TB, change ...func(*Options)) *gate {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := serveGate(t, l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }, change)
	g.url = "http://" + l.Addr().String()
	return g
}

func serveGate(t testing.TB, l net.Listener, dial func() (net.Conn, error), change []func(*Options)) *gate {
	t.Helper()
	o := Options{
		Source: "sim", Version: "v1", Commit: "abc", CORSOrigins: []string{"*"},
		Upstream: func() fanout.Upstream {
			return fanout.Upstream{State: "streaming", Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
		},
		Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&o)
	}
	if o.Hub == nil {
		o.Hub = fanout.NewHub(fanout.Config{Epoch: 1 << 30, Events: 1000})
		t.Cleanup(o.Hub.Close)
	}
	g := &gate{t: t, hub: o.Hub, server: New(o), url: "http://gate", dial: dial}
	g.http = g.server.NewHTTP(g.server.Public())
	g.client = &http.Client{Transport: &http.Transport{
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return dial() },
		DisableCompression: true,
	}}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := g.http.Serve(g.server.Front(l)); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
	})
	t.Cleanup(func() {
		g.server.Close()
		g.client.CloseIdleConnections()
		if err := g.http.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		serving.Wait()
		if _, virtual := l.(*pipes); virtual {
			time.Sleep(time.Second) // net/http lingers half a second over a body it did not read
		}
	})
	return g
}

// do sends a request; headers are "Name: value".
func (g *gate) do(method, path, body string, headers ...string) *http.Response {
	g.t.Helper()
	r, err := http.NewRequest(method, g.url+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	resp, err := g.client.Do(r)
	if err != nil {
		g.t.Fatalf("%s %s: %v", method, path, err)
	}
	g.t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// stream opens a stream and reads its opening up to hello, which must come.
func (g *gate) stream(path string, headers ...string) *reader {
	g.t.Helper()
	s := g.open(path, headers...)
	if f := s.next(); f.event != "hello" {
		g.t.Fatalf("GET %s begins with %+v, want hello", path, f)
	}
	return s
}

// open opens a stream and reads nothing.
func (g *gate) open(path string, headers ...string) *reader {
	g.t.Helper()
	resp := g.do("GET", path, "", headers...)
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(resp.Body)
		g.t.Fatalf("GET %s: %d %s", path, resp.StatusCode, b)
	}
	return newReader(g.t, soak(resp.Body))
}

// mute asks for a stream and reads nothing by itself.
func (g *gate) mute(path string) net.Conn {
	g.t.Helper()
	c, err := g.dial()
	if err != nil {
		g.t.Fatal(err)
	}
	g.t.Cleanup(func() { c.Close() })
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: gate\r\n\r\n", path)
	return c
}

// post publishes a post.
func (g *gate) post(id int, author, text string) {
	g.t.Helper()
	if !g.hub.Publish(postEvent(id, author, text)) {
		g.t.Fatalf("post %d was refused", id)
	}
}

func postEvent(id int, author, text string) *fanout.Event {
	words, _ := json.Marshal(text)
	raw := fmt.Sprintf(`{"id":%d,"id_str":"%d","text":%s,"user":{"id_str":"%s"}}`, id, id, words, author)
	e := fanout.NewEvent(dialect, []byte(raw))
	var b filter.Builder
	b.Reset(filter.Key{Source: dialect.Name, ID: fmt.Sprint(id)})
	b.Author(author)
	b.Concerns(author)
	b.Text(text)
	e.Post = b.Post()
	return e
}

// delete publishes a delete as an upstream would.
func (g *gate) delete(id int) {
	g.t.Helper()
	e, err := deleteEvent(filter.Key{Source: dialect.Name, ID: fmt.Sprint(id)}, "1")
	if err != nil || !g.hub.Publish(e) {
		g.t.Fatalf("delete of %d: %v", id, err)
	}
}

// notice publishes another event of the upstream.
func (g *gate) notice(kind fanout.Kind, raw string) {
	g.t.Helper()
	e := fanout.NewEvent(dialect, []byte(raw))
	e.Kind = kind
	g.hub.Publish(e)
}

// lockedLog is a log that is read while it is written.
type lockedLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
