package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"aviary/upstream/lease"
)

// proxy passes TCP connections on until it is told to cut them.
type proxy struct {
	listener net.Listener

	mu    sync.Mutex
	to    string
	conns map[net.Conn]bool
	down  bool
}

func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: host(t, to), conns: map[net.Conn]bool{}}
	go p.serve()
	t.Cleanup(func() { _ = l.Close(); p.cut(true) })
	return p
}

// host is where the server of a URL listens.
func host(t testing.TB, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

// lead leads to another server from now on.
func (p *proxy) lead(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
}

func (p *proxy) url() string { return "nats://" + p.listener.Addr().String() }

func (p *proxy) serve() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		to := p.to
		p.mu.Unlock()
		out, err := net.Dial("tcp", to)
		if err != nil {
			_ = in.Close()
			continue
		}
		p.mu.Lock()
		if p.down {
			_, _ = in.Close(), out.Close()
		} else {
			p.conns[in], p.conns[out] = true, true
		}
		p.mu.Unlock()
		go func() { _, _ = io.Copy(in, out); _, _ = in.Close(), out.Close() }()
		go func() { _, _ = io.Copy(out, in); _, _ = in.Close(), out.Close() }()
	}
}

// cut ends every connection; down: new ones too.
func (p *proxy) cut(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// Connections of publisher and reader are cut again and again: everything comes
// once and in order.
func TestCutConnections(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	leader, reader := newProxy(t, s.ClientURL()), newProxy(t, s.ClientURL())
	b := openBus(t, Config{URL: leader.url(), Node: "leader"})
	n := follow(t, openBus(t, Config{URL: reader.url(), Node: "reader"}))
	n.filled(t)
	p := b.Publisher(1, always)
	defer p.Close()
	mark(t, p, 1)
	const many = 3000
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 30 {
			time.Sleep(25 * time.Millisecond)
			if i%2 == 0 {
				leader.cut(false)
			} else {
				reader.cut(false)
			}
		}
	}()
	for i := range many {
		if err := p.Publish(testPost(t, i+1)); err != nil {
			t.Fatal(err)
		}
		if i%100 == 0 {
			time.Sleep(25 * time.Millisecond)
		}
	}
	<-done
	ctx, cancel := context.WithTimeout(t.Context(), soon)
	defer cancel()
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	n.expect(t, numbers(1, many))
	t.Logf("%d messages were sent again", b.Status().Resent)
}

// A bus that is away: the state says so, the buffer is bounded, a lease that runs
// out drops it.
func TestBusAway(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	way := newProxy(t, s.ClientURL())
	b := openBus(t, Config{URL: way.url()})
	n := follow(t, b)
	n.filled(t)
	var lost sync.Mutex
	leased := true
	p := b.Publisher(1, func() bool { lost.Lock(); defer lost.Unlock(); return leased })
	defer p.Close()
	mark(t, p, 1)
	way.cut(true)
	eventually(t, func() error {
		if s := b.Status(); s.Connected || s.Error == "" || s.Hint == "" {
			return fmt.Errorf("the state is %+v", s)
		}
		return nil
	})
	full := 0
	for e := testPost(t, 1); ; full++ {
		if err := p.Publish(e); errors.Is(err, ErrFull) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if full != maxWaiting {
		t.Errorf("%d messages wait", full)
	}
	if _, _, err := b.States().Get(t.Context(), "x"); err == nil || errors.Is(err, lease.ErrNone) {
		t.Errorf("a store that is away answers %v", err)
	}
	lost.Lock()
	leased = false
	lost.Unlock()
	select {
	case <-p.Failed():
	case <-time.After(soon):
		t.Fatal("the publisher goes on without a lease")
	}
	if err := p.Publish(testPost(t, 2)); !errors.Is(err, ErrLease) || b.Status().Unacked != 0 {
		t.Errorf("without a lease: %v, %d wait", err, b.Status().Unacked)
	}
	way.cut(false)
	publish(t, b, 2, testPost(t, 3))
	n.expect(t, "3")
	eventually(t, func() error {
		if s := b.Status(); !s.Connected || s.Error != "" {
			return fmt.Errorf("afterwards the state is %+v", s)
		}
		return nil
	})
}

// A reader that was away for longer than the history lasts is told.
func TestReaderLeftBehind(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	way := newProxy(t, s.ClientURL())
	b := openBus(t, Config{URL: s.ClientURL(), Events: 10})
	n := follow(t, openBus(t, Config{URL: way.url(), Events: 10}))
	n.filled(t)
	publish(t, b, 1, posts(t, 1, 5)...)
	n.expect(t, numbers(1, 5))
	way.cut(true)
	publish(t, b, 2, posts(t, 6, 30)...)
	way.cut(false)
	n.expect(t, numbers(1, 5)+" gap "+numbers(21, 30))
}

// Servers that cannot hold the bus: each says what to do.
func TestUnfitServers(t *testing.T) {
	t.Parallel()
	plain, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	plain.Start()
	defer plain.Shutdown()
	if !plain.ReadyForConnections(soon) {
		t.Fatal("no server")
	}
	single := natsServer(t, t.TempDir())
	limited, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(),
		Users: []*server.User{{Username: "u", Password: "secretword", Permissions: &server.Permissions{Publish: &server.SubjectPermission{Allow: []string{"nothing"}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	limited.Start()
	defer limited.Shutdown()
	if !limited.ReadyForConnections(soon) {
		t.Fatal("no server")
	}
	for name, c := range map[string]struct {
		config Config
		hint   string
	}{
		"no JetStream":      {Config{URL: plain.ClientURL()}, "nats-server with -js"},
		"too many replicas": {Config{URL: single.ClientURL(), Replicas: 3}, "NATS_REPLICAS is 3"},
		"wrong password":    {Config{URL: "nats://u:otherword@" + limited.Addr().String()}, "refuses the credentials"},
		"no permission":     {Config{URL: "nats://u:secretword@" + limited.Addr().String()}, "lacks a permission"},
		"nobody there":      {Config{URL: "nats://127.0.0.1:1"}, "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Open(context.Background(), testConfig(c.config))
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			eventually(t, func() error {
				s := b.Status()
				if !contains(s.Hint, c.hint) || contains(s.Error+s.Hint, "word@") || contains(s.Error, "secretword") {
					return fmt.Errorf("the state is %q, %q", s.Error, s.Hint)
				}
				return nil
			})
			t.Log(b.Status().Error, "|", b.Status().Hint)
		})
	}
	for version, fits := range map[string]bool{"2.11.0": true, "2.9.25": false, "2.10.4": false, "3.0.0": true, "v2.15.2": true, "": false, "2.x": false} {
		if got := checkVersion(version) == nil; got != fits {
			t.Errorf("version %q: %v", version, got)
		}
	}
}
