package upstream

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"time"

	"aviary/fanout"
)

// The states of fanout.Upstream that a Runner takes.
const (
	StateConnecting = "connecting"
	StateStreaming  = "streaming"
	StateBackingOff = "backing_off"
	StateSwitching  = "switching" // one stream is being replaced by another
	StateHalted     = "halted"
)

// Stats is a snapshot of a Runner's counters, all since it was made.
type Stats struct {
	// Connects counts attempts by result: "ok" (bytes came), or the class of
	// the failure when none came: "network", "http", "rate_limit", "stall", "fatal".
	Connects map[string]uint64
	// Ends counts the ends of connections that had brought bytes, by class;
	// "reconnect": closed by Reconnect; "switch": replaced by another.
	Ends map[string]uint64
	// Messages counts whole messages by kind: "post", "delete", "limit", "other" ….
	Messages map[string]uint64
	// Drops counts posts that did not reach the log, by the Drop… reasons.
	Drops map[string]uint64

	Bytes        uint64        // over the wire, before decompression
	Backoff      time.Duration // the wait going on now, from its start to its end; 0: none
	BackoffTotal time.Duration // all waits that are over
	Lag          time.Duration // of the last post: from the upstream's own time stamp to its arrival
}

// Status returns the state of the connection. Safe for concurrent use.
func (r *Runner) Status() fanout.Upstream {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.statusLocked()
}

func (r *Runner) statusLocked() fanout.Upstream {
	r.initLocked()
	u := r.status
	if source, ok := r.Source.(Troubled); ok && u.State == StateStreaming {
		if text, hint := source.Trouble(); text != "" {
			u.Error, u.Hint = text, hint
		}
	}
	u.PostsPerS = math.Round(r.rate.at(time.Now())*100) / 100
	return u
}

// Stats returns a copy of the counters. Safe for concurrent use.
func (r *Runner) Stats() Stats {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.initLocked()
	s := r.stats
	s.Connects, s.Ends = maps.Clone(s.Connects), maps.Clone(s.Ends)
	s.Messages, s.Drops = maps.Clone(s.Messages), maps.Clone(s.Drops)
	return s
}

// count changes the counters under the lock.
func (r *Runner) count(f func(*Stats)) {
	r.mu.Lock()
	f(&r.stats)
	r.mu.Unlock()
}

// enter changes the state and publishes it. why is the failure that led here;
// nil keeps the last one while connecting and clears it otherwise.
func (r *Runner) enter(state string, why *Error, next time.Time) {
	r.out.Lock()
	defer r.out.Unlock()
	r.enterLocked(state, why, next)
}

// enterLocked is enter while out is held.
func (r *Runner) enterLocked(state string, why *Error, next time.Time) {
	r.mu.Lock()
	u := &r.status
	u.State, u.Since, u.NextAttempt = state, stamp(time.Now()), nil
	switch {
	case why != nil:
		u.Class, u.Error, u.Hint = why.Class.String(), why.Error(), why.Hint
	case state == StateStreaming:
		u.Class, u.Error, u.Hint = "", "", ""
	}
	if !next.IsZero() {
		next = stamp(next)
		u.NextAttempt = &next
	}
	now, standing := r.statusLocked(), r.standingLocked()
	r.mu.Unlock()
	if r.Keeper != nil {
		r.Keeper.Save(standing)
	}
	if e, err := StateEvent(now); err != nil { // cannot happen: the struct holds nothing that JSON refuses
		r.Log.Error("the upstream's state cannot be written", "err", err)
	} else {
		r.Publish(e)
	}
}

// StateEvent makes the KindUpstream event that tells a state.
func StateEvent(u fanout.Upstream) (*fanout.Event, error) {
	raw, err := json.Marshal(struct {
		Upstream fanout.Upstream `json:"upstream"`
	}{u})
	if err != nil {
		return nil, err
	}
	e := fanout.NewEvent(nil, raw)
	e.Kind = fanout.KindUpstream
	return e, nil
}

// shutDown sets the state that Status tells after the end of Run. It is not
// published: the log ends as well, or another Runner tells its own.
func (r *Runner) shutDown(ctx context.Context) {
	why := "the gateway is shutting down"
	if cause := context.Cause(ctx); cause != nil && cause != context.Canceled {
		why = cause.Error()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = fanout.Upstream{State: StateHalted, Since: stamp(time.Now()), Error: why}
	r.rate = rate{}
}

// stamp is how times appear in the state: UTC, milliseconds.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// kindName names a kind in Stats.Messages.
func kindName(k fanout.Kind) string {
	if k == fanout.KindPost {
		return "post"
	}
	return k.String()
}

// rateWindow is the time constant of posts_per_s: after a change of rate two
// thirds of it show after this long.
const rateWindow = 10 * time.Second

// rate is a smoothed rate of posts: each post adds 1/window, which decays. Between
// posts the time is that of their stamps, so that a history that is read in a moment
// counts at the pace at which it came; from the last one on it is this process's own,
// as the stamps may be of another machine's clock. Guarded by Runner.mu.
type rate struct {
	began, last time.Time // stamps of the first post and the latest
	came        time.Time // when the last post did
	level       float64   // at last
}

func (r *rate) add(now, stamp time.Time) {
	if r.began.IsZero() {
		r.began, r.last = stamp, stamp
	}
	if stamp.After(r.last) {
		r.level *= decay(stamp.Sub(r.last))
		r.last = stamp
	}
	r.level += 1 / rateWindow.Seconds()
	r.came = now
}

// decay is what is left of a level after a time.
func decay(after time.Duration) float64 { return math.Exp(-float64(after) / float64(rateWindow)) }

// at returns posts per second. In the first window it is what has come over
// the time that has passed (at least a second): the average has not filled yet.
func (r *rate) at(now time.Time) float64 {
	if r.began.IsZero() {
		return 0
	}
	quiet := now.Sub(r.came)
	up := max(r.last.Sub(r.began)+quiet, time.Second)
	return r.level * decay(quiet) / (1 - decay(up))
}
