package httpapi

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Line is the network connection under one stream. http.Transport closes its
// connections a moment after a body is closed, on a goroutine of its own; a
// stream that has ended must be closed before the next is opened, so Close
// does not wait for that. Set Dial first.
type Line struct {
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu     sync.Mutex
	conns  []net.Conn
	closed bool
}

// dialContext dials and remembers the connection. One that comes when all is
// over is closed at once.
func (l *Line) dialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := l.Dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	l.conns = append(l.conns, c)
	return light(c), nil
}

// Close closes what was dialled; what is dialled from now on is closed at once.
func (l *Line) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, c := range l.conns {
		_ = c.Close()
	}
}

// Transport returns a transport for one request over this line.
func (l *Line) Transport() *http.Transport {
	return &http.Transport{
		DialContext:            l.dialContext,
		DisableKeepAlives:      true, // nothing is left behind when the body is closed
		DisableCompression:     true, // gzip is asked for and undone here
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ReadBufferSize:         16 << 10,
	}
}
