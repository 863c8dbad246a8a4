package twitter

import (
	"errors"
	"io"
	"slices"
	"strings"

	"aviary/fanout"
	"aviary/upstream"
)

// take hands one message to the sink. An error ends the stream.
func (c *connection) take(message []byte) error {
	e, reason := decode(message)
	if e != nil {
		return c.emit(e)
	}
	if exceeded(message) {
		return c.turnedAway(message)
	}
	split := false
	for piece := range upstream.Pieces(message) { // what a broken line has swallowed
		split = true
		if err := c.take(piece); err != nil {
			return err
		}
	}
	if !split {
		c.to.Drop(reason)
	}
	return nil
}

// tail takes what came behind the last line end of a body that ended with err:
// a message whose line end was forgotten, or a cut one. It returns how the
// stream ended.
func (c *connection) tail(rest []byte, err error) error {
	if len(rest) == 0 {
		return c.endOf(err)
	}
	if e, _ := decode(rest); e != nil {
		if end := c.emit(e); end != nil {
			return end
		}
		return c.endOf(err)
	}
	if pieces := slices.Collect(upstream.Pieces(rest)); len(pieces) > 0 {
		last := len(pieces) - 1
		for _, piece := range pieces[:last] {
			if end := c.take(piece); end != nil {
				return end
			}
		}
		return c.tail(pieces[last], err)
	}
	if exceeded(rest) {
		return c.turnedAway(rest)
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return c.endOf(err)
}

// emit hands an event to the sink. An error ends the stream.
func (c *connection) emit(e *fanout.Event) error {
	kind, notice := e.Kind, e.JSON // the event is the sink's after Emit, but its JSON never changes
	if kind == fanout.KindDisconnect || kind == fanout.KindWarning {
		e = c.veil.cover(e)
	}
	if e == nil {
		c.to.Drop(upstream.DropMalformed)
	} else {
		c.to.Emit(e)
	}
	if kind == fanout.KindDisconnect {
		return c.disconnected(notice)
	}
	return nil
}

// decode is Decode, behind a wall: no input may stop the program.
func decode(message []byte) (e *fanout.Event, reason string) {
	defer func() {
		if recover() != nil {
			e, reason = nil, upstream.DropPanic
		}
	}()
	e, err := Decode(message)
	if err != nil {
		return nil, upstream.DropMalformed
	}
	return e, ""
}

// exceeded recognises the plain line that the upstream writes into a stream it
// will not serve: "Exceeded connection limit for user".
func exceeded(line []byte) bool {
	return len(line) < 1000 && line[0] != '{' && strings.Contains(strings.ToLower(string(line)), "exceeded connection limit")
}

// turnedAway is the end of a stream that such a line ends.
func (c *connection) turnedAway(line []byte) error {
	return &upstream.Error{Class: upstream.RateLimit, Clean: true, Err: errors.New("the upstream says: " + c.veil.quote(string(line), maxSummary)),
		Hint: "too many streams are open with these credentials; stop the others, or wait for dead ones to be forgotten"}
}
