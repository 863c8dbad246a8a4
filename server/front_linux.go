package server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Front returns a listener for NewHTTP's public server that serves plain requests
// for a stream by itself, and hands all other connections on. It owns l. A
// listener that is not TCP's is returned as it is.
func (s *Server) Front(l net.Listener) net.Listener {
	tcp, is := l.(*net.TCPListener)
	if !is {
		return l
	}
	file, err := tcp.File() // package net lets nobody else accept
	if err != nil {
		return l
	}
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return l
	}
	return &front{
		TCPListener: tcp, file: file, raw: raw, server: s,
		others: make(chan net.Conn), failed: make(chan struct{}), closed: make(chan struct{}),
	}
}

// front accepts connections and takes those that ask for a stream.
type front struct {
	*net.TCPListener
	file   *os.File // the same socket
	raw    syscall.RawConn
	server *Server

	begin, end, fail sync.Once
	loops            sync.WaitGroup
	busy             atomic.Int32  // loops that have a connection in hand
	look             sync.Once     // at what the first connection has
	options          []option      // what a connection does not have from the listener; set by look
	warned           atomic.Int64  // the second in which the last warning was
	others           chan net.Conn // for net/http
	failed           chan struct{} // closed when err is set
	err              error         // why the first loop ended
	closed           chan struct{}
}

// Accept returns the next connection that is for net/http.
func (f *front) Accept() (net.Conn, error) {
	f.begin.Do(f.start)
	select {
	case c := <-f.others:
		return c, nil
	case <-f.failed:
		return nil, f.err
	case <-f.closed:
		return nil, net.ErrClosed
	}
}

// Close closes the listener and ends the loops.
func (f *front) Close() error {
	err := net.ErrClosed
	f.end.Do(func() {
		f.begin.Do(func() {}) // no loop starts from now on
		close(f.closed)
		err = errors.Join(f.TCPListener.Close(), f.file.Close())
	})
	f.loops.Wait()
	return err
}

// start has connections wait in the kernel until they have asked something, a
// second at most, and starts the loops: few, so that of thousands that come at
// once most wait there too.
func (f *front) start() {
	_ = f.raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_DEFER_ACCEPT, 1)
		setOptions(int(fd), f.wanted()) // what it accepts may have them too
	})
	for range min(max(runtime.GOMAXPROCS(0), 4), 16) {
		f.loops.Go(f.loop)
	}
}

// loop accepts until there is no listener any more.
func (f *front) loop() {
	wait := time.Duration(0)
	for {
		fd, peer, err := f.accept()
		switch {
		case err == nil:
			wait = 0
			f.serve(fd, peer)
			f.busy.Add(-1)
		case ended(err):
			f.fail.Do(func() {
				f.err = err
				close(f.failed)
			})
			return
		case errors.Is(err, syscall.ECONNABORTED):
		default:
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			if now := time.Now().Unix(); f.warned.Swap(now) != now {
				f.server.opts.Log.Warn("a connection cannot be accepted; trying again", "error", err)
			}
			select {
			case <-time.After(wait):
			case <-f.closed:
				return
			}
		}
	}
}

// ended reports whether an error of accept says that nothing more will come. Others
// are those of one connection, of the network, or of a system that has run out of
// something.
func ended(err error) bool {
	var errno syscall.Errno // of accept itself; else the descriptor is closed
	return !errors.As(err, &errno) || errno == syscall.EBADF || errno == syscall.EINVAL || errno == syscall.ENOTSOCK
}

