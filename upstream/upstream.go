package upstream

import (
	"context"
	"time"

	"aviary/fanout"
)

// Source is one way to get events: one API, one file.
type Source interface {
	// Stream opens one connection, hands everything that comes to the sink and
	// returns when the connection has ended and is closed. The error is never
	// nil; an *Error says how to go on, any other error counts as Network.
	// Stream returns soon after ctx ends and leaves no goroutine behind.
	Stream(ctx context.Context, to Sink) error
}

// Troubled is a Source that can work in part. What it says is shown as error and
// hint of a stream that runs; "" is no trouble. Safe for concurrent use.
type Troubled interface{ Trouble() (text, hint string) }

// Sink takes what one connection brings. Its methods are called from one
// goroutine at a time, never after Stream returned, and never wait for a client.
type Sink interface {
	// Alive says that n bytes came over the wire, keep-alives and compression
	// included. It restarts the stall timer. n = 0 says that all is well though
	// nothing came: the upstream accepted the request, or a replay is pausing.
	Alive(n int)
	// Emit takes one whole message; the event is the sink's from then on.
	Emit(*fanout.Event)
	// Drop says that a message was lost before it became an event. The reasons
	// are the constants below.
	Drop(reason string)
}

// Reasons for Sink.Drop and keys of Stats.Drops.
const (
	DropMalformed = "malformed" // not one valid JSON object
	DropPanic     = "panic"     // decoding it panicked
	DropOversize  = "oversize"  // longer than MaxMessage
	DropDuplicate = "duplicate" // counted by the Runner when Publish refuses
)

// Class sorts failures by what to do next.
type Class uint8

// The classes of failure and their ladders.
const (
	Network   Class = iota // retried: linear from BACKOFF_NETWORK
	HTTP                   // retried: doubling from BACKOFF_HTTP
	RateLimit              // retried: doubling from BACKOFF_RATE_LIMIT
	Stall                  // nothing came for STALL_TIMEOUT: retried like Network
	Fatal                  // halts until a person acts
	// Conflict: the upstream counts more streams than it allows. Soon after a
	// stream of ours died uncleanly it is probably that one: RateLimit. Else
	// another process uses the same credentials and a retry would start a
	// fight: Fatal. The Runner decides, nobody sees this class outside.
	Conflict
)

// String returns the name that /status, logs and metrics use.
func (c Class) String() string {
	switch c {
	case Network:
		return "network"
	case HTTP:
		return "http"
	case RateLimit:
		return "rate_limit"
	case Stall:
		return "stall"
	case Fatal:
		return "fatal"
	case Conflict:
		return "conflict"
	}
	return "unknown"
}

// Error is a failure of the upstream that somebody decides on.
type Error struct {
	Class      Class
	RetryAfter time.Duration // what the server asked for; 0: nothing
	// NotBefore is when the upstream will serve us again, such as the end of a
	// month's quota. Unlike RetryAfter no cap shortens the wait; zero: it does not say.
	NotBefore time.Time
	Err       error
	Hint      string // what an operator can do about it

	// Clean says that the upstream itself ended the stream in order, so it does
	// not count it as open any more.
	Clean bool
	// Asked says that it is what the upstream was asked for that it refuses.
	Asked bool
	// Whole says that nothing can have been missed by the end of this stream:
	// no gap is told when the next one begins.
	Whole bool
}

// Error returns the failure in words, without the hint.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Class.String() + " failure of the upstream"
	}
	return e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
