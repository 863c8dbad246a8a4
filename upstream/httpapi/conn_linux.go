package httpapi

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// conn reads a TCP connection through the system call itself. Its sockets do not
// block, so Go's scheduler need not be told of a call: telling it in an otherwise
// idle process wakes its watcher thread, which then looks around for a while; at a
// post a millisecond that costs more than the read.
type conn struct {
	net.Conn
	raw syscall.RawConn

	reading sync.Mutex
	// Owned by reading: of the call under way.
	p     []byte
	n     int
	errno syscall.Errno
	once  func(fd uintptr) (done bool) // read, made once
}

// light returns c as one whose reads cost less, where there is such a thing.
func light(c net.Conn) net.Conn {
	tcp, is := c.(*net.TCPConn)
	if !is {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c
	}
	l := &conn{Conn: c, raw: raw}
	l.once = l.read
	return l
}

// Read implements net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	c.p = p
	err := c.raw.Read(c.once)
	c.p = nil
	switch {
	case err != nil: // closed, or a deadline
		if op := (*net.OpError)(nil); errors.As(err, &op) {
			op.Op = "read"
		}
		return 0, err
	case c.errno != 0:
		return 0, &net.OpError{Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError("read", c.errno)}
	case c.n == 0:
		return 0, io.EOF
	}
	return c.n, nil
}

// read tries once; false: nothing is there yet.
func (c *conn) read(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(c.p))), uintptr(len(c.p)))
		if c.n, c.errno = int(n), errno; errno != syscall.EINTR {
			return errno != syscall.EAGAIN
		}
	}
}
