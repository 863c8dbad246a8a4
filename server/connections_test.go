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
	}
	open := 0
	for i, c := range silent {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		_, err := io.Copy(io.Discard, c)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			open++
		} else if i > 32 { // an answered one is silent a moment after the next has come
			t.Errorf("connection %d of 40 had to go: %v", i, err)
		}
	}
	if open != 8 {
		t.Errorf("%d silent connections are left beside 4 streams, want 8", open)
	}
	streams = append(streams, g.stream("/stream"))
	g.post(1, "ann", "one")
	for i, s := range streams {
		if got := s.ids(1); got[0] != "1" {
			t.Errorf("stream %d gets %q", i, got)
		}
	}
}
