package loadgen

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// book writes down what streams bring. It has no lock of its own: the race
// detector then tells whether the fleet's is enough.
type book struct {
	events map[int][]string
	ended  []error
}

func (b *book) Event(s *Stream, e *Event, at time.Time) {
	if time.Since(at) > time.Minute {
		panic("a time that is long past")
	}
	b.events[s.Index] = append(b.events[s.Index], string(e.ID)+"="+string(e.Data))
}

func (b *book) Ended(_ *Stream, err error) { b.ended = append(b.ended, err) }

// streams serves n events to everybody who asks for /, whole when release is closed.
func streams(t *testing.T, n int) (server *httptest.Server, release func()) {
	t.Helper()
	released := make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		out, flush := io.Writer(w), http.NewResponseController(w).Flush
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			out, flush = zip, func() error { return errors.Join(zip.Flush(), http.NewResponseController(w).Flush()) }
		}
		_ = flush()
		select {
		case <-released:
		case <-r.Context().Done():
			return
		}
		for i := range n {
			fmt.Fprintf(out, "id: %d\ndata: {\"n\":%q}\n\n", i, strings.Repeat("x", 40*i))
			_ = flush()
		}
		if r.URL.Path != "/end" {
			<-r.Context().Done()
		}
	})
	mux.HandleFunc("/refuse", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"title":"no","detail":"come back later"}`)
	})
	mux.HandleFunc("/plain", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not here", http.StatusNotFound) })
	server = httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server, sync.OnceFunc(func() { close(released) })
}

func config(server *httptest.Server, b *book, path, more string) Config {
	address := server.Listener.Addr().String()
	return Config{Address: address, Reader: b, Request: func(int) []byte {
		return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", path, address, more)
	}}
}

func eventually(t *testing.T, f *Fleet, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		ok := false
		f.Locked(func() { ok = done() })
		if ok {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what)
}

// unwatchable hides that a connection is a TCP socket.
type unwatchable struct{ net.Conn }

// Every way of reading brings every event of every stream, in order.
func TestFleetReads(t *testing.T) {
	const n, each = 60, 30
	for _, test := range []struct {
		name, more string
		change     func(*Config)
		opaque     bool
	}{
		{"epoll", "", func(*Config) {}, false},
		{"goroutines", "", func(c *Config) {
			c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				conn, err := new(net.Dialer).DialContext(ctx, network, address)
				return unwatchable{conn}, err
			}
		}, false},
		{"inflated", "Accept-Encoding: gzip\r\n", func(c *Config) { c.Decode = func(int) bool { return true } }, false},
		{"compressed", "Accept-Encoding: gzip\r\n", func(*Config) {}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, release := streams(t, each)
			defer release()
			b := &book{events: map[int][]string{}}
			cfg := config(server, b, "/", test.more)
			test.change(&cfg)
			f := New(cfg)
			defer f.Close()
			if err := f.Open(t.Context(), n); err != nil {
				t.Fatal(err)
			}
			if f.Alive() != n {
				t.Fatalf("%d streams are open", f.Alive())
			}
			release()
			if test.opaque {
				all := f.Streams()
				eventually(t, f, "compressed bytes", func() bool { return all[n-1].Bytes > 100 && all[0].Encoding == "gzip" })
				if f.Locked(func() {}); len(b.events) > 0 {
					t.Error("compressed bytes are read as events")
				}
				return
			}
			for i := range n {
				eventually(t, f, "all events", func() bool { return len(b.events[i]) == each })
			}
			f.Locked(func() {
				for i := range n {
					for k, event := range b.events[i] {
						if want := fmt.Sprintf("%d={\"n\":%q}", k, strings.Repeat("x", 40*k)); event != want {
							t.Fatalf("stream %d, event %d: %.60q", i, k, event)
						}
					}
				}
			})
		})
	}
}

// A refusal is told with its words, an end with its stream.
func TestFleetRefusedAndEnded(t *testing.T) {
	server, release := streams(t, 1)
	for path, words := range map[string]string{"/refuse": "429 Too Many Requests: come back later", "/plain": "404 Not Found"} {
		b := &book{events: map[int][]string{}}
		f := New(config(server, b, path, ""))
		err := f.Open(t.Context(), 3)
		var refused *Refusal
		if !errors.As(err, &refused) || !strings.Contains(err.Error(), "3 of 3 streams could not be opened: the server answers "+words) {
			t.Errorf("%s: %v", path, err)
		}
		f.Close()
	}
	release()
	b := &book{events: map[int][]string{}}
	f := New(config(server, b, "/end", ""))
	defer f.Close()
	if err := f.Open(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	eventually(t, f, "the ends", func() bool { return len(b.ended) == 2 && errors.Is(b.ended[0], errEnd) && len(b.events[1]) == 1 })

	gone := New(Config{Address: "127.0.0.1:1", Reader: b, Request: func(int) []byte { return nil }})
	defer gone.Close()
	if err := gone.Open(t.Context(), 5); err == nil || !strings.Contains(err.Error(), "5 of 5") {
		t.Errorf("nobody listens: %v", err)
	}
}

// Opening ends with its context, and Close ends what was opened.
func TestFleetClose(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	b := &book{}
	f := New(Config{Address: silent.Addr().String(), Reader: b, Request: func(int) []byte { return []byte("GET / HTTP/1.1\r\n\r\n") }})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := f.Open(ctx, 3); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "0 of 3") {
		t.Errorf("a server that says nothing: %v", err)
	}
	f.Close()
	f.Close()
	if f.Alive() != 0 || len(b.ended) != 0 {
		t.Errorf("%d streams alive, %d ends told", f.Alive(), len(b.ended))
	}
}
