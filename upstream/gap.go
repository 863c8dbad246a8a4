package upstream

import (
	"time"

	"aviary/fanout"
)

// GapEvent makes the KindGap event that tells a loss. Publish writes its JSON:
// it holds the position that the event takes in the log.
func GapEvent(l fanout.Loss) *fanout.Event {
	return &fanout.Event{Kind: fanout.KindGap, Loss: &l}
}

// publish hands over one event. Right before the first post after an outage it
// tells that posts may be missing since the last byte before it.
func (r *Runner) publish(e *fanout.Event, now time.Time) bool {
	r.out.Lock()
	defer r.out.Unlock()
	if e.Kind == fanout.KindPost && !r.outage.IsZero() {
		r.Publish(GapEvent(fanout.Loss{Reason: "upstream", Missed: -1, From: r.outage, To: now}))
		r.outage = time.Time{}
	}
	return r.Publish(e)
}

// missing notes since when posts may be missing; what was noted before stays.
func (r *Runner) missing(since time.Time) {
	r.out.Lock()
	defer r.out.Unlock()
	if r.outage.IsZero() {
		r.outage = since
	}
}
