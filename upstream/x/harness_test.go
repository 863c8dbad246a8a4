package x_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/twitter/sim"
	"aviary/upstream/x"
)

// world is a simulator behind a real http.Server on in-memory connections, in
// virtual time, and what a client of it needs.
type world struct {
	*sim.Server
	t     *testing.T
	conns chan net.Conn
	done  chan struct{}
	log   *record
	token string
}

// record is a log and a list of what was published. Safe for concurrent use.
type record struct {
	mu     sync.Mutex
	text   bytes.Buffer
	events []*fanout.Event
	at     []time.Time
	hub    *fanout.Hub
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *record) publish(e *fanout.Event) bool {
	if !r.hub.Publish(e) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	r.at = append(r.at, time.Now())
	return true
}

// ids lists the published posts.
func (r *record) ids() (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == fanout.KindPost {
			list = append(list, e.Post.Key.ID)
		}
	}
	return list
}

func (r *record) count(k fanout.Kind) (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, e := range r.events {
		if e.Kind == k {
			n++
		}
	}
	return n
}

func (w *world) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}

type listener struct{ *world }

func (l listener) Close() error   { return nil }
func (l listener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (w *world) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case w.conns <- server:
		return client, nil
	case <-w.done:
		return nil, errors.New("refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// inTime runs a test in virtual time against a simulator that is closed behind it.
func inTime(t *testing.T, cfg sim.Config, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, cfg)
		server := &http.Server{Handler: w.Server}
		go func() { _ = server.Serve(listener{w}) }()
		defer func() {
			_ = w.Close()
			close(w.done)
			_ = server.Close()
		}()
		test(t, w)
		if strings.Contains(w.log.said(), w.token) {
			t.Errorf("the token is told:\n%s", w.log.said())
		}
	})
}

func newWorld(t *testing.T, cfg sim.Config) *world {
	w := &world{Server: sim.New(cfg), t: t, conns: make(chan net.Conn), done: make(chan struct{})}
	w.log = &record{hub: fanout.NewHub(fanout.Config{})}
	w.token = w.BearerToken()
	return w
}

// config is the config of a client of the simulator.
func (w *world) config() x.Config {
	return x.Config{
		APIURL: "http://api.sim.example", Bearer: func() (string, error) { return w.token, nil }, Dial: w.dial,
		UserAgent: "aviary/test", Log: slog.New(slog.NewTextHandler(w.log, nil)),
		Predicates: x.Predicates{Track: "football,go"},
	}
}

func (w *world) source(change ...func(*x.Config)) *x.Source {
	w.t.Helper()
	c := w.config()
	for _, f := range change {
		f(&c)
	}
	s, err := x.New(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// run is a runner of a source, until stop.
type run struct {
	*upstream.Runner
	cancel context.CancelFunc
	done   chan error
}

func (w *world) run(s *x.Source) *run {
	r := &run{done: make(chan error, 1)}
	r.Runner = &upstream.Runner{
		Source: s, Publish: w.log.publish, Name: "x", StallTimeout: 35 * time.Second, StreamLimit: 1,
		Log: slog.New(slog.NewTextHandler(w.log, nil)), Jitter: func() float64 { return 0 },
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	r.cancel = cancel
	go func() { r.done <- r.Run(ctx); close(r.done) }()
	synctest.Wait()
	w.t.Cleanup(r.stop) // of a test that failed
	return r
}

// stop ends the run, as a kill would: nobody says goodbye to the upstream.
func (r *run) stop() {
	r.cancel()
	<-r.done
}

// wait lets virtual time pass.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// streaming fails the test unless the stream runs.
func (r *run) streaming(t *testing.T) {
	t.Helper()
	if s := r.Status(); s.State != upstream.StateStreaming || s.Error != "" {
		t.Fatalf("state %+v", s)
	}
}
