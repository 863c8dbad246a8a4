package httpapi

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// The light reads end like those of package net: with what there is, with the end,
// with a deadline, when the connection is closed meanwhile, with a reset.
func TestLightReads(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pair := func() (near net.Conn, far *net.TCPConn) {
		t.Helper()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		other, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close(); other.Close() })
		near = light(c)
		if _, is := near.(*conn); !is {
			t.Fatalf("a %T", near)
		}
		return near, other.(*net.TCPConn)
	}
	p := make([]byte, 10)

	near, far := pair()
	go func(far *net.TCPConn) {
		time.Sleep(10 * time.Millisecond) // the read waits
		_, _ = far.Write([]byte("hello, all of you"))
		_ = far.CloseWrite()
	}(far)
	if all, err := io.ReadAll(near); string(all) != "hello, all of you" || err != nil {
		t.Errorf("%q, %v", all, err)
	}
	if n, err := near.Read(nil); n != 0 || err != nil {
		t.Errorf("a read of nothing: %d, %v", n, err)
	}

	near, _ = pair()
	_ = near.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if n, err := near.Read(p); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d, %v after the deadline", n, err)
	}
	_ = near.SetReadDeadline(time.Time{})
	closes := near
	time.AfterFunc(10*time.Millisecond, func() { closes.Close() })
	if n, err := near.Read(p); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("%d, %v after Close", n, err)
	}

	near, far = pair()
	_ = far.SetLinger(0)
	far.Close()
	var op *net.OpError
	if n, err := near.Read(p); n != 0 || !errors.As(err, &op) || op.Op != "read" {
		t.Errorf("%d, %v after a reset", n, err)
	}
}
