package main

import (
	"context"
	"net"
	"strconv"
	"sync"
	"syscall"
)

// network is a loopback in memory, for programs in virtual time. Connections
// are net.Pipes: they have deadlines and no buffer.
type network struct {
	mu        sync.Mutex
	listeners map[string]*memListener
	ports     int
}

func newNetwork() *network { return &network{listeners: map[string]*memListener{}, ports: 40000} }

func (n *network) listen(_, address string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if port == "0" {
		n.ports++
		port = strconv.Itoa(n.ports)
	}
	address = net.JoinHostPort(host, port)
	if n.listeners[address] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: syscall.EADDRINUSE}
	}
	number, _ := strconv.Atoi(port)
	l := &memListener{network: n, key: address, addr: &net.TCPAddr{IP: net.ParseIP(host), Port: number}, queue: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[address] = l
	return l, nil
}

func (n *network) dial(ctx context.Context, _, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.ports++
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: n.ports}
	n.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	here, there := net.Pipe()
	select {
	case l.queue <- &memConn{there, l.addr, from}:
		return &memConn{here, from, l.addr}, nil
	case <-l.closed:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type memListener struct {
	network *network
	key     string
	addr    net.Addr
	queue   chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (l *memListener) Addr() net.Addr { return l.addr }

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.queue:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error {
	l.once.Do(func() {
		close(l.closed)
		l.network.mu.Lock()
		delete(l.network.listeners, l.key)
		l.network.mu.Unlock()
	})
	return nil
}

// memConn is a pipe whose ends have addresses.
type memConn struct {
	net.Conn
	local, remote net.Addr
}

func (c *memConn) LocalAddr() net.Addr  { return c.local }
func (c *memConn) RemoteAddr() net.Addr { return c.remote }
