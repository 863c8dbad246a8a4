package loadgen

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"time"
)

// errEnd says that the server ended the stream in order.
var errEnd = errors.New("the server ended the stream")

// Stream is one open stream. Its fields are owned by the fleet and may be read
// inside Fleet.Locked and by the Reader.
type Stream struct {
	Index    int    // from 0, in the order of opening
	Bytes    int64  // of the body so far, compressed if it is
	Encoding string // Content-Encoding of the answer

	fd     int      // of the socket that epoll watches; -1: conn is read by a goroutine
	conn   net.Conn // nil if fd is valid
	answer []byte   // until the head is whole; of a refusal also its body
	head   *head
	chunks chunks
	parser parser
	opened bool // counted as open
	ended  bool

	answered chan<- struct{} // told once: opened, or failed; has room for that
}

// Alive reports whether the stream was answered and has not ended. Like the
// fields it is to be asked inside Fleet.Locked.
func (s *Stream) Alive() bool { return s.opened && !s.ended }

// feed takes bytes as they came from the socket: first the head, then the body.
func (s *Stream) feed(f *Fleet, b []byte, at time.Time) error {
	if s.head == nil || !s.head.ok() {
		s.answer = append(s.answer, b...)
		end := bytes.Index(s.answer, []byte("\r\n\r\n"))
		if end < 0 {
			if len(s.answer) > maxHead {
				return fmt.Errorf("the answer has a head of more than %d bytes", maxHead)
			}
			return nil
		}
		var err error
		if s.head, err = readHead(s.answer[:end]); err != nil {
			return err
		}
		b = s.answer[end+4:]
		if !s.head.ok() {
			return s.refused(b)
		}
		s.answer = nil
		f.opened(s)
	}
	if s.head.chunked {
		payload, err := s.chunks.strip(b)
		if err := errors.Join(s.body(f, payload, at), err); err != nil {
			return err
		}
		return nil
	}
	return s.body(f, b, at)
}

// refused waits for the words of a refusal, as far as they help.
func (s *Stream) refused(body []byte) error {
	r := refusalOf(s.head.status, body)
	if r.Detail == "" && len(body) < maxRefusal && !s.head.whole(body) {
		return nil
	}
	return r
}

// body takes payload.
func (s *Stream) body(f *Fleet, b []byte, at time.Time) error {
	s.Bytes += int64(len(b))
	if len(b) == 0 || s.head.encoding != "" {
		return nil
	}
	return s.parser.feed(b, func(e *Event) { f.cfg.Reader.Event(s, e, at) })
}

// ending is the error of a stream whose connection ended with err.
func (s *Stream) ending(err error) error {
	if s.head != nil && !s.head.ok() {
		return refusalOf(s.head.status, s.answer)
	}
	return err
}
