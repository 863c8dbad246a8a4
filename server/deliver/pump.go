package deliver

import (
	"time"

	"aviary/fanout"
)

// pump writes everything the client has not had. It returns Open when there is
// no more for now, else why the stream ends.
func (c *Client) pump() (Reason, error) {
	b := batches.Get().(*batch)
	defer b.release()
	for pull := pullFirst; ; {
		reason := Reason(c.ask.Load())
		if reason == Draining && c.sub.Cursor().Seq < c.clients.goal.Load() {
			reason = Open // first what is in the log: a restart may forget it
		}
		if reason != Open {
			return reason, nil
		}
		events, gap := c.sub.Next(b.events[:0], pull)
		b.events = events
		if len(events) == 0 && gap.Zero() {
			return Reason(c.ask.Load()), c.idle(b)
		}
		c.overtaken(b, gap)
		b.pulled = 0
		for _, e := range events {
			if err := c.take(b, e); err != nil {
				return Open, err
			}
			if c.ended {
				return Limit, c.flush(b)
			}
		}
		if n := len(events); n > 0 {
			pull = min(max(gather*n/max(b.pulled, 1), 1), pullMax)
		}
		if err := c.flush(b); err != nil {
			return Open, err
		}
	}
}

// idle ends a pump: a heartbeat if one is due and the rate's gap if its second is over.
func (c *Client) idle(b *batch) error {
	if c.rate != nil && c.rate.skipped > 0 {
		if end := c.rate.end(); time.Now().Before(end) {
			c.tell.Store(int64(end.Sub(c.clients.start)))
		} else {
			c.tell.Store(0)
			c.gap(b, c.rate.take(c.passed))
		}
	}
	if c.rate != nil && c.rate.skipped > 0 {
		return c.flush(b) // no id may pass posts whose gap is still to be told
	}
	if c.beat.Swap(false) && b.size() == 0 && c.clients.now()-c.lastWrite.Load() > int64(c.clients.cfg.Heartbeat)/2 {
		// Everything up to the subscription's cursor has been written or did not match.
		c.passed = c.sub.Cursor()
		b.buf = c.form.appendHeartbeat(b.buf, c.passed.String())
	}
	return c.flush(b)
}

// take adds one event to the batch, as the client's policy has it.
func (c *Client) take(b *batch, e *fanout.Event) error {
	if e.Kind == fanout.KindPost {
		return c.takePost(b, e)
	}
	if c.form.Events.Has(ofKind(e.Kind)) {
		if e.Kind == fanout.KindGap {
			c.loss(b, e)
		} else if err := c.add(b, e); err != nil {
			return err
		}
	}
	c.passed = e.ID
	return nil
}

func (c *Client) takePost(b *batch, e *fanout.Event) error {
	if c.rate != nil {
		if c.rate.starts(e) {
			c.gap(b, c.rate.take(c.passed))
			c.tell.Store(0)
		}
		if !c.rate.pass(e) {
			c.passed = e.ID
			return nil
		}
	}
	if err := c.add(b, e); err != nil {
		return err
	}
	c.passed = e.ID
	b.posts++
	if c.limit > 0 {
		c.limit--
		c.ended = c.limit == 0
	}
	return nil
}

// add adds an event's shared frame, after a write if it does not fit.
func (c *Client) add(b *batch, e *fanout.Event) error {
	frame := c.form.frame(e)
	if n := b.size(); n > 0 && n+len(frame) > maxWrite {
		if err := c.flush(b); err != nil {
			return err
		}
	}
	b.share(frame)
	b.pulled += len(frame)
	if !e.Received.Before(c.Since) {
		b.received = append(b.received, e.Received)
	}
	return nil
}

// loss adds posts that never reached the log. How many of them the client would
// have got is only known if it gets every post.
func (c *Client) loss(b *batch, e *fanout.Event) {
	g := fanout.Gap{Missed: -1, Cursor: e.ID}
	if e.Loss != nil {
		g.Reason, g.From, g.To = e.Loss.Reason, e.Loss.From, e.Loss.To
		if c.filter.Empty() {
			g.Missed = e.Loss.Missed
		}
	}
	c.gap(b, g)
}

// overtaken adds a gap in the client's own past, which moves it to its end.
func (c *Client) overtaken(b *batch, g fanout.Gap) {
	if !g.Zero() {
		c.gap(b, g)
		c.passed = g.Cursor
	}
}

// gap adds a gap, if there is one.
func (c *Client) gap(b *batch, g fanout.Gap) {
	if g.Zero() {
		return
	}
	c.clients.metrics.gaps.WithLabelValues(g.Reason).Inc()
	if c.form.Events.Has(Gap) {
		b.buf = c.form.appendGap(b.own(), g)
	}
}
