package main

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// cable is a TCP proxy that can be cut: what goes through it stops, and nobody gets
// through, until it is mended.
type cable struct {
	listener net.Listener
	to       string

	mu   sync.Mutex
	cut  bool
	open map[net.Conn]bool
}

// newCable leads to the host of a URL; url is that URL through the cable.
func newCable(t *testing.T, to string) (c *cable, url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme, host, _ := strings.Cut(to, "://")
	c = &cable{listener: listener, to: host, open: map[net.Conn]bool{}}
	go c.accept()
	t.Cleanup(func() {
		_ = listener.Close()
		c.set(true)
	})
	return c, scheme + "://" + listener.Addr().String()
}

func (c *cable) accept() {
	for {
		here, err := c.listener.Accept()
		if err != nil {
			return
		}
		there, err := net.Dial("tcp", c.to)
		if err != nil || !c.lead(here, there) {
			_ = here.Close()
			if err == nil {
				_ = there.Close()
			}
		}
	}
}

// lead copies both ways until one end closes.
func (c *cable) lead(here, there net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return false
	}
	c.open[here], c.open[there] = true, true
	copyTo := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, end := range []net.Conn{here, there} {
			_ = end.Close()
			delete(c.open, end)
		}
	}
	go copyTo(here, there)
	go copyTo(there, here)
	return true
}

// set cuts the cable, or mends it.
func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for end := range c.open {
			_ = end.Close()
		}
	}
}
