package deliver

import (
	"os"
	"sync"
	"syscall"
)

// readiness is what a poller saw of one socket.
type readiness struct {
	slot, turn int32
	gone       bool // the client has closed its side, or the connection broke
}

// edge is EPOLLET, which package syscall has as a negative number. RDHUP says
// that the other side has closed. Only for room one has to ask when there is none:
// else every new socket would be reported.
const (
	edge    = 1 << 31
	leaving = syscall.EPOLLRDHUP | edge
	broken  = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR
)

// lazyPoller tells a shard's loop of sockets that have room again and of clients
// that left. It is an epoll of the shard's own, whose descriptor is parked in
// Go's poller: one goroutine for any number of sockets. It starts with the first
// of them.
type lazyPoller struct {
	mu      sync.Mutex
	closed  bool
	fd      int
	file    *os.File // of fd; nil: not started
	watcher sync.WaitGroup
}

// start sees to it that the poller runs; false: it cannot.
func (p *lazyPoller) start(s *shard) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.file != nil || p.closed {
		return !p.closed
	}
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return false
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // or os.NewFile would not poll it
		_ = syscall.Close(fd)
		return false
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return false
	}
	p.fd, p.file = fd, file
	p.watcher.Go(func() { watch(raw, fd, s.ready, s.clients.done) })
	return true
}

// watch hands over what epoll has. Two lists take turns: when the loop takes one,
// it is done with the other.
func watch(raw syscall.RawConn, fd int, ready chan<- []readiness, done <-chan struct{}) {
	events := make([]syscall.EpollEvent, 256)
	var lists [2][]readiness
	for turn := 0; ; turn ^= 1 {
		n := 0
		err := raw.Read(func(uintptr) bool {
			var err error
			n, err = syscall.EpollWait(fd, events, 0)
			return n > 0 || err != nil && err != syscall.EINTR
		})
		if err != nil || n <= 0 {
			return // closed
		}
		list := lists[turn][:0]
		for _, e := range events[:n] {
			list = append(list, readiness{e.Fd, e.Pad, e.Events&broken != 0})
		}
		lists[turn] = list
		select {
		case ready <- list:
		case <-done:
			return
		}
	}
}

// watch has a socket watched for its client's leaving, and for room.
func (p *lazyPoller) watch(fd int, slot, turn int32, room bool) error {
	e := syscall.EpollEvent{Events: leaving, Fd: slot, Pad: turn}
	if room {
		e.Events |= syscall.EPOLLOUT
	}
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_ADD, fd, &e)
}

// watchRoom has a watched socket watched for room too. If there is some by now,
// the poller tells at once.
func (p *lazyPoller) watchRoom(fd int, slot, turn int32) error {
	return syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_MOD, fd, &syscall.EpollEvent{Events: leaving | syscall.EPOLLOUT, Fd: slot, Pad: turn})
}

// forget ends that before the socket is closed, which does so too.
func (p *lazyPoller) forget(fd int) {
	_ = syscall.EpollCtl(p.fd, syscall.EPOLL_CTL_DEL, fd, nil)
}

// close stops the poller for good.
func (p *lazyPoller) close() {
	p.mu.Lock()
	p.closed = true
	if p.file != nil {
		_ = p.file.Close()
	}
	p.mu.Unlock()
	p.watcher.Wait()
}
