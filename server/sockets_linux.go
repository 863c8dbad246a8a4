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
	err = raw.Control(func(fd uintptr) { ok = tuneDescriptor(int(fd), stale) })
	return ok && err == nil
}

// tuneDescriptor is tune for a socket that package net does not know.
func tuneDescriptor(fd int, stale time.Duration) bool {
	return syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, tcpNotSentLowat, 32<<10) == nil &&
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, tcpUserTimeout, int(stale.Milliseconds())) == nil
}
