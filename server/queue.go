package server

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// A connection that has begun is first in its handshake, then in the kernel's queue
// until it is accepted, then with net/http until it has asked. When the listener is
// closed those in the queue are reset, and once http.Server.Shutdown has been called
// the others are closed without an answer. All of them have asked, as far as their
// clients know. So a server that stops lets those in first that had begun.

// A connection in its handshake is seen nowhere. After so many looks, so far apart, at
// which none was waiting, none is taken to be.
const (
	looks = 10
	apart = 5 * time.Millisecond
)

// AnswerRest lets no connection begin on these listeners any more and returns when
// those that had begun have been answered by the servers of NewHTTP, or when ctx
// ends: Shutdown then cuts nobody off. A client that connects meanwhile hears nothing,
// tries again after a second, and is refused, or finds the next process.
func (s *Server) AnswerRest(ctx context.Context, listeners ...net.Listener) {
	var waiting []func() bool
	for _, l := range listeners {
		waiting = append(waiting, lastCall(l))
	}
	tick := time.NewTicker(apart)
	defer tick.Stop()
	for quiet := 0; quiet < looks; {
		if quiet++; s.unanswered.some() || slices.ContainsFunc(waiting, func(some func() bool) bool { return some() }) {
			quiet = 0
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// unanswered is the connections of net/http that have not had their first answer.
type unanswered struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// state is an http.Server's ConnState.
func (u *unanswered) state(c net.Conn, s http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch s {
	case http.StateNew:
		u.conns[c] = struct{}{}
	case http.StateIdle, http.StateHijacked, http.StateClosed:
		delete(u.conns, c)
	}
}

func (u *unanswered) some() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.conns) > 0
}
