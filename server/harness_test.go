package server

import (
	"bufio"
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

// sponge reads a body as fast as it comes, as a browser does: a pipe holds
// nothing, so that whoever does not read is a stalled client.
type sponge struct {
	body io.ReadCloser
	mu   sync.Mutex
	more *sync.Cond
	buf  []byte
	err  error
}

func soak(body io.ReadCloser) *sponge {
	s := &sponge{body: body}
	s.more = sync.NewCond(&s.mu)
	go func() {
		b := make([]byte, 32<<10)
		for s.err == nil {
			n, err := body.Read(b)
			s.mu.Lock()
			s.buf, s.err = append(s.buf, b[:n]...), err
			s.mu.Unlock()
			s.more.Signal()
		}
	}()
	return s
}

func (s *sponge) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.buf) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		s.more.Wait()
	}
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	return n, nil
}

func (s *sponge) Close() error { return s.body.Close() }

// reader reads SSE as the HTML Standard has it (9.2.6).
type reader struct {
	t     testing.TB
	body  io.ReadCloser
	lines *bufio.Reader
	retry string
	id    string // the last event id
	pings int    // comments
	ended bool
	err   error // that ended it
}

func newReader(t testing.TB, body io.ReadCloser) *reader {
	return &reader{t: t, body: body, lines: bufio.NewReaderSize(body, 64<<10)}
}

type frame struct{ event, id, data string }

// name is what the event is about: its id_str or text of a post, its name else.
func (f frame) String() string { return f.event + "|" + f.id + "|" + f.data }

// next is the next event that a browser would dispatch. The end of the stream is
// an event "EOF".
func (r *reader) next() frame {
	r.t.Helper()
	var event string
	var data []string
	id := r.id
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			if r.ended {
				r.t.Fatalf("read on after the end of the stream: %v", err)
			}
			r.ended, r.err = true, err
			return frame{event: "EOF", id: r.id}
		}
		line = strings.TrimSuffix(line, "\n")
		if strings.ContainsAny(line, "\r\x00\u0085\u2028\u2029") {
			r.t.Fatalf("a line end or NUL inside a line: %q", line)
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			r.id = id
			if len(data) == 0 {
				event = ""
				continue
			}
			return frame{event, id, strings.Join(data, "\n")}
		case name == "":
			r.pings++
		case name == "event":
			event = value
		case name == "data":
			data = append(data, value)
		case name == "id":
			id = value
		case name == "retry":
			r.retry = value
		default:
			r.t.Fatalf("a line that no field begins: %q", line)
		}
	}
}

// ids reads n posts and returns their id_strs; other events fail the test.
func (r *reader) ids(n int) []string {
	r.t.Helper()
	var out []string
	for range n {
		f := r.next()
		if f.event != "" {
			r.t.Fatalf("after posts %v: %v, want a post", out, f)
		}
		out = append(out, idOf(r.t, f.data))
	}
	return out
}

func idOf(t testing.TB, data string) string {
	t.Helper()
	var p struct {
		ID string `json:"id_str"`
	}
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return p.ID
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

func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
