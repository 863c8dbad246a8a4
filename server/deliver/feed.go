package deliver

import (
	"time"

	"aviary/fanout"
	"aviary/fanout/wire"
)

// feed is what one client is to get next, in the order in which it gets it: what
// it missed while it was away, then events as its policy has it. It knows
// nothing of sockets; whoever writes owns it.
type feed struct {
	sub    *fanout.Subscription
	form   Form
	since  time.Time // what was received before is no live event
	late   *late     // nil: told
	policy *policy   // nil: none
	sum    wire.Sum  // of the plain bytes so far; gzip only
}

// late is what a client hears before its first event.
type late struct {
	tombstones []*fanout.Event
	gap        fanout.Gap
}

// state is what a fill leaves behind.
type state uint8

const (
	filled  state = iota // there may be more
	drained              // the client has all there is
	over                 // the limit is reached: nothing will follow
)

// fill puts the next slice of the stream into an empty batch: at most about
// gather bytes. With a round it goes no further than that.
func (f *feed) fill(b *batch, r *fanout.Round) state {
	if f.late != nil {
		f.tellLate(b)
		return filled
	}
	if f.policy != nil {
		if b.before = *f.policy; f.policy.ended() {
			return over
		}
	}
	b.from = f.sub.Place()
	if b.pull == 0 {
		b.pull = pullFirst
	}
	var gap fanout.Gap
	if r == nil {
		b.events, gap = f.sub.Next(b.events, b.pull)
	} else {
		b.events, gap = f.sub.NextUpTo(r, b.events, b.pull)
	}
	if len(b.events) == 0 && gap.Zero() {
		return drained
	}
	f.overtaken(b, gap)
	if len(b.events) == 0 {
		return filled
	}
	n := f.takeAll(b)
	b.pull = min(max(gather*n/max(b.size, 1), 1), pullMax)
	if f.policy != nil && f.policy.ended() {
		return over
	}
	if n < len(b.events) { // the write is full: they are pulled again, if they are still there
		f.sub.StandBehind(b.from, b.events[:n])
		clear(b.events[n:])
		b.events = b.events[:n]
	}
	return filled
}

// takeAll puts the events into the batch and returns how many of them it took.
func (f *feed) takeAll(b *batch) int {
	for n, e := range b.events {
		if !f.take(b, e, n) {
			return n
		}
		if f.policy != nil && f.policy.ended() {
			return n + 1
		}
	}
	return len(b.events)
}

// take takes one event as the client's policy has it. What has to be told before
// the event is one unit with it. It returns false, and has done nothing, if the
// write is full.
func (f *feed) take(b *batch, e *fanout.Event, n int) bool {
	send := f.form.sends(e)
	var block wire.Block
	if send {
		if block = f.form.block(e); !b.fits(block) {
			return false
		}
	}
	if f.policy != nil {
		pass, gap := f.policy.take(e)
		f.addGap(b, gap)
		send = send && pass
	}
	if send {
		b.event(f.form, block, e, f.sub.Group(), n)
		if !e.Received.Before(f.since) {
			b.received = append(b.received, e.Received)
		}
	}
	return true
}

// addGap adds a gap, if there is one, without closing its unit.
func (f *feed) addGap(b *batch, g fanout.Gap) {
	if g.Zero() {
		return
	}
	b.gaps = append(b.gaps, g.Reason)
	if f.form.Events.Has(Gap) {
		b.scratch = f.form.appendGap(b.scratch[:0], g)
		b.add(f.form.plain(&b.own, b.scratch))
		b.last = g.Cursor
	}
}

// overtaken adds a gap in the client's own past, which moves it to its end.
func (f *feed) overtaken(b *batch, g fanout.Gap) {
	if g.Zero() {
		return
	}
	f.addGap(b, g)
	b.end(0)
	if f.policy != nil {
		f.policy.passed = g.Cursor
	}
}

