package bus

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// mute is a way to a server that can lose all that the server says.
type mute struct {
	net.Listener
	on atomic.Bool
}

func newMute(t *testing.T, to string) *mute {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	t.Cleanup(func() { _ = l.Close() })
	m := &mute{Listener: l}
	go func() {
		for {
			here, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", strings.TrimPrefix(to, "nats://"))
			if err != nil {
				_ = here.Close()
				continue
			}
			go func() { _, _ = io.Copy(there, here); _ = there.Close() }()
			go func() { _, _ = io.Copy(m.heard(here), there); _ = here.Close() }()
		}
	}()
	return m
}

// heard is where what the server says goes.
func (m *mute) heard(to io.Writer) io.Writer { return losing{m, to} }

type losing struct {
	m  *mute
	to io.Writer
}

// Write implements io.Writer.
func (l losing) Write(p []byte) (int, error) {
	if l.m.on.Load() {
		return len(p), nil
	}
	return l.to.Write(p)
}

// A look at the bus whose answer went with a connection that was cut ends with it,
// and not when the answer is overdue: meanwhile the bus would count as out of reach.
func TestALookEndsWithItsConnection(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	m := newMute(t, s.ClientURL())
	// A Bus whose looks are the test's own.
	b := &Bus{
		config: testConfig(Config{URL: "nats://" + m.Addr().String()}).withDefaults(),
		ready:  make(chan struct{}), kick: make(chan struct{}, 1), changed: make(chan struct{}), held: newHeld(10),
	}
	b.lease, b.state = b.newBucket("lease", time.Second), b.newBucket("state", 0)
	t.Cleanup(b.dropControl)
	eventually(t, func() error { return b.setUp(t.Context()) })
	m.on.Store(true)
	for range 3 { // a machine that stands still for seconds proves nothing
		done := make(chan error)
		go func() { done <- b.setUp(t.Context()) }()
		for err := error(nil); err == nil; {
			b.went(b.control, nats.ErrDisconnected) // the server is still there, and says nothing
			select {
			case err = <-done:
				if errors.Is(err, nats.ErrDisconnected) && b.control.IsConnected() {
					return
				}
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Fatal(err)
				}
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	t.Error("a look goes on when its connection has ended")
}
