package server

import (
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// maxFresh bounds the connections between accept and their first answer: each
	// has goroutines and buffers of net/http, some 25 KB, that a stream in a
	// shard's hands has not. When thousands of clients come back at once the
	// others wait in the kernel.
	maxFresh = 256
	// freshFor is when a connection that has not asked, or whose answer takes long,
	// counts no more, so that silent ones cannot keep others out: at worst
	// a thousand are let in each second.
	freshFor = 250 * time.Millisecond
)

// throttle paces the connections of a listener.
type throttle struct {
	room chan struct{} // full: maxFresh are fresh

	mu    sync.Mutex
	fresh map[net.Conn]*time.Timer
}

func newThrottle() *throttle {
	return &throttle{room: make(chan struct{}, maxFresh), fresh: map[net.Conn]*time.Timer{}}
}

// state is an http.Server's ConnState. For a new connection it is called by
// the goroutine that accepts, which waits here for room.
func (t *throttle) state(c net.Conn, s http.ConnState) {
	switch s {
	case http.StateNew:
		t.room <- struct{}{}
		t.mu.Lock()
		t.fresh[c] = time.AfterFunc(freshFor, func() { t.leave(c) })
		t.mu.Unlock()
	case http.StateIdle, http.StateHijacked, http.StateClosed:
		t.leave(c)
	}
}

func (t *throttle) leave(c net.Conn) {
	t.mu.Lock()
	timer, fresh := t.fresh[c]
	delete(t.fresh, c)
	t.mu.Unlock()
	if fresh {
		timer.Stop()
		<-t.room
	}
}
