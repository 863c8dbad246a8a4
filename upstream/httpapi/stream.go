package httpapi

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

// Stream reads the messages of one answer that does not end by itself. Its user
// sets the exported fields; one goroutine.
type Stream struct {
	To   upstream.Sink
	Veil *Veil
	// Decode makes an event of a message; an error says that it is none. A panic in it
	// costs the message.
	Decode func(message []byte) (*fanout.Event, error)
	// Emit hands an event on. An error ends the stream.
	Emit func(*fanout.Event) error
	// Refuses recognises a line that is no message and ends the stream; nil: there is
	// no such line.
	Refuses func(line []byte) error
	// Alive is called whenever bytes came, beside the sink's; nil: nothing.
	Alive func()

	came bool // some byte of the body
}

// Read takes messages until the stream ends. The error says how it ended.
func (s *Stream) Read(answer *http.Response) error {
	r, err := s.Veil.Body(answer, alive{answer.Body, s})
	if err != nil {
		return s.endOf(err)
	}
	frames := upstream.NewFrames(r, upstream.FramingStream)
	for {
		message, err := frames.Next()
		switch {
		case errors.Is(err, upstream.ErrOversize):
			now := time.Now()
			s.To.Emit(upstream.GapEvent(fanout.Loss{Reason: "oversize", Missed: 1, From: now, To: now}))
		case err != nil:
			return s.tail(message, err)
		default:
			if err := s.take(message); err != nil {
				return err
			}
		}
	}
}

// alive reports every byte that comes to the sink. It lies below gzip, so that
// the first byte of a gzip header counts as well.
type alive struct {
	r io.Reader
	s *Stream
}

func (a alive) Read(p []byte) (int, error) {
	n, err := a.r.Read(p)
	if n > 0 {
		a.s.came = true
		if a.s.Alive != nil {
			a.s.Alive()
		}
		a.s.To.Alive(n)
	}
	return n, err
}

// take hands one message on. An error ends the stream.
func (s *Stream) take(message []byte) error {
	e, reason := Decoded(s.Decode, message)
	if e != nil {
		return s.Emit(e)
	}
	if err := s.refuses(message); err != nil {
		return err
	}
	split := false
	for piece := range upstream.Pieces(message) { // what a broken line has swallowed
		split = true
		if err := s.take(piece); err != nil {
			return err
		}
	}
	if !split {
		s.To.Drop(reason)
	}
	return nil
}

func (s *Stream) refuses(line []byte) error {
	if s.Refuses == nil {
		return nil
	}
	return s.Refuses(line)
}

// tail takes what came behind the last line end of a body that ended with err:
// a message whose line end was forgotten, or a cut one. It returns how the
// stream ended.
func (s *Stream) tail(rest []byte, err error) error {
	if len(rest) == 0 {
		return s.endOf(err)
	}
	if e, _ := Decoded(s.Decode, rest); e != nil {
		if end := s.Emit(e); end != nil {
			return end
		}
		return s.endOf(err)
	}
	if pieces := slices.Collect(upstream.Pieces(rest)); len(pieces) > 0 {
		last := len(pieces) - 1
		for _, piece := range pieces[:last] {
			if end := s.take(piece); end != nil {
				return end
			}
		}
		return s.tail(pieces[last], err)
	}
	if end := s.refuses(rest); end != nil {
		return end
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return s.endOf(err)
}

// Decoded is a decoder behind a wall: no input may stop the program. reason is why
// there is no event.
func Decoded(decode func([]byte) (*fanout.Event, error), message []byte) (e *fanout.Event, reason string) {
	defer func() {
		if recover() != nil {
			e, reason = nil, upstream.DropPanic
		}
	}()
	e, err := decode(message)
	if err != nil {
		return nil, upstream.DropMalformed
	}
	return e, ""
}

// again is what an operator has to do about a stream that ended.
const again = "it is opened again by itself"

// endOf classes the end of a body.
func (s *Stream) endOf(err error) error {
	var known *upstream.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, io.EOF) && !s.came:
		return &upstream.Error{Class: upstream.Network, Clean: true, Err: errors.New("the upstream accepted the request and closed the stream without a byte"), Hint: again}
	case errors.Is(err, io.EOF):
		return &upstream.Error{Class: upstream.Network, Clean: true, Err: errors.New("the upstream closed the stream"), Hint: again}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &upstream.Error{Class: upstream.Network, Err: errors.New("the stream was cut off in the middle"), Hint: again}
	}
	return &upstream.Error{Class: upstream.Network, Err: errors.New("the stream broke: " + s.Veil.Quote(err.Error(), MaxSummary)), Hint: again}
}

// ConnectError is a failure to get any answer. setting names what may be wrong
// about the address.
func (v *Veil) ConnectError(err error, setting string) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &upstream.Error{
		Class: upstream.Network, Err: errors.New("cannot connect: " + v.Quote(err.Error(), MaxSummary)),
		Hint: "the network, DNS or the upstream is down, or " + setting + " is wrong; it is tried again by itself",
	}
}
