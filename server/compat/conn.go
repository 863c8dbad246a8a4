package compat

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"aviary/fanout"
	"aviary/fanout/wire"
	"aviary/server/deliver"
)

// conn writes the lines of one stream: chunked, as Twitter's were (a client that
// reads 512 bytes at a time then gets each line when it comes), in gzip if the
// client takes it, and a blank line after silence. It is owned by the stream's goroutine.
type conn struct {
	out     http.ResponseWriter
	control *http.ResponseController
	timeout time.Duration
	shared  bool // HTTP/2: a deadline there ends the stream even when nothing is written
	seat    *seat

	gzip      bool
	crc, size uint32 // of what went into the gzip member

	buf      []byte // what the next write sends
	posts    int
	received []time.Time // of the posts in buf that are no replay
	deadline time.Time
}

// gather is how much is collected for one write; maxWrite bounds it.
const (
	gather   = 32 << 10
	maxWrite = 64 << 10
)

// errNoDeadline is why a stream does not begin: nothing may be written without one.
var errNoDeadline = errors.New("the response writer takes no write deadline: is a middleware in the way?")

// open sends the headers. Of errNoDeadline the client can still be told.
func open(w http.ResponseWriter, r *http.Request, timeout time.Duration, seat *seat) (*conn, error) {
	c := &conn{out: w, control: http.NewResponseController(w), timeout: timeout, shared: r.ProtoMajor > 1, seat: seat, gzip: takesGzip(r)}
	if err := c.arm(); err != nil {
		return nil, errors.Join(errNoDeadline, err)
	}
	streamHeaders(w.Header())
	if c.gzip {
		w.Header().Set("Content-Encoding", "gzip")
		c.buf = append(c.buf, gzipHead...)
	}
	w.WriteHeader(http.StatusOK)
	return c, c.flush(true)
}

// streamHeaders sets the headers of a stream.
func streamHeaders(h http.Header) {
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding, Authorization")
}

// takesGzip reads Accept-Encoding (RFC 9110, 12.5.3), for gzip alone.
func takesGzip(r *http.Request) bool {
	for _, item := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(item), ";")
		q = strings.TrimSpace(q)
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return q != "q=0" && !(strings.HasPrefix(q, "q=0.") && strings.Trim(q[4:], "0") == "")
		}
	}
	return false
}

// post counts a post that is about to be added.
func (c *conn) post(e *fanout.Event) {
	c.posts++
	if !e.Received.Before(c.seat.client.Since) {
		c.received = append(c.received, e.Received)
	}
}

// line adds one whole line, its line end included.
func (c *conn) line(p []byte) error { return c.add(p, nil) }

// add adds bytes; block is the same compressed, if somebody has done that.
func (c *conn) add(p, block []byte) error {
	if len(c.buf) > 0 && len(c.buf)+len(p) > maxWrite {
		if err := c.flush(false); err != nil {
			return err
		}
	}
	if !c.gzip {
		c.buf = append(c.buf, p...)
		return nil
	}
	c.crc = crc32.Update(c.crc, crc32.IEEETable, p)
	c.size += uint32(len(p))
	if block == nil {
		c.buf = appendBlock(c.buf, p)
	} else {
		c.buf = append(c.buf, block...)
	}
	return nil
}

// full says that enough has been gathered for a write.
func (c *conn) full() bool { return len(c.buf) >= gather }

// flush writes what was added. force sends the headers even if nothing was.
func (c *conn) flush(force bool) error {
	if len(c.buf) == 0 && !force {
		return nil
	}
	for p := c.buf; len(p) > 0 || force; force = false {
		n := min(len(p), maxWrite)
		if err := c.write(p[:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	coding := wire.Identity
	if c.gzip {
		coding = wire.Gzip
	}
	c.seat.client.Wrote(coding, c.posts, len(c.buf))
	c.seat.client.Took(c.received)
	c.seat.posts.Add(uint64(c.posts))
	c.seat.lastWrite.Store(time.Now().UnixNano())
	c.posts, c.received, c.buf = 0, c.received[:0], c.buf[:0]
	if cap(c.buf) > 2*maxWrite {
		c.buf = nil
	}
	return nil
}

func (c *conn) write(p []byte) error {
	if err := c.arm(); err != nil {
		return err
	}
	_, err := c.out.Write(p)
	if err == nil {
		err = c.control.Flush()
	}
	if err != nil {
		if !time.Now().Before(c.deadline) {
			return os.ErrDeadlineExceeded
		}
		return err
	}
	if c.shared {
		return c.control.SetWriteDeadline(time.Time{})
	}
	return nil
}

// arm sees to it that a write that begins now has at least the timeout, and at
// most an eighth more: setting a deadline costs a timer.
func (c *conn) arm() error {
	now := time.Now()
	if !c.shared && c.deadline.Sub(now) >= c.timeout {
		return nil
	}
	c.deadline = now.Add(c.timeout + c.timeout/8)
	return c.control.SetWriteDeadline(c.deadline)
}

// idle drops the buffer of a stream that has nothing to say.
func (c *conn) idle() { c.buf, c.received = nil, nil }

// close ends the gzip member, so that the end is no error.
func (c *conn) close() error {
	if c.gzip {
		c.buf = append(c.buf, 1, 0, 0, 0xff, 0xff) // an empty stored block, the last one
		c.buf = binary.LittleEndian.AppendUint32(c.buf, c.crc)
		c.buf = binary.LittleEndian.AppendUint32(c.buf, c.size)
	}
	return c.flush(false)
}

// ended says why a stream is over whose goroutine met err, or nil.
func ended(why deliver.Reason, err error) deliver.Reason {
	switch {
	case err == nil:
		return why
	case errors.Is(err, os.ErrDeadlineExceeded):
		return deliver.TooSlow
	}
	return deliver.Gone
}

// gzipHead begins a member without name and time.
var gzipHead = []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}

// Each line is deflated for itself and ends on a byte (a sync flush). Any row of
// such blocks is a valid stream, so that streams can share them, and no stream
// keeps a compressor.
var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a good one
	}
	return w
}}

// appendBlock appends p as a deflate block of its own.
func appendBlock(dst, p []byte) []byte {
	if len(p) < 128 { // stored: a keep-alive, the rules of a post; there is little to gain
		dst = append(dst, 0, byte(len(p)), 0, ^byte(len(p)), 0xff)
		dst = append(dst, p...)
		return append(dst, 0, 0, 0, 0xff, 0xff) // an empty one behind it: some decoders pass nothing on before
	}
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	b := bytes.NewBuffer(dst)
	w.Reset(b)
	_, _ = w.Write(p) // a bytes.Buffer takes everything
	_ = w.Flush()
	return b.Bytes()
}
