package twitter

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/gzip"

	"aviary/fanout"
	"aviary/upstream"
)

// hostile is an upstream over in-memory pipes that answers the n-th request
// with the n-th handler, the last one for ever. It lives in a synctest bubble.
type hostile struct {
	answers []http.HandlerFunc
	server  *http.Server
	conns   chan net.Conn

	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	at       []time.Time
	serving  int // requests right now
	open     int // connections that our side has not closed
	most     int // of them at once
	refuse   bool
}

var errRefused = errors.New("connection refused")

func newHostile(t *testing.T, answers ...http.HandlerFunc) *hostile {
	h := &hostile{answers: answers, conns: make(chan net.Conn)}
	h.server = &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	done := make(chan struct{})
	go func() { defer close(done); _ = h.server.Serve(h) }()
	t.Cleanup(func() { _ = h.server.Close(); <-done })
	return h
}

// Accept, Close and Addr make it a net.Listener.
func (h *hostile) Accept() (net.Conn, error) {
	c, ok := <-h.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (h *hostile) Close() error   { close(h.conns); return nil }
func (h *hostile) Addr() net.Addr { return &net.TCPAddr{} }

func (h *hostile) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	h.mu.Lock()
	refuse := h.refuse
	if refuse {
		h.at = append(h.at, time.Now())
	}
	h.mu.Unlock()
	if refuse {
		return nil, errRefused
	}
	ours, theirs := net.Pipe()
	h.conns <- theirs
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open++
	h.most = max(h.most, h.open)
	return &counted{Conn: ours, h: h}, nil
}

// counted is our side of a connection.
type counted struct {
	net.Conn
	h    *hostile
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.h.mu.Lock(); c.h.open--; c.h.mu.Unlock() })
	return c.Conn.Close()
}

func (h *hostile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h.mu.Lock()
	n := min(len(h.requests), len(h.answers)-1)
	h.requests, h.bodies, h.at = append(h.requests, r), append(h.bodies, string(body)), append(h.at, time.Now())
	h.serving++
	h.mu.Unlock()
	defer func() { h.mu.Lock(); h.serving--; h.mu.Unlock() }()
	h.answers[n](w, r)
}

func (h *hostile) connects() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.at)
}

func (h *hostile) gaps() (d []time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := 1; i < len(h.at); i++ {
		d = append(d, h.at[i].Sub(h.at[i-1]))
	}
	return d
}

var testSecrets = Credentials{ConsumerKey: "consumer-key", ConsumerSecret: "consumer/secret", AccessToken: "access-token", AccessSecret: "access+secret"}

func (h *hostile) source(t *testing.T) *Source {
	t.Helper()
	s, err := New(Config{
		StreamURL: "http://stream.example", Dial: h.dial, UserAgent: "aviary/test",
		Credentials: func() (Credentials, error) { return testSecrets, nil },
		Track:       "touché,a b",
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// record is what a Runner publishes, with the times.
type record struct {
	mu     sync.Mutex
	events []*fanout.Event
	at     []time.Time
}

func (r *record) publish(e *fanout.Event) bool {
	if e.Kind == fanout.KindUpstream {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events, r.at = append(r.events, e), append(r.at, time.Now())
	return true
}

// posts are the ids of the posts; gaps are written "gap:reason", others "kind".
func (r *record) list() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, e := range r.events {
		switch {
		case e.Kind == fanout.KindPost:
			all = append(all, e.Post.Key.ID)
		case e.Kind == fanout.KindGap:
			all = append(all, "gap:"+e.Loss.Reason)
		default:
			all = append(all, e.Kind.String())
		}
	}
	return strings.Join(all, " ")
}

// against runs a Runner against h for d of virtual time, then check, then stops it.
func (h *hostile) against(t *testing.T, d time.Duration, check func(*upstream.Runner, *record)) {
	t.Helper()
	rec := new(record)
	r := &upstream.Runner{
		Source: h.source(t), Publish: rec.publish, Name: "twitter",
		Log: slog.New(slog.DiscardHandler), Jitter: func() float64 { return 0 },
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	time.Sleep(d)
	synctest.Wait()
	check(r, rec)
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
	h.mu.Lock()
	if h.open != 0 {
		t.Errorf("Run returned with %d connections open", h.open)
	}
	h.mu.Unlock()
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.serving != 0 {
		t.Errorf("%d requests are still served", h.serving)
	}
}

// bubble runs a test in virtual time.
func bubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

func tweet(id int) string {
	return fmt.Sprintf(`{"id":%d,"id_str":"%d","text":"é 港 %d","user":{"id":7}}`, id, id, id)
}

// answer writes parts, each flushed, and ends in order.
func answer(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) { send(w, parts...) }
}

func send(w http.ResponseWriter, parts ...string) {
	w.WriteHeader(http.StatusOK)
	for _, p := range parts {
		_, _ = io.WriteString(w, p)
		_ = http.NewResponseController(w).Flush()
	}
}

// stay answers like answer, then stays open with keep-alives.
func stay(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		send(w, append([]string{"\r\n"}, parts...)...)
		for {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(20 * time.Second):
				send(w, "\r\n")
			}
		}
	}
}

// cut answers like answer and then breaks the connection.
func cut(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		send(w, parts...)
		panic(http.ErrAbortHandler)
	}
}

func says(code int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// gzipped writes parts through gzip, flushing after each, in chunks of size
// bytes, and closes the gzip stream if whole.
func gzipped(size int, whole bool, pause time.Duration, parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(&chopper{w: w, size: size})
		for _, p := range parts {
			_, _ = io.WriteString(z, p)
			_ = z.Flush()
			time.Sleep(pause)
		}
		if whole {
			_ = z.Close()
		}
	}
}

// chopper writes in small flushed chunks.
type chopper struct {
	w    http.ResponseWriter
	size int
}

func (c *chopper) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		k := min(c.size, len(p))
		if _, err := c.w.Write(p[:k]); err != nil {
			return n, err
		}
		_ = http.NewResponseController(c.w).Flush()
		p, n = p[k:], n+k
	}
	return n, nil
}
