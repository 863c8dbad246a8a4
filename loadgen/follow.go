package loadgen

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// follow reads one stream on a goroutine of its own, until it ends.
func (f *Fleet) follow(s *Stream, conn net.Conn) {
	err := f.read(s, conn)
	if errors.Is(err, io.EOF) || err == nil {
		err = errEnd
	}
	_ = conn.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.end(s, err)
}

func (f *Fleet) read(s *Stream, conn net.Conn) error {
	response, err := http.ReadResponse(bufio.NewReaderSize(conn, 16<<10), nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal))
		return refusalOf(response.Status, said)
	}
	f.mu.Lock()
	s.head = &head{status: response.Status, encoding: response.Header.Get("Content-Encoding")}
	f.opened(s)
	f.mu.Unlock()

	body := io.Reader(&counted{f: f, s: s, r: response.Body})
	switch {
	case s.head.encoding == "":
	case f.cfg.Decode == nil || !f.cfg.Decode(s.Index):
		_, err := io.Copy(io.Discard, body)
		return err
	case s.head.encoding == "gzip":
		if body, err = gzip.NewReader(body); err != nil {
			return err
		}
	default:
		return fmt.Errorf("a body in %q, which is not read here", s.head.encoding)
	}
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		at := time.Now()
		f.mu.Lock()
		if !s.ended && n > 0 {
			err = errors.Join(s.parser.feed(buf[:n], func(e *Event) { f.cfg.Reader.Event(s, e, at) }), err)
		}
		f.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// counted counts the bytes of a body before they are inflated.
type counted struct {
	f *Fleet
	s *Stream
	r io.Reader
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.f.mu.Lock()
	c.s.Bytes += int64(n)
	c.f.mu.Unlock()
	return n, err
}
