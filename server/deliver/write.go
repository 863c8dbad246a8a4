package deliver

import (
	"net"
	"os"
	"time"
)

// flush writes the batch, in as few writes as maxWrite allows, and empties it.
func (c *Client) flush(b *batch) error {
	if b.size() == 0 {
		return nil
	}
	err := c.write(b.bytes())
	if err == nil {
		c.shard.counts.delivered(b.posts, b.size(), b.received)
		c.posts.Add(uint64(b.posts))
		c.position.Store(c.passed.Seq)
	}
	b.reset()
	return err
}

// write hands p to the kernel (HTTP/2: to the connection) in pieces of at most
// maxWrite, each with a deadline of its own.
func (c *Client) write(p []byte) error {
	for len(p) > 0 {
		n := min(len(p), maxWrite)
		now := time.Now()
		if err := c.arm(now); err != nil {
			return err
		}
		_, err := c.out.Write(p[:n])
		if err == nil {
			err = c.control.Flush()
		}
		if err != nil {
			return c.failed(err)
		}
		if c.shared { // there a deadline ends the stream even when nothing is being written
			if err := c.control.SetWriteDeadline(time.Time{}); err != nil {
				return err
			}
		}
		p = p[n:]
		c.lastWrite.Store(int64(now.Sub(c.clients.start)))
	}
	return nil
}

// arm sees to it that a write that begins now has at least a write timeout, and
// at most an eighth more. On a connection of its own it renews the deadline only
// when that eighth has passed: an expired deadline harms nobody who is not writing.
func (c *Client) arm(now time.Time) error {
	timeout := c.clients.cfg.WriteTimeout
	if !c.shared {
		if c.deadline.Sub(now) >= timeout {
			return nil
		}
		timeout += timeout / 8
	}
	c.deadline = now.Add(timeout)
	return c.control.SetWriteDeadline(c.deadline)
}

// failed says os.ErrDeadlineExceeded for every write that failed because of its
// deadline: HTTP/2 only says that the stream is closed.
func (c *Client) failed(err error) error {
	if !time.Now().Before(c.deadline) {
		return os.ErrDeadlineExceeded
	}
	return err
}

// linger says what becomes of the bytes that the kernel holds when the connection
// is closed: with 0 they are forgotten and the client sees a reset, with -1 they
// are sent. A stream lives with 0, since net/http itself closes a connection
// whose write fails, and gets -1 when its last word is written. Streams of
// HTTP/2 share a connection, which stays as it is; pipes have no such option.
func (c *Client) linger(seconds int) {
	conn := c.conn
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok { // tls.Conn
		conn = t.NetConn()
	}
	if t, ok := conn.(interface{ SetLinger(int) error }); ok {
		_ = t.SetLinger(seconds) // fails only if the connection is closed already
	}
}
