package upstream

import (
	"context"
	"errors"
	"time"
)

// coalesce is how long further calls of Reconnect mean the one that has just
// had its effect.
const coalesce = time.Second

// errAsked is the cause of the end of a stream that Reconnect closed.
var errAsked = errors.New("an operator asked for a new connection")

// Reconnect leaves a halt or a wait now. An open stream is closed in order and
// a new one is opened at once: that is no failure, takes no step on a ladder
// and leaves the immediate reconnect of the minute alone; posts that may be
// missing are told. Calls within a second of one that had an effect never close
// the stream that it led to. While a connection is being made, or before Run,
// it does nothing.
func (r *Runner) Reconnect() {
	r.once.Do(func() { r.nudge = make(chan struct{}, 1) })
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.hangUp == nil {
		select {
		case r.nudge <- struct{}{}:
		default:
		}
		return
	}
	if now := time.Now(); now.Sub(r.asked) >= coalesce {
		r.asked = now
		r.hangUp(errAsked)
	}
}

// open notes how the stream that is open now can be ended; nil: none is open.
func (r *Runner) open(hangUp context.CancelCauseFunc) {
	r.mu.Lock()
	r.hangUp = hangUp
	r.mu.Unlock()
}

// heed notes that a Reconnect ended a halt or a wait.
func (r *Runner) heed() {
	r.mu.Lock()
	r.asked = time.Now()
	r.mu.Unlock()
}

// drainNudge forgets a Reconnect that came while a connection was being made.
func (r *Runner) drainNudge() {
	select {
	case <-r.nudge:
	default:
	}
}

// reopen settles what the end of a stream means that Reconnect closed.
func (r *Runner) reopen(a *attempt, err *Error) {
	if !a.lastByte.IsZero() {
		r.count(func(s *Stats) { s.Ends["reconnect"]++ })
	}
	r.leave(a, err)
	if a.established {
		r.ladder.reset(time.Since(a.opened) >= immediateEvery)
	}
	r.Log.Info("the upstream stream was closed to open a new one", "source", r.Name, "reason", err.Error())
}
