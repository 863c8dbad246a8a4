package server

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// connections bounds how many connections are open at once, so that the process
// keeps descriptors for its upstream. When there are too many, the one goes that
// has waited longest without a request: silence keeps nobody out.
type connections struct {
	most   int        // 0: no limit
	others func() int // connections that net/http has given away, and that are still open

	mu      sync.Mutex
	open    map[net.Conn]*list.Element // in waiting; nil: a request is being answered
	waiting list.List                  // of net.Conn, the longest first
}

func newConnections(most int, others func() int) *connections {
	return &connections{most: most, others: others, open: map[net.Conn]*list.Element{}}
}

// state is an http.Server's ConnState. A connection is new until its first
// request has been read whole.
func (o *connections) state(c net.Conn, s http.ConnState) {
	if o.most <= 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	place, known := o.open[c]
	if !known && s != http.StateNew {
		return // it has been closed here
	}
	if place != nil {
		o.waiting.Remove(place)
	}
	switch s {
	case http.StateNew, http.StateIdle:
		o.open[c] = o.waiting.PushBack(c)
	case http.StateActive:
		o.open[c] = nil
	default:
		delete(o.open, c)
	}
	if s == http.StateNew && len(o.open)+o.others() > o.most {
		o.closeOldest()
	}
}

// makeRoom closes a silent connection, if there is one, where there is no room
// for one more that net/http will not see.
func (o *connections) makeRoom() {
	if o.most <= 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting.Len() > 0 && len(o.open)+o.others() >= o.most {
		o.closeOldest()
	}
}

// closeOldest closes the connection that has waited longest. A TLS connection is
// closed below its goodbye, for which one might have to wait.
func (o *connections) closeOldest() {
	c := o.waiting.Remove(o.waiting.Front()).(net.Conn) // there is one: the newest
	delete(o.open, c)
	if t, is := c.(interface{ NetConn() net.Conn }); is {
		c = t.NetConn()
	}
	_ = c.Close() // its goroutine sees that it is closed
}
