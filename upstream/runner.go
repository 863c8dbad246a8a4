package upstream

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"aviary/fanout"
)

// immediateEvery is how often the end of an established stream may be answered
// by an immediate reconnect, and how long a stream must last not to count as
// flapping.
const immediateEvery = time.Minute

// maxJitter bounds the jitter of very long waits: ten per cent of a month is too late.
const maxJitter = 2 * time.Minute

// Runner keeps one source alive. Set the exported fields before the first
// call; Source and Publish are needed, the rest has defaults. Run may be
// called once; the other methods are safe for concurrent use.
type Runner struct {
	Source  Source
	Publish func(*fanout.Event) bool // false: a duplicate
	Name    string                   // of the source, for logs

	Ladders      Ladders
	StallTimeout time.Duration // default 90 s: three missed keep-alives of 30 s
	StreamLimit  int           // streams the upstream allows at once; default 2
	// HoldsSlots says that the upstream refuses a stream too many (X v2)
	// instead of cutting the oldest (v1.1): wait until a dead one has cooled.
	HoldsSlots bool

	Log    *slog.Logger   // default: slog.Default()
	Jitter func() float64 // in [0,1); default: random

	once  sync.Once
	nudge chan struct{} // Reconnect; capacity 1

	// Owned by the goroutine in Run.
	ladder    ladder
	slots     slots
	immediate time.Time // the last immediate reconnect
	outage    time.Time // the last byte before the outage that is not yet told; zero: none

	mu     sync.Mutex
	status fanout.Upstream
	stats  Stats
	rate   rate
	hangUp context.CancelCauseFunc // ends the open stream; nil: none is open
	asked  time.Time               // when a Reconnect last had an effect
}

// initLocked makes the maps and the first state; mu is held.
func (r *Runner) initLocked() {
	if r.status.State != "" {
		return
	}
	r.status = fanout.Upstream{State: StateConnecting, Since: stamp(time.Now())}
	r.stats = Stats{
		Connects: map[string]uint64{}, Ends: map[string]uint64{},
		Messages: map[string]uint64{}, Drops: map[string]uint64{},
	}
}

// init fills in the defaults.
func (r *Runner) init() {
	r.once.Do(func() { r.nudge = make(chan struct{}, 1) })
	if r.StallTimeout <= 0 {
		r.StallTimeout = 90 * time.Second
	}
	if r.StreamLimit <= 0 {
		r.StreamLimit = 2
	}
	if r.Log == nil {
		r.Log = slog.Default()
	}
	if r.Jitter == nil {
		r.Jitter = rand.Float64
	}
	r.ladder.figures = r.Ladders.withDefaults()
	r.slots = slots{limit: r.StreamLimit, holds: r.HoldsSlots, timeout: r.StallTimeout}
	r.mu.Lock()
	r.initLocked()
	r.mu.Unlock()
}

// Run keeps the source alive until ctx ends. It returns nil, after the stream
// is closed; from then on Status says that the gateway is shutting down. It
// needs no restart: failures are waited out, fatal ones halt it until Reconnect.
func (r *Runner) Run(ctx context.Context) error {
	r.init()
	defer r.shutDown()
	for ctx.Err() == nil {
		r.waitForSlot(ctx)
		if ctx.Err() != nil {
			break
		}
		r.enter(StateConnecting, nil, time.Time{})
		a, err := r.stream(ctx)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, errAsked):
			r.reopen(a, err)
		default:
			r.pause(ctx, r.close(a, err), err)
		}
	}
	return nil
}

// waitForSlot returns when a stream may be opened, or when ctx has ended.
func (r *Runner) waitForSlot(ctx context.Context) {
	for ctx.Err() == nil {
		wait := r.slots.take(time.Now())
		if wait <= 0 {
			return
		}
		r.enter(StateBackingOff, &Error{
			Class: RateLimit, Err: errSlots,
			Hint: "the upstream may still count streams of ours that died; the next one opens when it has forgotten one",
		}, time.Now().Add(wait))
		r.sleep(ctx, wait, false)
	}
}

// close settles what the end of an attempt means: it resolves Conflict, counts,
// and returns how long to wait before the next one (without jitter; 0: at once).
func (r *Runner) close(a *attempt, err *Error) time.Duration {
	now := time.Now()
	if err.Class == Conflict {
		err.Class = Fatal
		if r.slots.mayBeOurs(now) {
			err.Class = RateLimit
		}
	}
	if err.Class == Stall || !a.opened.IsZero() && !err.Clean && err.Class != Fatal {
		r.slots.unclean(now)
	}
	brought := !a.lastByte.IsZero()
	r.count(func(s *Stats) {
		if brought {
			s.Ends[err.Class.String()]++
		} else {
			s.Connects[err.Class.String()]++
		}
	})
	r.leave(a, err)
	return r.next(a, err, now)
}

// leave notes from when on posts may be missing.
func (r *Runner) leave(a *attempt, err *Error) {
	if !a.lastByte.IsZero() && !err.Whole && r.outage.IsZero() {
		r.outage = a.lastByte
	}
}

// next chooses the wait.
func (r *Runner) next(a *attempt, err *Error, now time.Time) time.Duration {
	if err.Class == Fatal {
		return 0
	}
	established := a.established || a.dismissed && err.Class != RateLimit
	drop := (err.Class == Network || err.Class == Stall) && established
	if established {
		r.ladder.reset(now.Sub(a.opened) >= immediateEvery)
	}
	if drop && err.RetryAfter == 0 && !err.NotBefore.After(now) && (r.immediate.IsZero() || now.Sub(r.immediate) >= immediateEvery) {
		r.immediate = now
		return 0
	}
	wait, atCap := r.ladder.next(err.Class, err.RetryAfter)
	if drop {
		wait = max(wait, r.ladder.flapped())
	}
	wait = max(wait, err.NotBefore.Sub(now))
	if atCap {
		r.Log.Error("the upstream has been failing for long: the back-off is at its cap", "source", r.Name, "class", err.Class.String())
	}
	return wait
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
		}
		return
	}
	wait += min(time.Duration(float64(wait)*0.1*r.Jitter()), maxJitter)
	r.Log.Warn("the upstream stream ended", "source", r.Name, "class", err.Class.String(), "error", err.Error(), "retry_in", wait)
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

var errSlots = errors.New("all streams that the upstream allows may still be open there")

// tellGap publishes, right before the first post after an outage, that posts
// may be missing since the last byte before it.
func (r *Runner) tellGap(now time.Time) {
	if r.outage.IsZero() {
		return
	}
	r.Publish(GapEvent(fanout.Loss{Reason: "upstream", Missed: -1, From: r.outage, To: now}))
	r.outage = time.Time{}
}
