package loadgen

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// loop reads all plain TCP streams of a fleet.
type loop struct {
	epoll  int
	byFD   map[int32]*Stream // owned by the fleet's mu
	buffer []byte            // owned by the goroutine
}

// loopTick bounds how long the loop sleeps, and so how long Close waits for it.
const loopTick = 50 // ms

// watch moves a connection into the epoll loop, called with mu held. false: this
// connection has no descriptor to watch. The descriptor is a duplicate, because Go's
// own poller would otherwise wake for every byte, too.
func (f *Fleet) watch(s *Stream, conn *net.TCPConn) (bool, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return false, nil // then it is read by a goroutine
	}
	if f.loop == nil {
		epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			_ = conn.Close()
			return false, fmt.Errorf("epoll: %w", explain(err))
		}
		f.loop = &loop{epoll: epoll, byFD: map[int32]*Stream{}, buffer: make([]byte, 256<<10)}
		f.readers.Go(func() { f.run(f.loop) })
	}
	fd, failed := -1, error(nil)
	err = raw.Control(func(original uintptr) {
		n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, original, syscall.F_DUPFD_CLOEXEC, 0)
		if fd = int(n); errno != 0 {
			fd, failed = -1, errno
		}
	})
	_ = conn.Close()
	if err = errors.Join(err, failed); err != nil {
		return false, explain(err)
	}
	s.fd = fd
	f.loop.byFD[int32(fd)] = s
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}
	if err := syscall.EpollCtl(f.loop.epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
		f.drop(s)
		return false, fmt.Errorf("epoll: %w", err)
	}
	return true, nil
}

// drop closes a stream's descriptor, called with mu held.
func (f *Fleet) drop(s *Stream) {
	delete(f.loop.byFD, int32(s.fd))
	_ = syscall.Close(s.fd)
	s.fd = -1
}

// unwatch closes all descriptors, called with mu held; the loop then ends.
func (f *Fleet) unwatch() {
	if f.loop == nil {
		return
	}
	for _, s := range f.loop.byFD {
		f.drop(s)
	}
}

// run is the loop. Descriptors are level-triggered: one read each time, so that
// none starves while another has much to say.
func (f *Fleet) run(l *loop) {
	defer func() { _ = syscall.Close(l.epoll) }()
	events := make([]syscall.EpollEvent, 512)
	for {
		n, err := syscall.EpollWait(l.epoll, events, loopTick)
		began := time.Now()
		if err != nil && !errors.Is(err, syscall.EINTR) {
			f.fail(l, fmt.Errorf("epoll: %w", err))
			return
		}
		for _, event := range events[:max(n, 0)] {
			f.mu.Lock()
			if s := l.byFD[event.Fd]; s != nil {
				f.receive(l, s)
			}
			f.mu.Unlock()
		}
		f.mu.Lock()
		closed := f.closed
		f.mu.Unlock()
		if closed {
			return
		}
		f.busy.Add(int64(time.Since(began)))
	}
}

// fail ends all streams of the loop.
func (f *Fleet) fail(l *loop, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range l.byFD {
		f.drop(s)
		f.end(s, err)
	}
}

// receive reads once from a stream, called with mu held.
func (f *Fleet) receive(l *loop, s *Stream) {
	n, err := syscall.Read(s.fd, l.buffer)
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return
	case err == nil && n == 0:
		err = errEnd
	case err == nil:
		err = s.feed(f, l.buffer[:n], time.Now())
	}
	if err != nil {
		f.drop(s)
		f.end(s, err)
	}
}
