package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// lockedBuffer is a writer for several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// network is a loopback in memory, for programs in virtual time. Connections
// are net.Pipes: they have deadlines and no buffer.
type network struct {
	mu        sync.Mutex
	listeners map[string]*memListener
	ports     int
}

func newNetwork() *network { return &network{listeners: map[string]*memListener{}, ports: 40000} }

func (n *network) listen(_, address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if port == "0" {
		n.ports++
		port = strconv.Itoa(n.ports)
	}
	address = net.JoinHostPort(host, port)
	if n.listeners[address] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: syscall.EADDRINUSE}
	}
	number, _ := strconv.Atoi(port)
	l := &memListener{network: n, key: address, addr: &net.TCPAddr{IP: net.ParseIP(host), Port: number}, queue: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[address] = l
	return l, nil
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.ports++
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: n.ports}
	n.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	here, there := net.Pipe()
	select {
	case l.queue <- &memConn{there, l.addr, from}:
		return &memConn{here, from, l.addr}, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type memListener struct {
	network *network
	key     string
	addr    net.Addr
	queue   chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (l *memListener) Addr() net.Addr { return l.addr }

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.network.mu.Lock()
		delete(l.network.listeners, l.key)
		l.network.mu.Unlock()
	})
	return nil
}

// memConn is a pipe whose ends have addresses.
type memConn struct {
	net.Conn
	local, remote net.Addr
}

func (c *memConn) LocalAddr() net.Addr  { return c.local }
func (c *memConn) RemoteAddr() net.Addr { return c.remote }

// running is a gateway that runs inside a test.
type running struct {
	t       *testing.T
	url     string // of the public listener
	admin   string // of the admin listener
	client  *http.Client
	log     *lockedBuffer
	signals chan os.Signal
	exit    chan int
	cancel  context.CancelFunc

	listeners []net.Listener // public, admin, and the simulator's if it has one
}

// start runs a gateway with the settings on loopback ports of its own: real
// ones, or those of a network in memory.
func start(t *testing.T, n *network, environ ...string) *running {
	t.Helper()
	g := &running{t: t, log: &lockedBuffer{}, signals: make(chan os.Signal, 2), exit: make(chan int, 1)}
	listen, dial := listen, new(net.Dialer).DialContext
	if n != nil {
		listen, dial = n.listen, n.dial
	}
	opened := make(chan net.Listener, 8)
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	p := &program{
		environ: append([]string{"AVIARY_LISTEN=127.0.0.1:0", "AVIARY_ADMIN_LISTEN=127.0.0.1:0"}, environ...),
		listen: func(network, address string) (net.Listener, error) {
			l, err := listen(network, address)
			if err == nil {
				opened <- l
			}
			return l, err
		},
		dial: dial, out: io.Discard, err: g.log, signals: g.signals,
	}
	go func() { g.exit <- run(ctx, p) }()
	for _, at := range []*string{&g.url, &g.admin} {
		select {
		case l := <-opened:
			*at = "http://" + l.Addr().String()
			g.listeners = append(g.listeners, l)
		case code := <-g.exit:
			t.Fatalf("the gateway exits with %d:\n%s", code, g.log)
		}
	}
	transport := &http.Transport{DialContext: dial, DisableCompression: true}
	g.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		g.stop()
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", g.log)
		}
	})
	return g
}

// stop asks the gateway to stop and returns its exit code. Asking again gives the same.
func (g *running) stop() int {
	g.cancel()
	code := <-g.exit
	g.exit <- code
	return code
}

// exits waits until the gateway has ended by itself and returns its exit code.
func (g *running) exits() int {
	g.t.Helper()
	select {
	case code := <-g.exit:
		g.exit <- code
		return code
	case <-time.After(patient):
		g.t.Fatal("the gateway does not exit")
		return -1
	}
}

// get fetches a path of the public listener.
func (g *running) get(path string) (int, string) { return fetch(g.t, g.client, g.url+path) }

