package upstream

import (
	"context"
	"errors"
	"time"
)

// immediateEvery is how often the end of an established stream may be answered
// by an immediate reconnect, and how long a stream must last not to count as
// flapping.
const immediateEvery = time.Minute

// maxJitter bounds the jitter of very long waits: ten per cent of a month is too late.
const maxJitter = 2 * time.Minute

var errSlots = errors.New("all streams that the upstream allows may still be open there")

// waitForSlot takes a slot for a stream; 0: ctx has ended.
func (r *Runner) waitForSlot(ctx context.Context) int {
	for ctx.Err() == nil {
		slot, wait, why := r.Slots.Take(ctx, false)
		if slot > 0 {
			return slot
		}
		if why == nil {
			why = errSlots
		}
		r.enter(StateBackingOff, &Error{
			Class: RateLimit, Err: why,
			Hint: "the upstream may still count streams of ours that died; the next one opens when it has forgotten one",
		}, time.Now().Add(wait))
		r.sleep(ctx, wait, false)
	}
	return 0
}

// close settles what the end of an attempt means: it resolves Conflict, frees
// the slot, counts, and returns how long to wait before the next one (without
// jitter; 0: at once).
func (r *Runner) close(a *attempt) time.Duration {
	r.settle(a)
	r.leave(a, a.err)
	return r.wait(a, time.Now())
}

// settle resolves Conflict, frees the slot and counts.
func (r *Runner) settle(a *attempt) {
	err := a.err
	if err.Class == Conflict {
		err.Class = Fatal
		if died := r.Slots.Died(); !died.IsZero() && time.Since(died) < r.StallTimeout {
			err.Class = RateLimit
		}
	}
	unclean := err.Class == Stall || !a.opened.IsZero() && !err.Clean && err.Class != Fatal
	r.part(a, !unclean)
	brought := !a.lastByte.IsZero()
	r.count(func(s *Stats) {
		if brought {
			s.Ends[err.Class.String()]++
		} else {
			s.Connects[err.Class.String()]++
		}
	})
}

// leave notes from when on posts may be missing. Of a stream that Opened refused none
// was published: they are missing since before it.
func (r *Runner) leave(a *attempt, err *Error) {
	if !a.lastByte.IsZero() && !a.refused && !err.Whole {
		r.missing(a.heard())
	}
}

// wait chooses the wait after the end of the active stream.
func (r *Runner) wait(a *attempt, now time.Time) time.Duration {
	err := a.err
	if err.Class == Fatal {
		return 0
	}
	defer r.note()
	var turnedAway time.Duration // by the same upstream, a moment ago
	if r.refused.fatal == 0 {
		turnedAway = r.refused.until.Sub(now)
	}
	established := a.established || a.dismissed && err.Class != RateLimit
	drop := (err.Class == Network || err.Class == Stall) && established
	if established && turnedAway <= 0 {
		r.ladder.reset(now.Sub(a.opened) >= immediateEvery)
	}
	if drop && turnedAway <= 0 && err.RetryAfter == 0 && !err.NotBefore.After(now) &&
		(r.immediate.IsZero() || now.Sub(r.immediate) >= immediateEvery) {
		r.immediate = now
		return 0
	}
	wait := r.climb(err, now)
	if drop {
		wait = max(wait, r.ladder.flapped())
	}
	return max(wait, turnedAway)
}

// climb takes a step on the ladder of a failure and returns the wait.
func (r *Runner) climb(err *Error, now time.Time) time.Duration {
	wait, atCap := r.ladder.next(err.Class, err.RetryAfter)
	if atCap {
		r.Log.Error("the upstream has been failing for long: the back-off is at its cap", "source", r.Name, "class", err.Class.String())
	}
	return max(wait, err.NotBefore.Sub(now))
}

// jittered adds what keeps many gateways from coming back at one instant.
func (r *Runner) jittered(wait time.Duration) time.Duration {
	return wait + min(time.Duration(float64(wait)*0.1*r.Jitter()), maxJitter)
}

// pause waits as long as the failure asks for, or until Reconnect or the end of ctx.
func (r *Runner) pause(ctx context.Context, wait time.Duration, err *Error) {
	if err.Class == Fatal {
		r.Log.Error("the upstream is halted until somebody acts", "source", r.Name, "error", err.Error(), "hint", err.Hint)
		r.drainNudge()
		r.enter(StateHalted, err, time.Time{})
		select {
		case <-ctx.Done():
		case <-r.nudge:
			r.heed()
			r.ladder.reset(true)
			r.note()
		}
		return
	}
	wait = r.jittered(wait)
	r.Log.Warn("the upstream stream ended", "source", r.Name, "class", err.Class.String(), "error", err.Error(), "retry_in", wait.Round(time.Millisecond))
	r.drainNudge()
	r.enter(StateBackingOff, err, time.Now().Add(wait))
	if wait > 0 {
		r.sleep(ctx, wait, true)
	}
}

// sleep waits and counts the wait. Reconnect ends it early if it may.
func (r *Runner) sleep(ctx context.Context, wait time.Duration, nudged bool) {
	began := time.Now()
	r.count(func(s *Stats) { s.Backoff = wait })
	defer r.count(func(s *Stats) { s.Backoff = 0; s.BackoffTotal += time.Since(began) })
	nudge := r.nudge
	if !nudged {
		nudge = nil
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-nudge:
		r.heed()
	}
}
