package server

import (
	"net"
	"syscall"
	"testing"
)

// hidden is a connection that no shard can own.
type hidden struct{ net.Conn }

func (h hidden) NetConn() net.Conn { return h.Conn }

type hiding struct{ net.Listener }

func (l hiding) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return hidden{c}, nil
}

// tight is a listener whose sockets take little at a time.
type tight struct{ net.Listener }

func (l tight) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		err = c.(*net.TCPConn).SetWriteBuffer(1)
	}
	return c, err
}

// The ways to a stream.
const (
	taken    = "taken"    // from the listener, by a shard
	hijacked = "hijacked" // from net/http, by a shard
	handled  = "handled"  // by the goroutine of its request
)

// shrink does the same for sockets that do not come from Accept: they inherit it.
func shrink(t *testing.T, l *net.TCPListener) {
	raw, err := l.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			if err := syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 1); err != nil {
				t.Error(err)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// newWorldGate serves on loopback, on sockets that take little at a time.
func newWorldGate(t *testing.T, way string, change ...func(*Options)) *gate {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	switch way {
	case taken:
		shrink(t, l.(*net.TCPListener))
	case hijacked:
		l = tight{l}
	case handled:
		l = hiding{tight{l}}
	}
	g := serveGate(t, l, func() (net.Conn, error) { return net.Dial("tcp", addr) }, change)
	g.url = "http://" + addr
	return g
}
