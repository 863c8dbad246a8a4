package twitter

import (
	"errors"
	"net/http"
	"strings"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// read takes messages until the stream ends.
func (c *connection) read(answer *http.Response) error {
	in := &httpapi.Stream{To: c.to, Veil: c.veil, Decode: Decode, Emit: c.emit, Refuses: c.turnedAway}
	return in.Read(answer)
}

// emit hands an event to the sink. An error ends the stream.
func (c *connection) emit(e *fanout.Event) error {
	kind, notice := e.Kind, e.JSON // the event is the sink's after Emit, but its JSON never changes
	if kind == fanout.KindDisconnect || kind == fanout.KindWarning {
		e = cover(c.veil, e)
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

// decode is Decode, behind a wall.
func decode(message []byte) *fanout.Event {
	e, _ := httpapi.Decoded(Decode, message)
	return e
}

// exceeded recognises the plain line that the upstream writes into a stream it
// will not serve: "Exceeded connection limit for user".
func exceeded(line []byte) bool {
	return len(line) < 1000 && line[0] != '{' && strings.Contains(strings.ToLower(string(line)), "exceeded connection limit")
}

// turnedAway is the end of a stream that such a line ends; nil for any other line.
func (c *connection) turnedAway(line []byte) error {
	if !exceeded(line) {
		return nil
	}
	return &upstream.Error{Class: upstream.RateLimit, Clean: true, Err: errors.New("the upstream says: " + c.veil.Quote(string(line), httpapi.MaxSummary)),
		Hint: "too many streams are open with these credentials; stop the others, or wait for dead ones to be forgotten"}
}
