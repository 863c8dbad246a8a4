package upstream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// tap is an upstream that sends 200 posts a second to every open stream, and cuts
// the oldest when there are too many. It notes what was asked for at each connect.
type tap struct {
	limit  int
	filter func() int                                      // what the source would ask for now
	before func(n, filter int, ctx context.Context) error  // of the n-th connect, from 0; an error refuses it
	during func(n int, ctx context.Context, to Sink) error // instead of posts; may be nil

	mu    sync.Mutex
	posts int
	open  []*pipe
	at    []time.Time // of each connect
	asked []int
	most  int
	cut   int
}

type pipe struct {
	filter int
	posts  chan [2]int // number and the filters it was made under
	cut    chan struct{}
}

// run makes posts until ctx ends.
func (u *tap) run(ctx context.Context) {
	for wait(ctx, 5*time.Millisecond) == nil {
		u.mu.Lock()
		for _, p := range u.open {
			p.posts <- [2]int{u.posts, p.filter}
		}
		u.posts++
		u.mu.Unlock()
	}
}

func (u *tap) Stream(ctx context.Context, to Sink) error {
	u.mu.Lock()
	n, f := len(u.at), 0
	if u.filter != nil {
		f = u.filter()
	}
	u.at, u.asked = append(u.at, time.Now()), append(u.asked, f)
	u.mu.Unlock()
	if wait(ctx, 40*time.Millisecond) != nil {
		return ctx.Err()
	}
	if u.before != nil {
		if err := u.before(n, f, ctx); err != nil {
			return err
		}
	}
	p := &pipe{filter: f, posts: make(chan [2]int, 1024), cut: make(chan struct{})}
	u.mu.Lock()
	u.open = append(u.open, p)
	u.most = max(u.most, len(u.open))
	if len(u.open) > u.limit {
		u.cut++
		close(u.open[0].cut)
		u.open = u.open[1:]
	}
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		u.open = slices.DeleteFunc(u.open, func(o *pipe) bool { return o == p })
		u.mu.Unlock()
	}()
	to.Alive(0)
	if u.during != nil {
		if err := u.during(n, ctx, to); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.cut:
			to.Alive(50)
			to.Emit(&fanout.Event{Kind: fanout.KindDisconnect})
			return &Error{Class: Fatal, Err: errors.New("code 7"), Clean: true}
		case post := <-p.posts:
			to.Alive(100)
			to.Emit(&fanout.Event{Kind: fanout.KindPost, Target: fanout.Target{UpTo: uint64(post[0])}, Window: uint32(post[1])})
		}
	}
}

// tapped is what a tap has seen until now.
type tapped struct {
	connects, most, cut, open int
	at                        []time.Time
	asked                     []int
	filter                    int // of the first open stream
}

func (u *tap) seen() tapped {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := tapped{connects: len(u.at), most: u.most, cut: u.cut, open: len(u.open), at: slices.Clone(u.at), asked: slices.Clone(u.asked)}
	if s.open > 0 {
		s.filter = u.open[0].filter
	}
	return s
}

// switching runs a Runner on a tap in virtual time.
func switching(t *testing.T, u *tap, set func(*Runner), do func(r *Runner, l *log)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r, _, l := runner(nil)
		r.Source = u
		r.StreamLimit = u.limit
		if set != nil {
			set(r)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { u.run(ctx); close(done) }()
		during(t, r, time.Second, func() { do(r, l) })
		cancel()
		<-done
		if n := u.seen().open; n > 0 {
			t.Errorf("%d streams are left open", n)
		}
	})
}
