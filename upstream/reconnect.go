package upstream

import "time"

// coalesce is how long further calls of Reconnect mean the one that has just
// had its effect.
const coalesce = time.Second

// Reconnect leaves a halt or a wait now. An open stream is closed in order and
// a new one is opened at once: that is no failure, takes no step on a ladder
// and leaves the immediate reconnect of the minute alone; posts that may be
// missing are told. Calls within a second of one that had an effect never close
// the stream that it led to. While a connection is being made, or before Run,
// it does nothing.
func (r *Runner) Reconnect() {
	r.signals()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active == nil || !closed(r.active.accepted) {
		select {
		case r.nudge <- struct{}{}:
		default:
		}
		return
	}
	if now := time.Now(); now.Sub(r.asked) >= coalesce {
		r.asked = now
		r.active.hangUp(errAsked)
	}
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

// reopen settles what the end of a stream means that Reconnect closed, or Switch.
func (r *Runner) reopen(a *attempt) {
	end := "reconnect"
	if a.err.Err == errChanged {
		end = "switch"
	}
	if !a.lastByte.IsZero() {
		r.count(func(s *Stats) { s.Ends[end]++ })
	}
	r.part(a, true)
	r.leave(a, a.err)
	if a.established {
		r.ladder.reset(time.Since(a.opened) >= immediateEvery)
		r.note()
	}
	r.Log.Info("the upstream stream was closed to open a new one", "source", r.Name, "reason", a.err.Error())
}
