package upstream

import (
	"context"
	"errors"
	"time"

	"aviary/fanout"
)

// Standing is what is worth knowing when another Runner, or the same one later,
// goes on in the place of this one: how it stands with the upstream.
type Standing struct {
	// What fanout.Upstream says, but for the rate. State "": there was nobody
	// before. A halt is kept, and NextAttempt is not undercut.
	State       string     `json:"state"`
	Since       time.Time  `json:"since"`
	Class       string     `json:"class,omitempty"`
	Error       string     `json:"error,omitempty"`
	Hint        string     `json:"hint,omitempty"`
	NextAttempt *time.Time `json:"next_attempt,omitempty"`

	// The last step taken on each ladder, in nanoseconds; 0: at the foot.
	Network   time.Duration `json:"ladder_network,omitempty"`
	HTTP      time.Duration `json:"ladder_http,omitempty"`
	RateLimit time.Duration `json:"ladder_rate_limit,omitempty"`
	Flap      time.Duration `json:"ladder_flap,omitempty"`
	// Immediate is when a stream was last opened again at once.
	Immediate time.Time `json:"immediate,omitzero"`
	// Connects are the last connections that were begun, oldest first.
	Connects []time.Time `json:"connects,omitempty"`
}

// Upstream is the part that is told.
func (s *Standing) Upstream() fanout.Upstream {
	return fanout.Upstream{State: s.State, Since: s.Since, Class: s.Class, Error: s.Error, Hint: s.Hint, NextAttempt: s.NextAttempt}
}

// Keeper keeps the standing where the next Runner finds it. Its methods are
// called by one Runner, Save by one goroutine at a time.
type Keeper interface {
	// Load returns the last standing that was saved by anybody. It tries until it
	// knows; the error is ctx's.
	Load(ctx context.Context) (Standing, error)
	// Save keeps what changed and never waits: the last call counts.
	Save(Standing)
}

// resume goes on where the last Runner stood: it waits out its wait, and its halt.
func (r *Runner) resume(ctx context.Context) {
	if r.Keeper == nil {
		return
	}
	s, err := r.Keeper.Load(ctx)
	if err != nil {
		return // ctx has ended
	}
	r.ladder.network, r.ladder.http, r.ladder.rateLimit, r.ladder.flap = s.Network, s.HTTP, s.RateLimit, s.Flap
	r.immediate, r.budget.begun = s.Immediate, s.Connects
	why := &Error{Err: errors.New(s.Error), Hint: s.Hint}
	for why.Class = Network; why.Class < Fatal && why.Class.String() != s.Class; why.Class++ {
	}
	switch {
	case s.State == StateHalted:
		why.Class = Fatal
		r.pause(ctx, 0, why)
	case s.State == StateBackingOff && s.NextAttempt != nil && time.Until(*s.NextAttempt) > 0:
		wait := time.Until(*s.NextAttempt)
		r.drainNudge()
		r.enter(StateBackingOff, why, *s.NextAttempt)
		r.sleep(ctx, wait, true)
	}
}

// note makes what the goroutine of Run knows part of the next standing.
func (r *Runner) note() {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.standing
	s.Network, s.HTTP, s.RateLimit, s.Flap = r.ladder.network, r.ladder.http, r.ladder.rateLimit, r.ladder.flap
	s.Immediate, s.Connects = r.immediate, r.budget.begun
}

// standingLocked is the standing now; mu is held.
func (r *Runner) standingLocked() Standing {
	s, u := r.standing, r.status
	s.State, s.Since, s.Class, s.Error, s.Hint, s.NextAttempt = u.State, u.Since, u.Class, u.Error, u.Hint, u.NextAttempt
	return s
}
