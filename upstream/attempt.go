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

var errStall = errors.New("stalled")

// attempt is one connection and the Sink of it. Owned by the goroutine in Run,
// which is also the one that runs Source.Stream; only the timer is shared.
type attempt struct {
	r           *Runner
	hangUp      context.CancelCauseFunc
	stall       *time.Timer
	opened      time.Time // when the upstream accepted; zero: it did not
	lastByte    time.Time
	established bool
	dismissed   bool // a disconnect message came
}

// stream opens one connection and returns how it ended, as an *Error.
func (r *Runner) stream(ctx context.Context) (*attempt, *Error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a := &attempt{r: r, hangUp: cancel}
	a.stall = time.AfterFunc(r.StallTimeout, func() { cancel(errStall) })
	defer a.stall.Stop()

	err := a.guard(ctx)
	r.open(nil)
	if context.Cause(ctx) == errStall {
		return a, &Error{
			Class: Stall, Err: fmt.Errorf("nothing came for %v, not even a keep-alive", r.StallTimeout),
			Hint: "the network or the upstream is stuck; it is tried again by itself",
		}
	}
	var e *Error
	known := errors.As(err, &e)
	if context.Cause(ctx) == errAsked {
		return a, &Error{Class: Network, Err: errAsked, Clean: true, Whole: known && e.Whole}
	}
	if !known {
		if err == nil {
			err = errors.New("the stream ended")
		}
		e = &Error{Class: Network, Err: err}
	}
	return a, e
}

// guard runs the source and turns a panic into an error.
func (a *attempt) guard(ctx context.Context) (err error) {
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
	return a.r.Source.Stream(ctx, a)
}

// Alive implements Sink.
func (a *attempt) Alive(n int) {
	now := time.Now()
	a.stall.Reset(a.r.StallTimeout)
	if a.opened.IsZero() {
		a.opened = now
		a.r.open(a.hangUp)
	}
	if n <= 0 {
		return
	}
	if a.lastByte.IsZero() {
		a.r.enter(StateStreaming, nil, time.Time{})
		a.r.count(func(s *Stats) { s.Connects["ok"]++ })
	}
	a.lastByte = now
	if now.Sub(a.opened) >= establishedAfter {
		a.established = true
	}
	a.r.count(func(s *Stats) { s.Bytes += uint64(n) })
}

// Emit implements Sink.
func (a *attempt) Emit(e *fanout.Event) {
	if e.Kind == fanout.KindGap { // an oversized message: told, but not a message
		a.Drop(DropOversize)
		a.r.Publish(e)
		return
	}
	if e.Kind == fanout.KindDisconnect {
		a.dismissed = true
	} else {
		a.established = true
	}
	now := time.Now()
	if e.Kind == fanout.KindPost {
		a.r.tellGap(now)
	}
	sent, post := e.Sent, e.Kind == fanout.KindPost
	kind := kindName(e.Kind)
	fresh := a.r.Publish(e)
	a.r.count(func(s *Stats) {
		s.Messages[kind]++
		if !fresh {
			s.Drops[DropDuplicate]++
		}
		if post {
			a.r.rate.add(now)
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
