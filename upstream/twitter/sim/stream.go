package sim

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
)

// errEnd ends a stream in order: the last bytes are written, the chunked body
// is closed. Any other error of an op drops the connection.
var errEnd = errors.New("sim: stream ended")

// op is one thing to do on a stream's connection: a message, a fault.
type op func(*stream) error

// stream is one open connection.
type stream struct {
	id   int
	wish wish
	srv  *Server

	wake  chan struct{} // one slot: the queue holds something
	last  chan op       // one slot: do this, whatever is queued, and end
	ended atomic.Bool   // last is set: writes get little time from now on

	// owned by mu
	mu     sync.Mutex
	queue  []op
	warned time.Time // of the last stall warning

	// owned by the serving goroutine
	ctx context.Context
	w   http.ResponseWriter
	ctl *http.ResponseController // also used by cut
	gz  *gzip.Writer             // nil: plain
	out bytes.Buffer             // bytes on their way to the wire

	limited int // running total of limit notices
}

// stream serves one accepted connection until it ends.
// c is its entry in the Connections API, of API v2 only; told becomes true if the
// client was told of the end.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, wanted wish, c *xConnection, told *bool) {
	st := &stream{
		wish: wanted, srv: s, ctx: r.Context(), w: w, ctl: http.NewResponseController(w),
		wake: make(chan struct{}, 1), last: make(chan op, 1),
	}
	h := w.Header()
	h.Set("Date", s.now().UTC().Format(http.TimeFormat))
	h.Set("Content-Type", "application/json")
	h.Set("Connection", "close")
	if wanted.gzip {
		h.Set("Content-Encoding", "gzip")
		st.gz, _ = gzip.NewWriterLevel(&st.out, gzip.BestSpeed)
	}
	st.deadline()
	w.WriteHeader(http.StatusOK)
	if st.ctl.Flush() != nil || !s.open(st) {
		return
	}
	if c != nil {
		s.mu.Lock()
		c.stream = st
		s.mu.Unlock()
	}
	err := st.serve()
	s.leave(st)
	if *told = errors.Is(err, errEnd); !*told {
		panic(http.ErrAbortHandler) // net/http's way to cut a response short
	}
}

// serve writes what is queued, and a blank line after each KeepAlive of silence.
func (st *stream) serve() error {
	silence := st.srv.cfg.KeepAlive
	if st.wish.x != nil {
		silence = st.srv.cfg.XKeepAlive
	}
	keepAlive := time.NewTimer(silence)
	defer keepAlive.Stop()
	for {
		var err error
		select {
		case last := <-st.last:
			return last(st)
		case <-st.ctx.Done():
			return st.ctx.Err()
		case <-st.wake:
			err = st.drain()
		case <-keepAlive.C:
			err = st.line(nil)
		}
		if err == nil {
			err = st.flush()
		}
		if err != nil {
			return err
		}
		keepAlive.Reset(silence)
	}
}

// drain does what is queued, until it is empty or the stream is told to end.
func (st *stream) drain() error {
	var ops []op
	for {
		ops = st.take(ops[:0])
		if len(ops) == 0 {
			return nil
		}
		for _, do := range ops {
			select {
			case last := <-st.last:
				return last(st)
			default:
			}
			if err := do(st); err != nil {
				return err
			}
		}
	}
}

// batch is how many ops are taken from the queue at once.
const batch = 64

func (st *stream) take(ops []op) []op {
	st.mu.Lock()
	defer st.mu.Unlock()
	n := min(batch, len(st.queue))
	ops = append(ops, st.queue[:n]...)
	clear(st.queue[:n])
	st.queue = st.queue[n:]
	if len(st.queue) == 0 {
		st.queue = nil
	}
	return ops
}

// put queues an op. With a limit (above 0), a queue that is full ends the
// stream with code 4, and one at 60 % warns a client that asked for warnings,
// at most once in 5 minutes.
func (st *stream) put(do op, limit int) {
	st.mu.Lock()
	defer st.mu.Unlock()
	n := len(st.queue)
	if st.ended.Load() {
		return
	}
	if limit > 0 && n >= limit {
		st.queue = nil
		st.end(disconnect(st.id, 4, "stall"))
		return
	}
	if now := time.Now(); limit > 0 && n*100 >= limit*60 && st.wish.stallWarnings && now.Sub(st.warned) >= 5*time.Minute {
		st.warned = now
		st.queue = append(st.queue, message{raw: warning(n * 100 / limit)}.op())
	}
	st.queue = append(st.queue, do)
	select {
	case st.wake <- struct{}{}:
	default:
	}
}

// end makes an op the stream's last, ahead of all that is queued; a write that
// hangs is cut short. The first one wins. Safe from any goroutine.
func (st *stream) end(last op) {
	select {
	case st.last <- last:
		st.ended.Store(true)
		st.deadline()
	default:
	}
}

// op writes the message as one line.
func (m message) op() op {
	return func(st *stream) error { return st.line(m.raw) }
}

// line writes one CRLF line, nil for a keep-alive, with its length before it
// for a client that asked for that.
func (st *stream) line(raw []byte) error {
	var head []byte
	if st.wish.delimited && raw != nil {
		head = append(strconv.AppendInt(nil, int64(len(raw)+2), 10), "\r\n"...)
	}
	return st.write(head, raw, []byte("\r\n"))
}

// write compresses the parts as one flushed block and sends it on.
func (st *stream) write(parts ...[]byte) error {
	for _, p := range parts {
		if st.gz == nil {
			st.out.Write(p)
		} else if _, err := st.gz.Write(p); err != nil {
			return err
		}
	}
	if st.gz != nil {
		if err := st.gz.Flush(); err != nil {
			return err
		}
	}
	const enough = 32 << 10 // several waiting messages share a write
	if st.out.Len() < enough {
		return nil
	}
	return st.flush()
}

// flush puts what is written on the wire, in chunks of the size the script says.
func (st *stream) flush() error {
	defer st.out.Reset()
	size := st.srv.chunkSize()
	for rest := st.out.Bytes(); len(rest) > 0; {
		n := len(rest)
		if size > 0 {
			n = min(n, size)
		}
		st.deadline()
		if _, err := st.w.Write(rest[:n]); err != nil {
			return err
		}
		if err := st.ctl.Flush(); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// deadline gives the next write its time, a second at most when the stream
// is to end.
func (st *stream) deadline() {
	timeout := st.srv.cfg.WriteTimeout
	if st.ended.Load() {
		timeout = min(timeout, time.Second)
	}
	_ = st.ctl.SetWriteDeadline(time.Now().Add(timeout))
}

// closing ends a stream in order.
func closing(st *stream) error {
	if st.gz != nil {
		_ = st.gz.Close() // the buffer takes it
	}
	if err := st.flush(); err != nil {
		return err
	}
	return errEnd
}

// disconnect tells why and ends the stream in order.
func disconnect(name, code int, reason string) op {
	raw := fmt.Appendf(nil, `{"disconnect":{"code":%d,"stream_name":"sim-statusesfilter%d","reason":%q}}`, code, name, reason)
	return func(st *stream) error {
		if err := st.line(raw); err != nil {
			return err
		}
		return closing(st)
	}
}

func warning(percent int) []byte {
	return fmt.Appendf(nil, `{"warning":{"code":"FALLING_BEHIND","message":"Your connection is falling behind and messages are being queued for delivery to you. Your queue is now over %d%% full. You will be disconnected when the queue is full.","percent_full":%d}}`, percent, percent)
}
