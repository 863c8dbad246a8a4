package server

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// lastCall has no connection begin on a listener any more, as far as the kernel can,
// and returns a function that says whether some that had begun have not been
// accepted yet.
func lastCall(l net.Listener) (waiting func() bool) {
	nobody := func() bool { return false }
	socket, is := l.(syscall.Conn)
	if !is {
		return nobody
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nobody
	}
	refuseHandshakes(raw)
	return func() bool {
		if queued(raw) > 0 {
			return true
		}
		f, is := l.(*front)
		return is && f.busy.Load() > 0
	}
}

// refuseHandshakes has the kernel drop what would begin a connection: segments with
// the flag SYN. Where it cannot, what comes in the last moment is reset.
func refuseHandshakes(raw syscall.RawConn) {
	const flags, syn = 13, 2 // a byte of the TCP header, and a bit in it
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: flags},
		{Code: unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K, Jf: 1, K: syn},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},          // none of it
		{Code: unix.BPF_RET | unix.BPF_K, K: ^uint32(0)}, // all of it
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]})
	})
}

// queued is how many connections wait to be accepted.
func queued(raw syscall.RawConn) (n uint32) {
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			n = info.Unacked // of a listener that is its queue
		}
	})
	return n
}
