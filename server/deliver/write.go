package deliver

import (
	"net"
	"os"
	"time"
)

// flush writes the batch, in as few writes as maxWrite allows.
func (h *handler) flush(b *batch) error {
	c := h.client
	if b.size == 0 {
		c.clients.metrics.told(b.gaps, 1)
		return nil
	}
	err := h.write(b.bytes())
	if err == nil {
		c.wrote(b)
		c.clients.metrics.told(b.gaps, 1)
		c.shard.counts.wrote(c.form.Coding, b.posts, b.size)
		c.shard.counts.took(time.Now(), b.received, 1)
		h.posts.Add(uint64(b.posts))
		if b.last.Seq > 0 {
			h.position.Store(b.last.Seq)
		}
	}
	return err
}

// write hands p to the kernel (HTTP/2: to the connection) in pieces of at most
// maxWrite, each with a deadline of its own.
func (h *handler) write(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), maxWrite)
		now := time.Now()
		if err := h.arm(now); err != nil {
			return err
		}
		_, err := h.out.Write(p[:n])
		if err == nil {
			err = h.control.Flush()
		}
		if err != nil {
			return h.failed(err)
		}
		if h.shared { // there a deadline ends the stream even when nothing is being written
			if err := h.control.SetWriteDeadline(time.Time{}); err != nil {
				return err
			}
		}
		p = p[n:]
		h.lastWrite.Store(int64(now.Sub(h.client.clients.start)))
	}
	return nil
}

// arm sees to it that a write that begins now has at least a write timeout, and
// at most an eighth more. On a connection of its own it renews the deadline only
// when that eighth has passed: an expired deadline harms nobody who is not writing.
func (h *handler) arm(now time.Time) error {
	timeout := h.client.clients.cfg.WriteTimeout
	if !h.shared {
		if h.deadline.Sub(now) >= timeout {
			return nil
		}
		timeout += timeout / 8
	}
	h.deadline = now.Add(timeout)
	return h.control.SetWriteDeadline(h.deadline)
}

// failed says os.ErrDeadlineExceeded for every write that failed because of its
// deadline: HTTP/2 only says that the stream is closed.
func (h *handler) failed(err error) error {
	if !time.Now().Before(h.deadline) {
		return os.ErrDeadlineExceeded
	}
	return err
}

// linger says what becomes of the bytes that the kernel holds when the connection
// is closed: with 0 they are forgotten and the client sees a reset, with -1 they
// are sent. A stream lives with 0, since net/http itself closes a connection
// whose write fails, and gets -1 when its last word is written. Streams of
// HTTP/2 share a connection, which stays as it is; pipes have no such option.
func (h *handler) linger(seconds int) {
	conn := h.conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // tls.Conn
		conn = t.NetConn()
	}
	if t, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(seconds) // fails only if the connection is closed already
	}
}