func fetch(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// sseEvent is one event as a client of the standard sees it.
type sseEvent struct {
	name, id, data string
	came           time.Time // when a listener had read it
}

// text of the post in the event.
func (e sseEvent) text() string {
	var post struct{ Text string }
	_ = json.Unmarshal([]byte(e.data), &post)
	return post.Text
}

// subject is the id of the post that the event is, or deletes.
func (e sseEvent) subject() string {
	var said struct {
		ID     string `json:"id_str"`
		Delete struct {
			Status struct {
				ID string `json:"id_str"`
			}
		}
	}
	_ = json.Unmarshal([]byte(e.data), &said)
	return said.ID + said.Delete.Status.ID
}

// stream is an open /stream.
type stream struct {
	t      *testing.T
	body   io.ReadCloser
	lines  *bufio.Reader
	lastID string
	retry  int

	idBuffer string // counts from the blank line on: what was cut off before was not dispatched
}

// open opens a stream; lastID resumes it.
func (g *running) open(query, lastID string) *stream {
	g.t.Helper()
	request, err := http.NewRequest(http.MethodGet, g.url+"/stream?"+query, nil)
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	response, err := g.client.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK || !strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		body, _ := io.ReadAll(response.Body)
		g.t.Fatalf("/stream?%s answers %s: %s", query, response.Status, body)
	}
	s := &stream{t: g.t, body: response.Body, lines: bufio.NewReader(response.Body), lastID: lastID, idBuffer: lastID}
	g.t.Cleanup(s.close)
	return s
}

func (s *stream) close() { _ = s.body.Close() }

// next reads one dispatched event (HTML Standard 9.2.6): blocks without data
// only move the last event id and the retry time.
func (s *stream) next() (sseEvent, error) {
	e, hasData := sseEvent{}, false
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return sseEvent{}, err // what is not ended by a blank line does not count
		}
		line = strings.TrimSuffix(line, "\n")
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && hasData:
			s.lastID = s.idBuffer
			e.id = s.lastID
			return e, nil
		case line == "":
			s.lastID = s.idBuffer
			e = sseEvent{}
		case field == "event":
			e.name = value
		case field == "id":
			s.idBuffer = value
		case field == "retry":
			s.retry, _ = strconv.Atoi(value)
		case field == "data" && hasData:
			s.t.Errorf("an event of two data lines: %q", value)
		case field == "data":
			e.data, hasData = value, true
		case field != "":
			s.t.Errorf("a line that is none of the standard's: %q", line)
		}
	}
}

// posts reads n posts and returns their texts; other events are passed over.
func (s *stream) posts(n int) (texts []string) {
	s.t.Helper()
	for len(texts) < n {
		e, err := s.next()
		if err != nil {
			s.t.Fatalf("the stream ends after %d of %d posts: %v", len(texts), n, err)
		}
		if e.name == "" {
			texts = append(texts, e.text())
		}
	}
	return texts
}

// until reads to the next event of that name.
func (s *stream) until(name string) sseEvent {
	s.t.Helper()
	for {
		e, err := s.next()
		if err != nil {
			s.t.Fatalf("the stream ends without %s: %v", name, err)
		}
		if e.name == name {
			return e
		}
	}
}

// ends reports an error unless nothing but the end follows.
func (s *stream) ends() {
	s.t.Helper()
	if e, err := s.next(); !errors.Is(err, io.EOF) {
		s.t.Errorf("instead of the end: %+v, %v", e, err)
	}
}

// patient is how long tests wait for what is sure to come. No promise has a part in
// it: it is for a machine that has much else to do.
const patient = time.Minute

// eventually waits for what goroutines of the gateway bring about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patient); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for " + what)
		}
	}
}

// numbered makes n texts.
func numbered(lead string, from, n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("%s %d", lead, from+i)
	}
	return texts
}
