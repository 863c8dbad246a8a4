package twitter

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// line is the network connection under one stream. http.Transport closes its
// connections a moment after a body is closed, on a goroutine of its own; a
// stream that has ended must be closed before the next is opened, so close
// does not wait for that.
type line struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu     sync.Mutex
	conns  []net.Conn
	closed bool
}

// dialContext dials and remembers the connection. One that comes when all is
// over is closed at once.
func (l *line) dialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := l.dial(ctx, network, addr)
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
	return c, nil
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, c := range l.conns {
		_ = c.Close()
	}
}

// transport returns a transport for one request over this line.
func (l *line) transport() *http.Transport {
	return &http.Transport{
		DialContext:            l.dialContext,
		DisableKeepAlives:      true, // nothing is left behind when the body is closed
		DisableCompression:     true, // gzip is asked for and undone here
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ReadBufferSize:         16 << 10,
	}
}
