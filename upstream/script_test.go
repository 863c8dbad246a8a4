package upstream

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// step is what one connection does.
type step func(ctx context.Context, to Sink) error

// script is a Source that does one step after the other, the last one for ever.
type script struct {
	mu    sync.Mutex
	steps []step
	at    []time.Time // when each connection was opened
	open  int         // right now
	most  int         // at once
}

func (s *script) Stream(ctx context.Context, to Sink) error {
	s.mu.Lock()
	n := min(len(s.at), len(s.steps)-1)
	s.at = append(s.at, time.Now())
	s.open++
	s.most = max(s.most, s.open)
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.open--; s.mu.Unlock() }()
	return s.steps[n](ctx, to)
}

// gaps are the times between the connections.
func (s *script) gaps() (d []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.at[1:] {
		d = append(d, s.at[i+1].Sub(s.at[i]))
	}
	return d
}

func (s *script) connects() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.at)
}

func fails(class Class, retryAfter time.Duration) step {
	return func(context.Context, Sink) error {
		return &Error{Class: class, RetryAfter: retryAfter, Err: errors.New("refused"), Hint: "a hint"}
	}
}

// streams brings n posts, one each second, and ends with err; with a nil err
// it stays open until ctx ends, with keep-alives.
func streams(n int, err error) step {
	return func(ctx context.Context, to Sink) error {
		to.Alive(0)
		for range n {
			post(to)
			if wait(ctx, time.Second) != nil {
				return ctx.Err()
			}
		}
		if err != nil {
			return err
		}
		for wait(ctx, 20*time.Second) == nil {
			to.Alive(2)
		}
		return ctx.Err()
	}
}

func post(to Sink) {
	to.Alive(100)
	to.Emit(&fanout.Event{Kind: fanout.KindPost, Sent: time.Now().Add(-2 * time.Second)})
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// log is where a Runner publishes to.
type log struct {
	mu     sync.Mutex
	events []*fanout.Event
	at     []time.Time
	refuse bool
}

func (l *log) publish(e *fanout.Event) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events, l.at = append(l.events, e), append(l.at, time.Now())
	return !l.refuse || e.Kind != fanout.KindPost
}

// kinds are the kinds of all events but KindUpstream.
func (l *log) kinds() (k []fanout.Kind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		if e.Kind != fanout.KindUpstream {
			k = append(k, e.Kind)
		}
	}
	return k
}

func (l *log) losses() (all []fanout.Loss) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.events {
		if e.Kind == fanout.KindGap {
			all = append(all, *e.Loss)
		}
	}
	return all
}

// runner makes a Runner without jitter over a script.
func runner(steps ...step) (*Runner, *script, *log) {
	s, l := &script{steps: steps}, new(log)
	return &Runner{
		Source: s, Publish: l.publish, Name: "script",
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Jitter: func() float64 { return 0 },
	}, s, l
}

// during runs r in virtual time, calls check after d, and stops it.
func during(t *testing.T, r *Runner, d time.Duration, check func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	time.Sleep(d)
	synctest.Wait()
	if check != nil {
		check()
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run returned %v", err)
	}
}