// tellLate tells a part of what the client missed: deletes first, then where
// history is missing.
func (f *feed) tellLate(b *batch) {
	l := f.late
	b.scratch = b.scratch[:0]
	for len(l.tombstones) > 0 && len(b.scratch) < gather {
		if e := l.tombstones[0]; f.form.Events.Has(ofKind(e.Kind)) {
			b.scratch = f.form.appendTombstone(b.scratch, e)
		}
		l.tombstones = l.tombstones[1:]
	}
	b.say(f.form, b.scratch)
	if len(l.tombstones) == 0 {
		f.overtaken(b, l.gap)
		f.late = nil
	}
}

// open adds the first bytes: raw as they are, then the opening in the form's coding.
func (f *feed) open(b *batch, raw, opening []byte) {
	b.add(wire.Block{Bytes: f.form.Coding.AppendHead(raw)})
	b.end(0)
	b.say(f.form, opening)
}

// idle adds what a client without news is told: the gap of its rate if that
// second is over, and a heartbeat if one is due. A gap that has to wait is told
// at until; zero: there is none.
func (f *feed) idle(b *batch, now time.Time, beat bool) (until time.Time) {
	if p := f.policy; p != nil && p.rate.skipped > 0 {
		if end := p.rate.end(); now.Before(end) {
			return end // no id may pass posts whose gap is still to be told
		}
		f.addGap(b, p.rate.take(p.passed))
		b.end(0)
	}
	if beat && b.size == 0 {
		at := f.sub.Cursor() // everything up to it has been written or did not match
		if f.policy != nil {
			f.policy.passed = at
		}
		b.scratch = f.form.appendHeartbeat(b.scratch[:0], at.String())
		b.say(f.form, b.scratch)
		b.last = at
	}
	return until
}

// bye adds the end of the stream.
func (f *feed) bye(b *batch, r Reason, retry time.Duration) {
	at := f.sub.Cursor()
	if f.policy != nil {
		if r == Limit {
			at = f.policy.passed // what was pulled behind the last post is not had
		}
		f.addGap(b, f.policy.rate.take(f.policy.passed))
		b.end(0)
	}
	id := at.String()
	if r == Limit {
		id = at.End()
	}
	b.scratch = f.form.AppendBye(b.scratch[:0], r, retry, id)
	b.say(f.form, b.scratch)
	sum := f.sum
	b.sumUpTo(f.form, &sum, b.size)
	b.add(wire.Block{Bytes: f.form.Coding.AppendTail(nil, sum)})
	b.end(0)
}

// wrote notes that a batch has been written.
func (f *feed) wrote(b *batch) { b.sumUpTo(f.form, &f.sum, b.size) }

// cut notes that only n bytes of a batch were taken. It returns the rest of what
// was cut, which has to follow before anything else; what lies behind it comes
// again with the next fill, if it is still there.
func (f *feed) cut(b *batch, n int) (rest []byte) {
	events, posts, rest := b.cut(n)
	b.posts = posts
	b.sumUpTo(f.form, &f.sum, n+len(rest))
	if len(b.events) == 0 {
		return rest
	}
	had := b.events[:events]
	f.sub.StandBehind(b.from, had)
	b.gaps, b.received = b.gaps[:0], b.received[:0]
	if f.policy != nil {
		*f.policy = b.before
	}
	for _, e := range had[b.first:] {
		f.again(b, e)
	}
	return rest
}

// again passes an event that was had, for the books.
func (f *feed) again(b *batch, e *fanout.Event) {
	sent := f.form.sends(e)
	if f.policy != nil {
		pass, gap := f.policy.take(e)
		if sent = sent && pass; !gap.Zero() {
			b.gaps = append(b.gaps, gap.Reason)
		}
	}
	if !sent {
		return
	}
	if e.Kind == fanout.KindGap {
		b.gaps = append(b.gaps, e.Loss.Reason)
	}
	if !e.Received.Before(f.since) {
		b.received = append(b.received, e.Received)
	}
	b.last = e.ID
}
