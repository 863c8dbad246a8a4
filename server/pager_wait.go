package server

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"aviary/server/deliver"
)

// patience is how long a walk waits for the upstream's first answer before it
// begins its own: an upstream that refuses at once becomes a plain error.
const patience = time.Second

// answered is what a pager's other goroutine brings.
type answered struct {
	page *SearchPage
	err  error
}

// page asks for one page for as long as it takes, with heartbeats meanwhile. The
// error is a *SearchError that no waiting cures, a parting, or that of a write.
func (p *pager) page(ctx context.Context, q SearchQuestion, m manner) (*SearchPage, error) {
	if why := p.parts(); why != nil {
		return nil, why // before an answer that the cache would give
	}
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	answer := make(chan answered, 1)
	go func() { // ends with the answer, or with asking
		page, err := p.s.search.insist(asking, searchKey{p.scope, q}, m, p.s.opts)
		answer <- answered{page, err}
	}()
	beat := time.NewTimer(p.untilBeat())
	defer beat.Stop()
	for {
		select {
		case a := <-answer:
			return a.page, a.err
		case <-beat.C:
			if err := p.beat(); err != nil {
				return nil, err
			}
			beat.Reset(p.untilBeat())
		case <-p.aged:
			return nil, parting(deliver.MaxAge)
		case <-p.s.search.draining:
			return nil, parting(deliver.Draining)
		case <-p.s.stop:
			return nil, context.Canceled
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// parts says why the walk is to end now; nil: it is not.
func (p *pager) parts() error {
	select {
	case <-p.s.search.draining:
		return parting(deliver.Draining)
	case <-p.s.stop:
		return context.Canceled
	default:
		return nil
	}
}

// untilBeat is the time to the next sign of life.
func (p *pager) untilBeat() time.Duration {
	if !p.begun {
		return min(patience, p.s.opts.Heartbeat)
	}
	return max(p.s.opts.Heartbeat-time.Since(p.wrote), time.Millisecond)
}

// insist asks until there is an answer, or an error that no waiting cures. Each
// request waits for its turn; after a failure that passes it also climbs the
// back-off ladder, and stays at its cap; while the budget is used up it waits for
// the reset.
func (s *search) insist(ctx context.Context, key searchKey, m manner, o Options) (*SearchPage, error) {
	step := time.Duration(0)
	for {
		if page := s.cached(key, m); page != nil {
			return page, nil
		}
		if err := s.from.Turn(ctx); err != nil {
			return nil, err
		}
		page, err := s.ask(ctx, key, m)
		var failed *SearchError
		if err == nil || !errors.As(err, &failed) {
			return page, err
		}
		var wait time.Duration
		switch failed.Failure {
		case SearchLimited:
			wait = time.Until(failed.Until)
			step = 0
		case SearchUnavailable:
			step = min(max(2*step, o.SearchBackoff), max(o.SearchBackoffMax, o.SearchBackoff))
			wait = step + rand.N(step/10+1)
		default:
			return nil, failed
		}
		s.log.Debug("a walk waits", "error", failed, "wait", wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