// accept returns a connection's descriptor and who is at its other end. The loop is
// busy with it before it has left the kernel's queue, so that it is always in one of
// them.
func (f *front) accept() (fd int, peer netip.AddrPort, err error) {
	var from syscall.Sockaddr
	closed := f.raw.Read(func(listener uintptr) bool {
		f.busy.Add(1)
		fd, from, err = syscall.Accept4(int(listener), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		for err == syscall.EINTR {
			fd, from, err = syscall.Accept4(int(listener), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC)
		}
		if err != nil {
			f.busy.Add(-1)
		}
		return err != syscall.EAGAIN
	})
	if closed != nil {
		return 0, peer, closed
	}
	switch a := from.(type) {
	case *syscall.SockaddrInet4:
		peer = netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *syscall.SockaddrInet6:
		peer = netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	}
	return fd, peer, err
}

// serve takes a connection that asks for a stream, and hands on any other.
func (f *front) serve(fd int, peer netip.AddrPort) {
	t := takers.Get().(*taker)
	defer takers.Put(t)
	n, err := readOnce(fd, t.head[:])
	if err != nil || n == 0 { // broken, or closed without a word
		_ = syscall.Close(fd)
		return
	}
	n = max(n, 0)
	if f.take(fd, t, n, peer) {
		return
	}
	c, err := asConn(fd, bytes.Clone(t.head[:n]))
	if err != nil {
		return
	}
	select {
	case f.others <- c:
	case <-f.closed:
		_ = c.Close()
	}
}

// readOnce reads what is there. n is -1 if that is nothing yet.
func readOnce(fd int, p []byte) (n int, err error) {
	for {
		n, err = syscall.Read(fd, p)
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return -1, nil
		}
		return n, err
	}
}

// take serves the stream that the first n bytes ask for on the socket; false: they
// ask for something else or it cannot be, and nothing was written.
func (f *front) take(fd int, t *taker, n int, peer netip.AddrPort) (taken bool) {
	w := &socket{fd: fd}
	defer func() {
		if v := recover(); v != nil {
			f.server.opts.Log.Error("a handler panicked", "path", "/stream", "panic", v, "stack", string(debug.Stack()))
			taken = w.taken
		}
	}()
	r := t.request(n, peer)
	if r == nil {
		return false
	}
	w.header = make(http.Header, 8)
	f.server.bound.makeRoom()
	f.look.Do(func() { f.options = missing(fd, f.wanted()) })
	setOptions(fd, f.options)
	f.server.direct.ServeHTTP(w, r)
	return w.taken
}

// option is one of a TCP socket.
type option struct{ name, value int }

// wanted are the options of a stream's socket: they bound what a client can cost,
// and have nothing wait for more to send.
func (f *front) wanted() []option {
	return []option{
		{tcpNotSentLowat, notSent},
		{tcpUserTimeout, int(f.server.stale().Milliseconds())},
		{syscall.TCP_NODELAY, 1},
	}
}

// missing are those of the options that a connection does not have from its
// listener: which it has is for the kernel to decide.
func missing(fd int, options []option) []option {
	return slices.DeleteFunc(options, func(o option) bool {
		got, err := syscall.GetsockoptInt(fd, syscall.IPPROTO_TCP, o.name)
		return err == nil && got == o.value
	})
}

// setOptions sets what can be set; every write has a deadline anyway.
func setOptions(fd int, options []option) {
	for _, o := range options {
		_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, o.name, o.value)
	}
}

// conn is a connection of which the first bytes have been read.
type conn struct {
	*net.TCPConn
	read []byte // before what the socket has
}

// asConn makes a net.Conn of a descriptor, which is its own from now on.
func asConn(fd int, read []byte) (net.Conn, error) {
	file := os.NewFile(uintptr(fd), "tcp")
	defer file.Close()
	c, err := net.FileConn(file)
	if err != nil {
		return nil, err
	}
	tcp, is := c.(*net.TCPConn)
	if !is {
		return c, errors.Join(net.ErrClosed, c.Close())
	}
	_ = tcp.SetKeepAlive(false) // as of any connection here: heartbeats and timeouts do it
	return &conn{tcp, read}, nil
}

// TCP is the connection below.
func (c *conn) TCP() *net.TCPConn { return c.TCPConn }

// Read returns first what has been read.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.read) == 0 {
		return c.TCPConn.Read(p)
	}
	n := copy(p, c.read)
	if c.read = c.read[n:]; len(c.read) == 0 {
		c.read = nil
	}
	return n, nil
}

// WriteTo is there so that io.Copy does not pass by Read.
func (c *conn) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}
