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

	notSent = 32 << 10 // bytes that the kernel takes although it cannot send them yet
)

// tune bounds what a client that stopped reading or vanished can cost: the kernel
// takes at most 32 KiB that it cannot send yet, and gives up on bytes nobody
// acknowledges after stale instead of after a quarter of an hour. What cannot be
// set (pipes, other kernels) is left alone: every write has a deadline anyway. A
// listener hands the options on to what it accepts, where the kernel lets it have
// them. ok: it was done.
func tune(socket any, stale time.Duration) (ok bool) {
	if t, is := socket.(interface{ NetConn() net.Conn }); is { // tls.Conn
		socket = t.NetConn()
	}
	sc, is := socket.(syscall.Conn)
	if !is {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	err = raw.Control(func(fd uintptr) {
		ok = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotSentLowat, notSent) == nil &&
			syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(stale.Milliseconds())) == nil
	})
	return ok && err == nil
}
