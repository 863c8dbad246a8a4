package bus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"aviary/fanout"
	"aviary/upstream"
)

// run opens connections and sends until the publisher fails.
func (p *Publisher) run(ctx context.Context) {
	defer close(p.gone)
	pause := retryFirst
	for ctx.Err() == nil && p.Err() == nil {
		if !p.valid() {
			p.fail(ErrLease)
			return
		}
		before := p.progressed()
		err := p.session(ctx)
		if p.Err() != nil || ctx.Err() != nil {
			return
		}
		if err != nil {
			p.bus.log().Debug("publishing is interrupted", "error", err)
			p.bus.publishing(err)
		}
		if p.progressed().After(before) {
			pause = retryFirst
		}
		select {
		case <-ctx.Done():
		case <-p.over:
		case <-time.After(pause):
		}
		pause = min(2*pause, retryMost)
	}
}

func (p *Publisher) progressed() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.progress
}

// publishing notes what keeps messages from being stored: until one is, the bus is
// not well. The next look compares the stream's settings again: somebody may have
// changed it so that it takes nothing.
func (b *Bus) publishing(err error) {
	told := b.explain("messages are not stored", err)
	b.unstored.Store(told)
	if isTimeout(err) && b.embedded == nil && b.lately() == nil { // if it turns out that other requests are answered
		b.unstored.Store(trouble(told, "NATS answers, but stores nothing: look at its log and at the disk of its store"))
	}
	b.adjusted.Store(false)
	b.told(told)
	b.look()
}

// waits is why messages that wait are not stored; nil: none waits, or they are.
func (b *Bus) waits() error {
	if err := b.unstored.Load(); err != nil && b.unacked.Load() > 0 {
		return err
	}
	return nil
}

// session sends over one connection until something fails.
func (p *Publisher) session(ctx context.Context) error {
	cut := make(chan struct{})
	nc, err := p.bus.dial("publisher", false, nats.ClosedHandler(func(*nats.Conn) { close(cut) }))
	if err != nil {
		return err
	}
	defer nc.Close()
	inbox := nc.NewInbox()
	sub, err := nc.Subscribe(inbox+".*", func(m *nats.Msg) { p.answered(m, len(inbox)+1) })
	if err != nil {
		return err
	}
	_ = sub.SetPendingLimits(-1, -1)
	p.begin()
	check := time.NewTicker(skipTimeout / 2)
	defer check.Stop()
	for {
		if err := p.send(nc, inbox); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.over:
			return p.Err()
		case <-cut:
			return nats.ErrConnectionClosed
		case <-p.wake:
		case <-check.C:
			if !p.valid() {
				p.fail(ErrLease)
			}
			if p.silent() {
				return context.DeadlineExceeded
			}
		}
	}
}

// begin has everything not acknowledged sent again.
func (p *Publisher) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bus.resent.Add(uint64(p.sent))
	p.sent, p.failed, p.progress, p.skipped = 0, nil, time.Now(), time.Time{}
}

// silent says that acknowledgements are overdue: all of them, or one that others have
// passed. A server that died, or stopped to lead, took it along.
func (p *Publisher) silent() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent > 0 && time.Since(p.progress) > ackTimeout || !p.skipped.IsZero() && time.Since(p.skipped) > skipTimeout
}

// send sends what the window has room for.
func (p *Publisher) send(nc *nats.Conn, inbox string) error {
	for {
		p.mu.Lock()
		err := p.failed
		var w *waiting
		stored := false
		if err == nil && p.sent < min(len(p.queue), maxInFlight) {
			if w = p.queue[p.sent]; p.sent == 0 {
				p.progress = time.Now() // from now on an answer is due
			}
			p.sent++
			if stored = w.stored; !stored {
				w.sent++
			}
		}
		p.mu.Unlock()
		switch {
		case err != nil:
			return err
		case w == nil:
			return nil
		case stored:
			continue
		case !p.valid():
			p.fail(ErrLease)
			return ErrLease
		}
		w.m.Reply = inbox + "." + strconv.FormatUint(w.n, 10)
		if err = nc.PublishMsg(w.m); errors.Is(err, nats.ErrMaxPayload) {
			p.replace(w)
		} else if err != nil {
			return err
		}
	}
}

// replace puts a gap in the place of a message that the server will never take.
func (p *Publisher) replace(w *waiting) {
	p.mu.Lock()
	defer p.mu.Unlock()
	received, _ := parseStamp(w.m.Header.Get(headerReceived))
	gap := p.bus.config.encode(upstream.GapEvent(fanout.Loss{Reason: "oversize", Missed: 1, From: received, To: received}), received)
	gap.Header[headerTerm], gap.Header[headerID] = w.m.Header[headerTerm], w.m.Header[headerID]
	p.bus.log().Warn("a message is larger than NATS takes: raise max_payload there", "bytes", len(w.m.Data))
	w.m, p.failed = gap, errors.New("a message was too large")
}

// ack is the server's answer to one message.
type ack struct {
	Error *jetstream.APIError `json:"error"`
}

func (a *ack) err() error {
	if a.Error == nil {
		return nil
	}
	return refusal{a.Error}
}

// refusal is a server's answer in its own words alone.
type refusal struct{ *jetstream.APIError }

// Error implements error.
func (r refusal) Error() string { return r.Description }

// Unwrap lets it be known by its code.
func (r refusal) Unwrap() error { return r.APIError }

// answered takes an acknowledgement; its number is what follows the inbox.
func (p *Publisher) answered(m *nats.Msg, prefix int) {
	n, err := strconv.ParseUint(m.Subject[prefix:], 10, 64)
	if err != nil {
		return
	}
	err = verdict(m)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.queue) == 0 || n < p.queue[0].n || n-p.queue[0].n >= uint64(len(p.queue)) {
		return
	}
	w := p.queue[n-p.queue[0].n] // numbers are dense
	if err != nil {
		if p.failed == nil {
			p.failed = err
		}
		p.poke()
		return
	}
	w.stored = true
	if p.bus.unstored.Load() != nil {
		p.bus.unstored.Store(nil)
		p.bus.look()
	}
	p.progress = time.Now()
	full := p.sent >= maxInFlight
	switch {
	case p.queue[0].stored:
		p.skipped = time.Time{}
	case w.sent == 1 && p.skipped.IsZero(): // what is sent again may be known from before
		p.skipped = time.Now()
	}
	for len(p.queue) > 0 && p.queue[0].stored {
		w := p.queue[0]
		p.queue[0] = nil
		p.queue = p.queue[1:]
		p.sent = max(0, p.sent-1)
		p.bytes -= w.size
		p.bus.unacked.Add(-1)
		if w.done != nil {
			close(w.done)
		}
	}
	if full {
		p.poke()
	}
	if p.room != nil && !p.crowded(2) {
		close(p.room)
		p.room = nil
	}
}

// verdict reads an answer. An error is the server's, in its words.
func verdict(m *nats.Msg) error {
	if len(m.Data) == 0 { // a status: nobody there
		return nats.ErrNoResponders
	}
	if !bytes.Contains(m.Data, []byte(`"error"`)) {
		return nil
	}
	var a ack
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return err
	}
	return a.err()
}
