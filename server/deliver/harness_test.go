package deliver

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// socket is a ResponseWriter that notes what happens to it.
type socket struct {
	header  http.Header
	writes  []int // sizes
	armed   int   // deadlines set
	cleared int
	flushed int
	last    time.Time // the deadline
	data    bytes.Buffer
	fail    error
	late    int // writes with less than the timeout left
	timeout time.Duration
}

func (s *socket) Header() http.Header { return s.header }
func (s *socket) WriteHeader(int)     {}
func (s *socket) FlushError() error   { s.flushed++; return s.fail }
func (s *socket) Flush()              {}

func (s *socket) Write(p []byte) (int, error) {
	s.writes = append(s.writes, len(p))
	if time.Until(s.last) < s.timeout {
		s.late++
	}
	s.data.Write(p)
	return len(p), s.fail
}

func (s *socket) SetWriteDeadline(t time.Time) error {
	if s.last = t; t.IsZero() {
		s.cleared++
	} else {
		s.armed++
	}
	return nil
}

// world is clients on a hub, one of them streaming into a socket.
type world struct {
	t       *testing.T
	ended   chan Reason
	hub     *fanout.Hub
	clients *Clients
	id      int
}

func newWorld(t *testing.T, change func(*Config)) *world {
	hub := fanout.NewHub(fanout.Config{Epoch: 1 << 30, Events: 1000})
	cfg := Config{Hub: hub, Shards: 2, Heartbeat: 15 * time.Second, WriteTimeout: 10 * time.Second, Retry: 3 * time.Second, Drain: 10 * time.Second}
	if change != nil {
		change(&cfg)
	}
	w := &world{t: t, hub: hub, ended: make(chan Reason, 100)}
	cfg.Ended = func(_ *Client, r Reason) { w.ended <- r }
	w.clients = New(cfg)
	t.Cleanup(func() { w.clients.Close(); hub.Close() })
	return w
}

func (w *world) post(size int) {
	w.id++
	e := fanout.NewEvent(&fanout.Dialect{Name: "twitter"}, fmt.Appendf(nil, `{"id_str":"%d","text":"%s"}`, w.id, strings.Repeat("x", size)))
	var b filter.Builder
	b.Reset(filter.Key{Source: "twitter", ID: fmt.Sprint(w.id)})
	b.Text("x")
	e.Post = b.Post()
	if !w.hub.Publish(e) {
		w.t.Fatal("refused")
	}
}

// serve streams to out until ctx ends.
func (w *world) serve(ctx context.Context, out http.ResponseWriter, change func(*Stream)) (Reason, error) {
	c, err := w.clients.Admit("")
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := filter.Parse(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	s := &Stream{Filter: f, Form: Form{Events: AllEvents}, Opening: []byte("opening\n\n")}
	s.Sub, s.Resume = w.hub.Subscribe(fanout.SubscribeOptions{Filter: f, Bell: c.Bell(), Start: fanout.Start{Mode: fanout.StartTime, Time: time.Unix(1, 0)}})
	s.Resume.Gap = fanout.Gap{}
	if change != nil {
		change(s)
	}
	r, err := http.NewRequestWithContext(ctx, "GET", "/stream", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := c.Serve(out, r, s); err != nil {
		return Failed, err
	}
	return <-w.ended, nil
}

// nowhere is a connection that is never used.
type nowhere struct{ net.Conn }
