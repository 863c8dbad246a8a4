package compat

import (
	"net/url"
	"time"

	"aviary/fanout"
	"aviary/server/deliver"
)

// recovery is what of the past a stream asks for. It is counted by when the gateway
// received a post, as everywhere here, and is what the history still holds.
type recovery struct {
	from time.Time // zero: nothing
	to   time.Time // zero: up to where the stream begins
	ends bool      // the stream ends behind it
}

// farthest is how far back start_time may lie.
const farthest = 24 * time.Hour

// readRecovery reads backfill_minutes, which goes on with the stream, and start_time
// and end_time, which do not.
func readRecovery(values url.Values, now time.Time) (p recovery, err error) {
	minutes, err := whole(values, "backfill_minutes", 0, 5, 0)
	if err != nil {
		return p, err
	}
	if minutes > 0 {
		p.from = now.Add(-time.Duration(minutes) * time.Minute)
	}
	times := map[string]time.Time{}
	for _, name := range []string{"start_time", "end_time"} {
		v := values.Get(name)
		if v == "" {
			continue
		}
		if times[name], err = time.Parse(time.RFC3339, v); err != nil {
			return p, invalid(name, v, "The `%s` query parameter value [%s] is not a valid RFC 3339 time", name, clip(v))
		}
	}
	start, end := times["start_time"], times["end_time"]
	switch {
	case start.IsZero() && end.IsZero():
		return p, nil
	case start.IsZero():
		return p, invalid("end_time", values.Get("end_time"), "`end_time` needs `start_time`")
	case minutes > 0:
		return p, invalid("backfill_minutes", values.Get("backfill_minutes"), "`backfill_minutes` and `start_time` cannot be asked for together")
	case start.Before(now.Add(-farthest)):
		return p, invalid("start_time", values.Get("start_time"), "`start_time` must be at most 24 hours ago")
	case !start.Before(now):
		return p, invalid("start_time", values.Get("start_time"), "`start_time` must be in the past")
	case !end.IsZero() && !end.After(start):
		return p, invalid("end_time", values.Get("end_time"), "`end_time` must be after `start_time`")
	}
	return recovery{from: start, to: end, ends: true}, nil
}

// replay sends what matched in the past, up to where the stream's tap was opened.
func (t *streamV2) replay(p recovery, tap fanout.Cursor) error {
	sub, _ := t.routes.opts.Hub.Subscribe(fanout.SubscribeOptions{Start: fanout.Start{Mode: fanout.StartTime, Time: p.from}})
	defer sub.Close()
	var events []*fanout.Event
	for t.seat.reason() == deliver.Open {
		var gap fanout.Gap
		events, gap = sub.Next(events[:0], pull)
		if !gap.Zero() {
			if t.seat.client.Missed(gap.Reason); gap.Reason == "slow" {
				return errBehind
			}
		}
		for _, e := range events {
			if e.ID.Seq > tap.Seq || !p.to.IsZero() && e.Received.After(p.to) {
				return t.conn.flush(false)
			}
			if e.Kind != fanout.KindPost {
				continue
			}
			if rules := t.routes.desk.match(t, e); len(rules) > 0 {
				if err := t.post(hit{e, rules}); err != nil {
					return err
				}
			}
		}
		if err := t.conn.flush(false); err != nil {
			return err
		}
		if len(events) == 0 && gap.Zero() {
			break
		}
	}
	return nil
}
