package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/lease"
)

// take handles one message of the consumer: a heartbeat, or one of the stream.
// An error ends the reading: something was lost on the way, and is read again.
func (r *reading) take(ctx context.Context, m *nats.Msg, to upstream.Sink) error {
	if status := m.Header.Get("Status"); status != "" && len(m.Data) == 0 {
		return r.notice(m, status, to)
	}
	meta, err := m.Metadata()
	if err != nil {
		return fmt.Errorf("a message that is not the consumer's: %w", err)
	}
	if meta.Sequence.Consumer != r.expect {
		return fmt.Errorf("message %d came where %d was due", meta.Sequence.Consumer, r.expect)
	}
	r.expect++
	to.Alive(len(m.Data) + 1)
	s := r.s
	if seq := meta.Sequence.Stream; seq > s.last {
		err = r.message(ctx, seq, m, to)
		if err != nil {
			return err
		}
		s.last = seq
		s.bus.last.Store(seq)
	}
	s.bus.lag.Store(meta.NumPending)
	if s.last >= s.target {
		s.fill()
	}
	return nil
}

// notice handles heartbeats and flow control.
func (r *reading) notice(m *nats.Msg, status string, to upstream.Sink) error {
	to.Alive(1)
	switch {
	case status != "100":
		return fmt.Errorf("the consumer ended: %.100s", m.Header.Get("Description"))
	case m.Reply != "": // the server waits until we have come this far
		return m.Respond(nil)
	}
	if stalled := m.Header.Get("Nats-Consumer-Stalled"); stalled != "" {
		return r.nc.Publish(stalled, nil)
	}
	if last, err := strconv.ParseUint(m.Header.Get("Nats-Last-Consumer"), 10, 64); err == nil && last != r.expect-1 {
		return fmt.Errorf("the server sent message %d, and %d came last", last, r.expect-1)
	}
	r.s.fill() // a heartbeat comes when there is nothing left to send
	return nil
}

// message emits one message of the stream, if it is for this node's hub.
func (r *reading) message(ctx context.Context, seq uint64, m *nats.Msg, to upstream.Sink) error {
	s, b := r.s, r.s.bus
	if m.Subject == b.config.events() {
		received, _ := parseStamp(m.Header.Get(headerReceived))
		s.begins(seq, received.Add(-1))
	} else if !s.begun {
		s.others++
	}
	at, err := head(m.Header)
	if err != nil {
		to.Drop(upstream.DropMalformed)
		return nil
	}
	if at.mine && at.term < b.term.Load() {
		b.stale.Add(1)
		return nil
	}
	if at.mine {
		if err := r.holes(ctx, seq, at, m.Header, to); err != nil {
			return err
		}
		b.term.Store(at.term)
		received, _ := parseStamp(m.Header.Get(headerReceived))
		s.number(seq, at, received)
	}
	got, err := b.config.decode(m.Header, m.Data)
	if err != nil {
		to.Drop(upstream.DropMalformed)
		if errors.Is(err, errDialect) && !s.strange {
			s.strange = true
			b.log().Error("messages on the bus cannot be read", "error", err, "hint", "is this node older than the one that publishes?")
		}
		return nil
	}
	e := got.event
	if e == nil {
		if s.config.Marked != nil {
			s.config.Marked(lease.Marker{Term: got.term, Node: got.node, Slot: got.slot})
		}
		return nil
	}
	s.confess(e, to)
	if at.mine && !takesAway(e.Kind) {
		s.hear(e.Received)
	}
	if e.Kind != fanout.KindGap { // it has no sequence of its own
		e.ID = fanout.Cursor{Epoch: s.epoch, Seq: seq}
	}
	switch {
	case e.Kind == fanout.KindPost:
		b.held.post(seq, e.Post, b.expires(e.Received))
	case takesAway(e.Kind):
		b.held.takeAway(e.Kind, e.Target, b.expires(e.Received))
	}
	to.Emit(e)
	return nil
}

// holes tells a gap if messages went that this node has not read: numbers are
// missing, and the oldest event held lies behind the last one read. Numbers alone
// prove nothing: deleted posts leave holes too.
func (r *reading) holes(ctx context.Context, seq uint64, at message, h nats.Header, to upstream.Sink) error {
	s := r.s
	if s.last == 0 || seq == s.last+1 || !s.isFilled() || at.term == s.term && at.n == s.n+1 {
		return nil
	}
	oldest, err := r.oldest(ctx)
	if err != nil {
		return err
	}
	if oldest <= s.last+1 {
		return nil
	}
	until, ok := parseStamp(h.Get(headerReceived))
	if !ok {
		until = time.Now()
	}
	gap := upstream.GapEvent(fanout.Loss{Reason: "upstream", Missed: -1, From: s.Heard(), To: until})
	gap.Received = until
	to.Emit(gap)
	return nil
}

// oldest is the sequence of the oldest event held; 0: none is.
func (r *reading) oldest(ctx context.Context) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	stream, err := r.js.Stream(ctx, r.s.bus.config.Name)
	if err != nil {
		return 0, err
	}
	m, err := stream.GetMsg(ctx, 1, jetstream.WithGetMsgSubject(r.s.bus.config.events()))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return m.Sequence, nil
}
