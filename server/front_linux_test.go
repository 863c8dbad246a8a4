package server

import (
	"bufio"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The ways to a stream differ in nothing that a client sees: the same requests get
// the same heads and the same first bytes.
func TestTakenLikeHijacked(t *testing.T) {
	for _, h := range heads {
		if h.head == "" || !strings.HasSuffix(h.head, "\r\n\r\n") {
			continue // would wait for more
		}
		var answers []string
		for _, way := range []string{taken, hijacked} {
			g := newWorldGate(t, way, func(o *Options) { o.Retry = time.Nanosecond })
			answers = append(answers, firstBytes(t, g, h.head))
		}
		if answers[0] != answers[1] || answers[0] == "" {
			t.Errorf("%q:\n%s\nand\n%s", clip(h.head), answers[0], answers[1])
		}
	}
}

// firstBytes is what a request is answered with: the head without its date, and of
// a stream all up to the end of hello.
func firstBytes(t *testing.T, g *gate, head string) string {
	t.Helper()
	c, err := g.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, head); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(patient))
	var got strings.Builder
	lines := bufio.NewReader(c)
	for {
		line, err := lines.ReadString('\n')
		if !strings.HasPrefix(line, "Date: ") {
			got.WriteString(line)
		}
		if err != nil || strings.HasPrefix(line, "data: ") {
			return got.String()
		}
		if line == "\r\n" && (!strings.Contains(got.String(), "event-stream") || strings.HasPrefix(head, "HEAD")) {
			return got.String() // the head is enough of an answer that is no stream
		}
	}
}

// A listener that breaks says so whenever it is asked, also if all its loops end at
// once. (Shut down, accept fails for good.)
func TestFrontFails(t *testing.T) {
	g := newGate(t)
	for range 50 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		f := g.server.Front(l)
		asked := make(chan error)
		for range 8 {
			go func() {
				for range 4 {
					_, err := f.Accept()
					asked <- err
				}
			}()
		}
		raw, err := l.(*net.TCPListener).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) { err = syscall.Shutdown(int(fd), syscall.SHUT_RD) }); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for n := range 32 {
			select {
			case err := <-asked:
				if err == nil {
					t.Error("a connection")
				}
			case <-time.After(patient):
				t.Fatalf("%d of 32 were told", n)
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A connection gets all options that streams want, whatever it has from its listener.
func TestConnectionsAreTuned(t *testing.T) {
	g := newWorldGate(t, taken)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := g.server.Front(l).(*front)
	defer f.Close()
	for _, onListener := range []bool{false, true} {
		if onListener {
			_ = f.raw.Control(func(fd uintptr) { setOptions(int(fd), f.wanted()) })
		}
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fd, _, err := f.accept()
		if err != nil {
			t.Fatal(err)
		}
		lacks := missing(fd, f.wanted())
		if !onListener && len(lacks) != len(f.wanted()) {
			t.Errorf("only %v is missing in the beginning", lacks)
		}
		setOptions(fd, lacks)
		if left := missing(fd, f.wanted()); len(left) > 0 {
			t.Errorf("%v cannot be set", left)
		}
		_ = syscall.Close(fd)
	}
}
