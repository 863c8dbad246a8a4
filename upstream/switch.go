package upstream

import (
	"context"
	"time"
)

const (
	// collect is how long a Switch waits for further ones.
	collect = 250 * time.Millisecond
	// drain is how long the old stream is read on after the first message of the new.
	drain = 2 * time.Second
	// apart is how long after the old stream was closed another one is opened at
	// the earliest: before, the upstream may still count it.
	apart = 250 * time.Millisecond
)

// refusal is how the last stream ended that a Switch tried to open.
type refusal struct {
	wish   uint64        // that it was for; 0: the last one did not fail
	until  time.Time     // the upstream is left alone until then
	cooled time.Time     // when there may be a free slot again
	fatal  time.Duration // the last step of waiting for what no retry cures as a rule; 0: it was something else
}

// goesOn is the hint of a Fatal failure while the old stream goes on, before that
// of the failure itself.
const goesOn = "the stream goes on as it was asked before, and the new one is tried again at next_attempt; a reconnect would end what works. "

// Switch says that the source would ask the upstream for something else than it
// did. A stream that is open gives its place to a new one, which the source asks
// afresh: in a second slot, so that nothing is lost, if one is certainly free;
// else the old one is closed first and the gap is told. If the new one fails, the
// old one stays and another is tried later, when a slot is certainly free: after a
// Fatal failure, which time seldom cures, by the ladder for rate limits, or at the
// next call.
//
// Calls within a moment, and those while a switch is under way, are one. None
// leads above ConnectLimit. Without an open stream the next one asks afresh anyway:
// a halt and a wait go on.
func (r *Runner) Switch() {
	r.signals()
	r.mu.Lock()
	r.wish++
	if r.wished.IsZero() {
		r.wished = time.Now()
	}
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// follow waits until the active stream has ended, however often another takes
// its place, and returns the last.
func (r *Runner) follow(ctx context.Context, a *attempt) *attempt {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var due <-chan time.Time
		accepted := a.accepted
		select {
		case <-accepted:
			accepted = nil
			if at, wanted := r.due(a); wanted {
				timer.Reset(time.Until(at))
				due = timer.C
			}
		default:
		}
		select {
		case <-a.done:
			return a
		case <-ctx.Done():
			<-a.done
			return a
		case <-accepted:
		case <-r.changed:
		case <-due:
			if !closed(a.done) {
				a = r.replace(ctx, a)
			}
		}
	}
}

// due says when the active stream is to be replaced, if at all.
func (r *Runner) due(a *attempt) (time.Time, bool) {
	now := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.wish == a.wish {
		r.wished = time.Time{}
		return now, false
	}
	at, until, spare := r.wished.Add(collect), r.refused.until, 1
	if r.refused.fatal > 0 {
		if spare = 2; r.wish != r.refused.wish { // what is asked for now may be right
			until, spare = time.Time{}, 1
		}
	}
	for _, other := range []time.Time{r.budget.next(now, spare), until, r.refused.cooled, r.parted.Add(apart)} {
		if other.After(at) {
			at = other
		}
	}
	if r.status.State == StateStreaming {
		next := stamp(at)
		r.status.NextAttempt = &next
	}
	return at, true
}

// replace opens a stream in the place of old and returns the one that is active
// after it, or old when it was closed to make room.
func (r *Runner) replace(ctx context.Context, old *attempt) *attempt {
	slot, wait, why := r.Slots.Take(ctx, true)
	if slot == 0 && why != ErrTaken && (why != nil || r.refused.wish > 0) {
		// It passes; or the last one failed, and what works is not given up for the next.
		r.refused.cooled = time.Now().Add(wait)
		return old
	}
	if slot == 0 {
		old.hangUp(errChanged)
		<-old.done
		return old
	}
	r.enter(StateSwitching, nil, time.Time{})
	fresh := r.open(ctx, slot, &r.next)
	select {
	case <-fresh.proven:
	case <-fresh.done:
		r.keep(ctx, old, fresh)
		return old
	case <-old.done:
		return r.bereave(old, fresh)
	}
	t := time.NewTimer(drain)
	defer t.Stop()
	select {
	case <-fresh.done:
		r.keep(ctx, old, fresh)
		return old
	case <-old.done:
		return r.bereave(old, fresh)
	case <-t.C:
	}
	old.hangUp(errChanged)
	<-old.done
	return r.bereave(old, fresh)
}

// keep goes on with old as fresh has ended.
func (r *Runner) keep(ctx context.Context, old, fresh *attempt) {
	if ctx.Err() != nil {
		r.part(fresh, true)
		return
	}
	now := time.Now()
	r.settle(fresh)
	err := fresh.err
	wait := r.refuse(fresh, now)
	r.note()
	r.Log.Warn("the new upstream stream failed; the old one stays", "source", r.Name, "class", err.Class.String(), "error", err.Error(), "hint", err.Hint, "retry_in", wait.Round(time.Millisecond))
	select {
	case <-old.done: // its end is what is told
	default:
		r.enter(StateStreaming, err, r.refused.until)
	}
}

// refuse chooses when another stream is tried in the place of fresh, which failed,
// and returns how long that is.
func (r *Runner) refuse(fresh *attempt, now time.Time) time.Duration {
	last, err := r.refused, fresh.err
	r.refused = refusal{wish: fresh.wish}
	var wait time.Duration
	if err.Class == Fatal {
		if last.wish == fresh.wish {
			r.refused.fatal = last.fatal
		}
		wait, _ = double(&r.refused.fatal, r.ladder.figures.RateLimit, r.ladder.figures.RateLimitMax)
		err.Hint = goesOn + err.Hint
	} else {
		wait = r.climb(err, now)
	}
	wait = r.jittered(wait)
	r.refused.until = now.Add(wait)
	return wait
}

// bereave makes fresh the active stream, as old has ended: in order, or because
// the upstream itself made room for the new one.
func (r *Runner) bereave(old, fresh *attempt) *attempt {
	r.parted = time.Now()
	err, accepted, proven := old.err, closed(fresh.accepted), closed(fresh.proven)
	switch {
	case err.Err == errAsked:
		r.count(func(s *Stats) { s.Ends["reconnect"]++ })
		r.part(old, true)
	case err.Err == errChanged, err.Class == Fatal, err.Class == Conflict:
		r.count(func(s *Stats) { s.Ends["switch"]++ })
		r.part(old, true)
	default:
		r.settle(old)
	}
	// Whatever the upstream had after it accepted the new one comes there.
	if !accepted || !err.Clean && fresh.opened.After(old.heard()) {
		r.leave(old, err)
	}
	if proven {
		r.refused = refusal{}
		r.Log.Info("the upstream stream was replaced by a new one", "source", r.Name)
	}
	r.out.Lock()
	defer r.out.Unlock()
	r.mu.Lock()
	r.active, r.next = fresh, nil
	state := StateConnecting
	if fresh.live {
		state = StateStreaming
	}
	r.mu.Unlock()
	r.enterLocked(state, nil, time.Time{})
	return fresh
}

// streaming notes that bytes come; the active stream then is what is shown.
func (r *Runner) streaming(a *attempt) {
	r.out.Lock()
	defer r.out.Unlock()
	r.mu.Lock()
	a.live = true
	// It may be shown already, with why another could not take its place.
	shown := r.active == a && r.status.State != StateStreaming
	r.mu.Unlock()
	if shown {
		r.Log.Info("the upstream streams", "source", r.Name)
		r.enterLocked(StateStreaming, nil, time.Time{})
	}
}

// replaced says that a stream is the one that another is about to replace.
func (r *Runner) replaced(a *attempt) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.active == a && r.next != nil
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
