package deliver

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// taken has a shard own a new stream, and returns its other end.
func (w *world) taken(text string) *os.File {
	w.t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := w.clients.Admit("")
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := filter.ParseString(text)
	if err != nil {
		w.t.Fatal(err)
	}
	s := &Stream{Filter: f, Form: Form{Events: AllEvents}, Opening: []byte("opening\n\n")}
	s.Sub, s.Resume = w.hub.Subscribe(fanout.SubscribeOptions{Filter: f, Bell: c.Bell()})
	r, err := http.NewRequestWithContext(w.t.Context(), "GET", "/stream", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	if !c.Take(ends[0], http.Header{}, r, s) {
		w.t.Fatal("no shard")
	}
	far := os.NewFile(uintptr(ends[1]), "client")
	w.t.Cleanup(func() { far.Close() })
	if err := far.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		w.t.Fatal(err)
	}
	return far
}

// settled waits until the shards are at rest.
func (w *world) settled() {
	for range 4 { // each is a turn of the loop
		w.clients.List()
	}
	for _, s := range w.clients.shards { // and the last one is over
		s.turning.Lock()
		s.turning.Unlock() //nolint:staticcheck // to have waited is all
	}
}

// wantPosts reads a stream until it has had the posts from..to, each once and in order.
func wantPosts(t *testing.T, in *bufio.Reader, from, to int) {
	t.Helper()
	for next := from; next <= to; {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatalf("before post %d: %v", next, err)
		}
		if !strings.Contains(line, `"id_str"`) {
			continue
		}
		if !strings.Contains(line, fmt.Sprintf(`"id_str":"%d"`, next)) {
			t.Fatalf("%.60s… instead of post %d", line, next)
		}
		next++
	}
}

// A post for one client is written when Publish returns, if the shard is at rest;
// if it is not, Publish returns all the same, and the loop writes it.
func TestPublisherServes(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Shards = 1 })
	far := w.taken("track=x")
	in := bufio.NewReader(far)
	n := 0
	for w.clients.lent.Load() == 0 { // it may be just then that the shard looks at its clients
		if n++; n > 20 {
			t.Fatal("the publisher has never served")
		}
		w.settled()
		w.post(10)
		wantPosts(t, in, n, n)
	}

	busy, free := make(chan struct{}), make(chan struct{})
	w.clients.shards[0].do(func() {
		close(busy)
		<-free
	})
	<-busy
	w.clients.lent.Store(0)
	w.post(10)
	if w.clients.lent.Load() != 0 {
		t.Error("served beside the loop")
	}
	close(free)
	wantPosts(t, in, n+1, n+1)

	w.settled()
	paid := int64(time.Hour) // as if publishers had served for very long
	w.clients.lent.Store(paid)
	w.post(10)
	if w.clients.lent.Load() != paid {
		t.Error("served although that was enough")
	}
	wantPosts(t, in, n+2, n+2)
}

// A socket that is full while the publisher writes, and a client that is gone, are
// the loop's, as ever.
func TestPublisherMeetsFullSockets(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Shards = 1 })
	far := w.taken("track=x")
	other := w.taken("track=x")
	w.settled()
	for range 60 {
		w.clients.lent.Store(0)
		w.post(30_000)
		time.Sleep(100 * time.Microsecond)
	}
	wantPosts(t, bufio.NewReader(far), 1, 60)
	other.Close()
	if r := <-w.ended; r != Gone {
		t.Errorf("the end is %v", r)
	}
	w.settled()
	far.Close()
	w.clients.lent.Store(0)
	w.post(10) // maybe before the poller has told
	if r := <-w.ended; r != Gone {
		t.Errorf("the end is %v", r)
	}
	if n := w.clients.Sockets(); n != 0 {
		t.Errorf("%d sockets are left", n)
	}
}
