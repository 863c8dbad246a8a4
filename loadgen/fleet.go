package loadgen

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of opening.
const (
	defaultParallel = 128              // at once: far below any listener's backlog
	requestTimeout  = 10 * time.Second // for connecting and sending the request
	answerTimeout   = 30 * time.Second // for all answers, and 5 ms for each stream
)

// Reader is told what comes. Its methods are called under the fleet's lock and
// must not wait or call the fleet.
type Reader interface {
	// Event is one event, at the time at which its bytes were read.
	Event(s *Stream, e *Event, at time.Time)
	// Ended is the end of a stream that Close did not end. The error is a
	// *Refusal if it was never open.
	Ended(s *Stream, err error)
}

// Config says what to open.
type Config struct {
	Address string                 // host:port
	Request func(index int) []byte // the whole request head of a stream, which must ask for HTTP/1.1
	Reader  Reader

	// Optional.
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: a net.Dialer
	TLS      *tls.Config                                                          // nil: plain
	Decode   func(index int) bool                                                 // read this one on a goroutine of its own, inflating gzip
	Parallel int                                                                  // how many may wait for their answer at once; 0: 128
}

// Fleet is a number of open streams. Its methods are safe for concurrent use,
// but for Open, which is called by one goroutine at a time.
type Fleet struct {
	cfg  Config
	busy atomic.Int64 // nanoseconds that the epoll loop worked

	mu      sync.Mutex
	streams []*Stream // owned by mu, as is everything below
	open    int       // of them
	failed  int       // of those that Open opens now
	failure error     // of the first of them
	loop    *loop     // nil until the first socket for it
	closed  bool

	readers sync.WaitGroup // the loop, and the goroutines of other streams
}

// New returns a fleet without streams.
func New(cfg Config) *Fleet {
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	if cfg.Parallel <= 0 {
		cfg.Parallel = defaultParallel
	}
	return &Fleet{cfg: cfg}
}

// Open opens n more streams and waits until each has been answered or has
// failed. The error says how many failed, and why the first did; streams that are
// open stay so.
func (f *Fleet) Open(ctx context.Context, n int) error {
	ctx, cancel := context.WithTimeoutCause(ctx, openTimeout(n), errors.New("it takes too long"))
	defer cancel()
	answered := make(chan struct{}, n)
	f.mu.Lock()
	first := len(f.streams)
	for i := range n {
		f.streams = append(f.streams, &Stream{Index: first + i, fd: -1, answered: answered})
	}
	f.failed, f.failure = 0, nil
	batch := f.streams[first:]
	f.mu.Unlock()

	var dialing sync.WaitGroup
	defer dialing.Wait() // each has a deadline
	started := 0
	for done := 0; done < n; {
		for ; started < n && started-done < f.cfg.Parallel; started++ {
			s := batch[started]
			dialing.Go(func() { f.dial(ctx, s) })
		}
		select {
		case <-answered:
			done++
		case <-ctx.Done():
			return fmt.Errorf("%d of %d streams were answered: %w", done, n, context.Cause(ctx))
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed > 0 {
		return fmt.Errorf("%d of %d streams could not be opened: %w", f.failed, n, f.failure)
	}
	return nil
}

// openTimeout is how long n streams may take: a server that opens fewer than 200
// a second is not one to put a load on.
func openTimeout(n int) time.Duration {
	return answerTimeout + time.Duration(n)*5*time.Millisecond
}

// dial connects one stream, sends its request and hands it to whoever reads it.
func (f *Fleet) dial(ctx context.Context, s *Stream) {
	conn, err := f.request(ctx, s)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && f.closed {
		err = net.ErrClosed
		_ = conn.Close()
	}
	if err != nil {
		f.end(s, err)
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok && (f.cfg.Decode == nil || !f.cfg.Decode(s.Index)) {
		if watched, err := f.watch(s, tcp); watched || err != nil {
			if err != nil {
				f.end(s, err)
			}
			return
		}
	}
	s.conn = conn
	f.readers.Go(func() { f.follow(s, conn) })
}

// request connects and sends.
func (f *Fleet) request(ctx context.Context, s *Stream) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	conn, err := f.cfg.Dial(ctx, "tcp", f.cfg.Address)
	if err != nil {
		return nil, explain(err)
	}
	if f.cfg.TLS != nil {
		secure := tls.Client(conn, f.cfg.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		conn = secure
	}
	deadline, _ := ctx.Deadline()
	_ = conn.SetWriteDeadline(deadline) // a connection without deadlines is closed by Close
	if _, err := conn.Write(f.cfg.Request(s.Index)); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// opened is called with mu held when a stream's head has come.
func (f *Fleet) opened(s *Stream) {
	s.opened, s.Encoding = true, s.head.encoding
	f.open++
	s.answered <- struct{}{}
}

// end is called with mu held when a stream is over.
func (f *Fleet) end(s *Stream, err error) {
	if s.ended {
		return
	}
	s.ended, s.parser = true, parser{}
	err = s.ending(err)
	if s.opened {
		f.open--
	} else {
		if f.failed++; f.failure == nil {
			f.failure = err
		}
		s.answered <- struct{}{}
	}
	if !f.closed {
		f.cfg.Reader.Ended(s, err)
	}
}

// Locked runs do while no event is handed out.
func (f *Fleet) Locked(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// Streams returns all streams, those that have ended included.
func (f *Fleet) Streams() []*Stream {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.streams[:len(f.streams):len(f.streams)]
}

// Alive is how many streams are open.
func (f *Fleet) Alive() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.open
}

// Busy is for how long the epoll loop has worked so far.
func (f *Fleet) Busy() time.Duration { return time.Duration(f.busy.Load()) }

// Close ends all streams and waits for their readers.
func (f *Fleet) Close() {
	f.mu.Lock()
	f.closed = true
	for _, s := range f.streams {
		f.end(s, net.ErrClosed)
		if s.conn != nil {
			_ = s.conn.Close()
		}
	}
	f.unwatch()
	f.mu.Unlock()
	f.readers.Wait()
}
