package server

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"time"
)

// A listener has at most so many connections. Those that ask for nothing make
// room, the longest silent first; streams and new requests never do.
func TestSilentConnectionsMakeRoom(t *testing.T) {
	g := newTCPGate(t, func(o *Options) { o.MaxConnections = 12; o.MaxClients = 8 })
	var streams []*reader
	for range 4 {
		streams = append(streams, g.stream("/stream"))
	}
	var silent []net.Conn
	for i := range 40 {
		c, err := g.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		silent = append(silent, c)
		if i%2 == 0 {
			fmt.Fprint(c, "GET /stream HTTP/1.1\r\nX-Slow: ")
		} else { // answered, and kept
			fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: gate\r\n\r\n")
			if r, err := http.ReadResponse(bufio.NewReader(c), nil); err != nil || r.StatusCode != http.StatusOK {
				t.Fatalf("request %d among the silent: %v", i, err)
			}
		}
		// One after the other: the gateway is a moment later than its client.
		eventually(t, "silent", func() bool { return g.server.bound.waits(c.LocalAddr()) })
	}
	for i, c := range silent {
		if i < 32 {
			_ = c.SetReadDeadline(time.Now().Add(patient))
		} else {
			_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		}
		_, err := io.Copy(io.Discard, c)
		if open := errors.Is(err, os.ErrDeadlineExceeded); open != (i >= 32) {
			t.Errorf("connection %d of 40: %v; those that make room beside 4 streams are all but the last 8", i, err)
		}
	}
	streams = append(streams, g.stream("/stream"))
	g.post(1, "ann", "one")
	for i, s := range streams {
		if got := s.ids(1); got[0] != "1" {
			t.Errorf("stream %d gets %q", i, got)
		}
	}
}

// waits reports whether a connection from there is open and silent.
func (o *connections) waits(from net.Addr) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c, place := range o.open {
		if c.RemoteAddr().String() == from.String() {
			return place != nil
		}
	}
	return false
}
