package deliver

import (
	"time"

	"aviary/fanout"
)

// policy is what a client has asked for beyond its filter: limit and max_rate. It
// is a value: a copy taken before a write is how it was, should the write fail.
type policy struct {
	left   int64 // posts still to send; -1: no limit
	rate   rate
	passed fanout.Cursor // the last event written or skipped
}

// newPolicy returns the policy of a stream, nil if it has none.
func newPolicy(s *Stream) *policy {
	if s.Limit == 0 && s.MaxRate == 0 {
		return nil
	}
	p := &policy{left: -1, rate: rate{max: s.MaxRate}, passed: s.Resume.At}
	if s.Limit > 0 {
		p.left = s.Limit
	}
	return p
}

// ended says that all posts that were asked for have been sent.
func (p *policy) ended() bool { return p.left == 0 }

// take passes an event. send says whether it is to be sent, gap what is to be
// told before it.
func (p *policy) take(e *fanout.Event) (send bool, gap fanout.Gap) {
	if e.Kind != fanout.KindPost {
		p.passed = e.ID
		return true, gap
	}
	if p.rate.max > 0 {
		if p.rate.starts(e) {
			gap = p.rate.take(p.passed)
		}
		if !p.rate.pass(e) {
			p.passed = e.ID
			return false, gap
		}
	}
	p.passed = e.ID
	if p.left > 0 {
		p.left--
	}
	return true, gap
}

// rate lets the first max posts of each second pass. Seconds are those of
// Event.Received, so that a replay skips the same posts as the live stream did.
type rate struct {
	max     int   // 0: all
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
