package server

import (
	"net"
	"syscall"
	"time"
)

// Options of linux/tcp.h that package syscall does not name.
const (
	tcpUserTimeout  = 18 // TCP_USER_TIMEOUT, milliseconds
	tcpNotSentLowat = 25 // TCP_NOTSENT_LOWAT, bytes
)

// tune bounds what a client that stopped reading or vanished can cost: the kernel
// takes at most 32 KiB that it cannot send yet, and gives up on bytes nobody
// acknowledges after stale instead of after a quarter of an hour. What cannot be
// set (pipes, other kernels) is left alone: every write has a deadline anyway.
func tune(c net.Conn, stale time.Duration) {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok { // tls.Conn
		c = t.NetConn()
	}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, 32<<10)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(stale.Milliseconds()))
	})
}
