package compat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"aviary/fanout"
	"aviary/server/deliver"
)

// blank is the keep-alive of both APIs, and what every message ends with.
var blank = []byte("\r\n")

// undelivered counts what a client did not get, as the limit notice tells it: in
// all since the connection was opened, at least so many.
type undelivered struct {
	own      int64 // lost between the gateway and the client, or before the gateway
	upstream int64 // the upstream's own count
	last     int64 // its last notice: it begins anew with each connection of the gateway
}

// notice reads the upstream's count.
func (u *undelivered) notice(raw []byte) {
	var in struct {
		Limit struct {
			Track int64 `json:"track"`
		} `json:"limit"`
	}
	if json.Unmarshal(raw, &in) != nil || in.Limit.Track < 0 {
		return
	}
	if in.Limit.Track < u.last {
		u.last = 0
	}
	u.upstream += in.Limit.Track - u.last
	u.last = in.Limit.Track
}

// append appends the notice.
func (u *undelivered) append(dst []byte, now time.Time) []byte {
	return fmt.Appendf(dst, `{"limit":{"track":%d,"timestamp_ms":"%d"}}`, u.own+u.upstream, now.UnixMilli())
}

// take writes one event, if v1.1 has a form for it.
func (t *streamV1) take(e *fanout.Event) error {
	switch e.Kind {
	case fanout.KindPost:
		return t.post(e)
	case fanout.KindGap:
		if e.Loss != nil {
			t.seat.client.Missed(e.Loss.Reason)
		}
		missed := int64(-1)
		if e.Loss != nil && t.wish.filter.Empty() {
			missed = e.Loss.Missed
		}
		return t.lost(missed, false)
	case fanout.KindLimit:
		t.count.notice(e.JSON)
		return t.message(t.count.append(nil, e.Received))
	case fanout.KindWarning:
		if !t.wish.warnings {
			return nil
		}
	case fanout.KindUpstream, fanout.KindDisconnect, fanout.KindOther:
		return nil // the gateway's own connection is no business of this one
	default: // what takes posts away
		if !bytes.HasPrefix(e.JSON, []byte(`{"`+e.Kind.String()+`":`)) {
			return nil // a notice of another API, for which v1.1 has none
		}
	}
	return t.message(e.JSON)
}

// post writes a post in v1.1 form. Its line is shared by all streams but for the
// copy into what is written; a length before it makes it a line of its own.
func (t *streamV1) post(e *fanout.Event) error {
	status := t.routes.posts.v1(e)
	if status == nil {
		return nil
	}
	t.conn.post(e)
	if t.wish.delimited {
		return t.message(status)
	}
	t.made = append(append(t.made[:0], status...), blank...)
	var block []byte
	if t.conn.gzip {
		block = e.Encoding(slotV1Block, func() []byte { return bytes.Clone(appendBlock(nil, t.made)) })
	}
	return t.add(block)
}

// message writes one message that is this client's own.
func (t *streamV1) message(raw []byte) error {
	t.made = t.made[:0]
	if t.wish.delimited {
		t.made = strconv.AppendInt(t.made, int64(len(raw)+len(blank)), 10)
		t.made = append(t.made, blank...)
	}
	t.made = append(append(t.made, raw...), blank...)
	return t.add(nil)
}

func (t *streamV1) add(block []byte) error {
	if err := t.conn.add(t.made, block); err != nil {
		return err
	}
	if t.conn.full() {
		return t.conn.flush(false)
	}
	return nil
}

// lost tells of posts that the client did not get: how many if that is known, else
// one, so that the count says at least what it says.
func (t *streamV1) lost(missed int64, slow bool) error {
	t.count.own += max(missed, 1)
	if slow && t.wish.warnings {
		err := t.message([]byte(`{"warning":{"code":"FALLING_BEHIND","message":"Your connection is falling behind and messages are being dropped for it. Read faster, or ask for less.","percent_full":100}}`))
		if err != nil {
			return err
		}
	}
	return t.message(t.count.append(nil, time.Now()))
}

// disconnect is the last message of a stream. The codes are Twitter's: a client
// comes back by itself after 1 and 12, and not after 7.
func disconnect(why deliver.Reason, id uint64) []byte {
	code, said := 1, "Shutdown: the gateway is being restarted"
	switch why {
	case deliver.MaxAge:
		said = "Shutdown: the connection has reached the age that this gateway allows"
	case deliver.Evicted:
		code, said = 7, "Admin logout: an operator has ended this stream"
	}
	return fmt.Appendf(nil, `{"disconnect":{"code":%d,"stream_name":"aviary-statuses%d","reason":"%s"}}`, code, id, said)
}
