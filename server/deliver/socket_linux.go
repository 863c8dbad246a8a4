package deliver

import (
	"net"
	"syscall"
	"unsafe"

	"aviary/fanout/wire"
)

// maxBlocks is how many blocks one writev takes (UIO_MAXIOV, less some).
const maxBlocks = 1000

// takeSocket duplicates the descriptor of a TCP connection, so that the socket
// outlives the net.Conn and what Go keeps for it. ok is false if conn is none, or
// if the process has no descriptor left.
func takeSocket(conn net.Conn) (fd int, ok bool) {
	if t, is := conn.(interface{ TCP() *net.TCPConn }); is { // only read from before
		conn = t.TCP()
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return 0, false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, false
	}
	ok = false
	err = raw.Control(func(old uintptr) {
		n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, old, syscall.F_DUPFD_CLOEXEC, 0)
		fd, ok = int(n), errno == 0 // O_NONBLOCK is the socket's, so the copy has it
	})
	return fd, ok && err == nil
}

// vector is the blocks of a batch as the kernel takes them.
type vector struct{ iov []syscall.Iovec }

// reset lets go of the blocks.
func (v *vector) reset() {
	clear(v.iov)
	v.iov = v.iov[:0]
}

// set makes the vector that of these blocks.
func (v *vector) set(blocks []wire.Block) {
	v.reset()
	for _, b := range blocks {
		if len(b.Bytes) > 0 {
			iov := syscall.Iovec{Base: &b.Bytes[0]}
			iov.SetLen(len(b.Bytes))
			v.iov = append(v.iov, iov)
		}
	}
}

// write writes the vector to a socket, as much of it as there is room for right
// now. It never waits, which is why it need not tell Go's scheduler.
func (v *vector) write(fd int) (n int, err error) {
	for {
		r, _, errno := syscall.RawSyscall(syscall.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(v.iov))), uintptr(len(v.iov)))
		switch errno {
		case 0:
			return int(r), nil
		case syscall.EAGAIN:
			return 0, nil
		case syscall.EINTR:
			continue
		}
		return 0, errno
	}
}

// writeSocket writes as much of p as there is room for.
func writeSocket(fd int, p []byte) (n int, err error) {
	for len(p) > 0 {
		n, err = syscall.Write(fd, p)
		switch err {
		case nil:
			return n, nil
		case syscall.EAGAIN:
			return 0, nil
		case syscall.EINTR:
			continue
		}
		return 0, err
	}
	return 0, nil
}

func closeSocket(fd int) { _ = syscall.Close(fd) }

// resetOnClose lets the kernel forget what it still holds for a client when its
// socket is closed; the client sees a reset.
func resetOnClose(fd int) {
	_ = syscall.SetsockoptLinger(fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
}

// hangUp ends a connection behind the last byte and takes in what the client has
// sent: closing a socket over unread bytes would be a reset. It returns false if
// there was any, and so may be more.
func hangUp(fd int) (quiet bool) {
	_ = syscall.Shutdown(fd, syscall.SHUT_WR)
	var sink [4096]byte
	quiet = true
	for range 64 {
		n, err := syscall.Read(fd, sink[:])
		if n <= 0 || err != nil {
			return quiet
		}
		quiet = false
	}
	return false
}
