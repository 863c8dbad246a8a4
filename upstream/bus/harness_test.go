package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream"
	"aviary/upstream/lease"
	"aviary/upstream/twitter"
)

// soon is a bound for what takes a moment on a machine that is not busy.
const soon = time.Minute

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

// natsServer starts a real server with JetStream on loopback. The caller may
// shut it down; the test does so at its end.
func natsServer(t testing.TB, dir string) *server.Server {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		ServerName: "test", Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(soon) {
		t.Fatal("the server did not start")
	}
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	return s
}

func testConfig(c Config) Config {
	if c.Log == nil {
		c.Log = quiet
	}
	if c.Node == "" {
		c.Node = "test"
	}
	c.Dialects = map[string]*fanout.Dialect{twitter.Name: twitter.Dialect}
	return c
}

// openBus opens a bus and waits until it is ready.
func openBus(t testing.TB, c Config) *Bus {
	t.Helper()
	var b *Bus
	eventually(t, func() (err error) {
		// Between fork and exec a process that another test starts has every file of
		// this one, the lock of a bus that was closed just now included.
		if b, err = Open(context.Background(), testConfig(c)); err != nil && !errors.Is(err, errLocked) {
			t.Fatal(err)
		}
		return err
	})
	closed := sync.OnceFunc(b.Close)
	t.Cleanup(closed)
	select {
	case <-b.Ready():
	case <-time.After(soon):
		t.Fatalf("the bus is not ready: %+v", b.Status())
	}
	return b
}

func always() bool { return true }

// rawPost is a post of about size bytes.
func rawPost(id, author int, text string, size int) []byte {
	return fmt.Appendf(nil, `{"created_at":"Wed Nov 06 10:37:41 +0000 2019","id":%d,"id_str":"%d","text":%q,"lang":"en","user":{"id":%d,"id_str":"%d","screen_name":"u%d","description":%q},"entities":{"hashtags":[],"urls":[],"user_mentions":[]}}`,
		id, id, text, author, author, author, strings.Repeat("about me ", max(0, size-300)/9))
}

func testPost(t testing.TB, id int) *fanout.Event {
	t.Helper()
	return decoded(t, rawPost(id, id%7+1, "word"+strconv.Itoa(id), 600))
}

func testDelete(t testing.TB, id int) *fanout.Event {
	t.Helper()
	return decoded(t, fmt.Appendf(nil, `{"delete":{"status":{"id":%d,"id_str":"%d","user_id":3,"user_id_str":"3"}}}`, id, id))
}

func decoded(t testing.TB, raw []byte) *fanout.Event {
	t.Helper()
	e, err := twitter.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// publish has one term publish and wait until all is stored.
func publish(t testing.TB, b *Bus, term uint64, events ...*fanout.Event) {
	t.Helper()
	p := b.Publisher(term, always)
	defer p.Close()
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	if err := p.Mark(ctx, lease.Marker{Term: term, Node: "test", Slot: 1}); err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if err := p.Publish(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// node reads a bus into a hub as main does, and keeps what came.
type node struct {
	bus    *Bus
	hub    *fanout.Hub
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	events  []*fanout.Event
	epochs  []uint32
	markers []lease.Marker
	drops   map[string]int
	ends    []error
}

func follow(t testing.TB, b *Bus) *node {
	t.Helper()
	n := &node{bus: b, hub: fanout.NewHub(fanout.Config{}), done: make(chan struct{}), drops: map[string]int{}}
	source := b.Source(SourceConfig{
		Renewed: func(epoch uint32) {
			n.hub.Renew(epoch)
			n.mu.Lock()
			defer n.mu.Unlock()
			n.epochs, n.events = append(n.epochs, epoch), nil
		},
		Lost: n.hub.Lost,
		Marked: func(m lease.Marker) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.markers = append(n.markers, m)
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	n.cancel = cancel
	go func() {
		defer close(n.done)
		for ctx.Err() == nil {
			err := source.Stream(ctx, n)
			n.mu.Lock()
			n.ends = append(n.ends, err)
			n.mu.Unlock()
			var e *upstream.Error
			if !errors.As(err, &e) || e.Hint == "" || !e.Whole || e.Class != upstream.Network {
				t.Errorf("Stream ended with %v, without what a runner needs", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		}
	}()
	t.Cleanup(n.stop)
	return n
}

func (n *node) stop() {
	n.cancel()
	<-n.done
}

func (n *node) Alive(int) {}

func (n *node) Drop(reason string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.drops[reason]++
}

func (n *node) Emit(e *fanout.Event) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hub.Publish(e) // who finds it there finds it told
	n.events = append(n.events, e)
}

// told lists what came: ids of posts, names of the rest.
func (n *node) told() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []string
	for _, e := range n.events {
		switch {
		case e.Kind == fanout.KindPost:
			list = append(list, e.Post.Key.ID)
		case e.Target.ID != "":
			list = append(list, e.Kind.String()+":"+e.Target.ID)
		default:
			list = append(list, e.Kind.String())
		}
	}
	return strings.Join(list, " ")
}

// expect waits until exactly this came.
func (n *node) expect(t testing.TB, want string) {
	t.Helper()
	eventually(t, func() error {
		if got := n.told(); got != want {
			return fmt.Errorf("got  %.300s\nwant %.300s\nbus %+v", got, want, n.bus.Status())
		}
		return nil
	})
}

func (n *node) filled(t testing.TB) {
	t.Helper()
	select {
	case <-n.bus.source.Filled():
	case <-time.After(soon):
		t.Fatalf("the reader is not filled: %+v", n.bus.Status())
	}
}

// eventually asks until the answer is nil.
func eventually(t testing.TB, ask func() error) {
	t.Helper()
	deadline := time.Now().Add(soon)
	for {
		err := ask()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func numbers(from, to int) string {
	var list []string
	for i := from; i <= to; i++ {
		list = append(list, strconv.Itoa(i))
	}
	return strings.Join(list, " ")
}

func key(id int) filter.Key { return filter.Key{Source: twitter.Name, ID: strconv.Itoa(id)} }
