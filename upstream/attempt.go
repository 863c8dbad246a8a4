package upstream

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"aviary/fanout"
)

// establishedAfter is how long bytes must have come before a connection
// without a whole message counts as established.
const establishedAfter = 30 * time.Second

// Causes of the end of an attempt's context.
var (
	errStall   = errors.New("stalled")
	errAsked   = errors.New("an operator asked for a new connection")
	errChanged = errors.New("what the upstream is asked for has changed")
)

// attempt is one connection and the Sink of it. It has a goroutine of its own,
// which ends before done is closed.
type attempt struct {
	r      *Runner
	ctx    context.Context
	hangUp context.CancelCauseFunc
	slot   int
	wish   uint64 // the last Switch that it heeds
	stall  *time.Timer

	accepted chan struct{} // closed when the upstream accepted it
	proven   chan struct{} // closed at the first message, or when it is established
	done     chan struct{} // closed when the connection is closed

	// Owned by the attempt's goroutine; whoever saw done reads them.
	opened      time.Time // when the upstream accepted; zero: it did not
	lastByte    time.Time
	pace        pace
	begun       bool // the first byte came
	established bool
	proved      bool
	dismissed   bool // a disconnect message came
	refused     bool // Opened did not let it publish
	err         *Error

	live bool // bytes came; owned by Runner.mu
}

// open begins a connection in a slot, as the one that as points to: r.active or
// r.next.
func (r *Runner) open(ctx context.Context, slot int, as **attempt) *attempt {
	a := &attempt{
		r: r, slot: slot,
		accepted: make(chan struct{}), proven: make(chan struct{}), done: make(chan struct{}),
	}
	a.ctx, a.hangUp = context.WithCancelCause(ctx)
	r.budget.begin(time.Now())
	r.note()
	r.mu.Lock()
	a.wish, r.wished = r.wish, time.Time{}
	*as = a
	r.mu.Unlock()
	a.stall = time.AfterFunc(r.StallTimeout, func() { a.hangUp(errStall) })
	go func() {
		defer close(a.done)
		a.err = a.run()
	}()
	return a
}

// run lets the source stream and returns how that ended.
func (a *attempt) run() *Error {
	defer a.hangUp(nil)
	defer a.stall.Stop()
	err := a.guard()
	var e *Error
	known := errors.As(err, &e)
	cause := context.Cause(a.ctx)
	if a.refused {
		return &Error{Class: Network, Err: cause, Clean: true}
	}
	switch cause {
	case errStall:
		return &Error{
			Class: Stall, Err: fmt.Errorf("nothing came for %v, not even a keep-alive", a.r.StallTimeout),
			Hint: "the network or the upstream is stuck; it is tried again by itself",
		}
	case errAsked, errChanged:
		return &Error{Class: Network, Err: cause, Clean: true, Whole: known && e.Whole}
	}
	if !known {
		if err == nil {
			err = errors.New("the stream ended")
		}
		e = &Error{Class: Network, Err: err}
	}
	return e
}

// guard runs the source and turns a panic into an error.
func (a *attempt) guard() (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.Drop(DropPanic)
			a.r.Log.Error("the source panicked", "source", a.r.Name, "panic", p, "stack", string(debug.Stack()))
			err = &Error{
				Class: HTTP, Err: fmt.Errorf("the %s source panicked: %v", a.r.Name, p),
				Hint: "this is a bug in aviary: please report it with the log line that holds the stack",
			}
		}
	}()
	return a.r.Source.Stream(a.ctx, a)
}

// Alive implements Sink.
func (a *attempt) Alive(n int) {
	now := time.Now()
	a.stall.Reset(a.r.StallTimeout)
	if a.opened.IsZero() {
		a.opened = now
		close(a.accepted)
	}
	if n <= 0 {
		return
	}
	if !a.begun {
		a.begin()
		now = time.Now()
	}
	if !a.lastByte.IsZero() {
		a.pace.read(now.Sub(a.lastByte))
	}
	a.lastByte = now
	if now.Sub(a.opened) >= establishedAfter {
		a.establish()
	}
	a.r.count(func(s *Stats) { s.Bytes += uint64(n) })
}

// begin is what the first byte means.
func (a *attempt) begin() {
	r := a.r
	a.begun = true
	r.count(func(s *Stats) { s.Connects["ok"]++ })
	if r.Opened != nil {
		since, err := r.Opened(a.ctx, a.slot, a.opened)
		if err != nil {
			a.refused = true
			a.hangUp(err)
			return
		}
		r.missing(since)
	}
	r.streaming(a)
}

func (a *attempt) establish() {
	a.established = true
	if !a.proved {
		a.proved = true
		close(a.proven)
	}
}

// Emit implements Sink.
func (a *attempt) Emit(e *fanout.Event) {
	if !a.begun {
		a.begin()
	}
	if a.refused {
		return
	}
	r := a.r
	if e.Kind == fanout.KindGap { // an oversized message: told, but not a message
		a.Drop(DropOversize)
		r.publish(e, time.Time{})
		return
	}
	if e.Kind == fanout.KindDisconnect {
		a.dismissed = true
		if r.replaced(a) {
			return // it is the one that was to go
		}
	} else {
		a.establish()
	}
	now := time.Now()
	sent, post := e.Sent, e.Kind == fanout.KindPost
	if post {
		a.pace.late.Note(sent, a.lastByte)
	}
	received := e.Received // by whoever was there then, of a source that repeats a history
	if received.IsZero() {
		received = now
	}
	kind := kindName(e.Kind)
	fresh := r.publish(e, now)
	r.count(func(s *Stats) {
		s.Messages[kind]++
		if !fresh {
			s.Drops[DropDuplicate]++
		}
		if post {
			r.rate.add(now, received)
			if !sent.IsZero() {
				s.Lag = now.Sub(sent)
			}
		}
	})
}

// Drop implements Sink.
func (a *attempt) Drop(reason string) {
	a.r.count(func(s *Stats) { s.Drops[reason]++ })
}
