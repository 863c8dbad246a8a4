package deliver

import (
	"time"

	"aviary/fanout"
)

// rate lets the first max posts of each second pass. Seconds are those of
// Event.Received, so that a replay skips the same posts as the live stream did.
type rate struct {
	max     int
	second  int64 // the one being counted, Unix time
	sent    int
	skipped int64
	from    time.Time // of the first and the last skipped post
	to      time.Time
}

// starts reports whether a post begins another second, whose predecessor's gap
// must be told first.
func (r *rate) starts(e *fanout.Event) bool { return e.Received.Unix() != r.second }

// pass counts a post and reports whether it may be sent.
func (r *rate) pass(e *fanout.Event) bool {
	if s := e.Received.Unix(); s != r.second {
		r.second, r.sent = s, 0
	}
	if r.sent < r.max {
		r.sent++
		return true
	}
	if r.skipped++; r.skipped == 1 {
		r.from = e.Received
	}
	r.to = e.Received
	return false
}

// take returns what has been skipped since the last take, up to the position at.
func (r *rate) take(at fanout.Cursor) fanout.Gap {
	if r.skipped == 0 {
		return fanout.Gap{}
	}
	g := fanout.Gap{Reason: "max_rate", From: r.from, To: r.to, Cursor: at, Missed: r.skipped}
	r.skipped = 0
	return g
}

// end is when the second being counted is over.
func (r *rate) end() time.Time { return time.Unix(r.second+1, 0) }
