package fanout

import (
	"strconv"
	"time"
)

// The reasons of the gaps that the hub itself finds.
const (
	GapSlow    = "slow"    // a connected client was overtaken
	GapHistory = "history" // a client came back from before the oldest event held
	GapRestart = "restart" // a client came back from another life of the log
)

// Gap tells a client of posts that it did not get.
type Gap struct {
	Reason   string    // one of the contract's words
	From, To time.Time // received times around what is missing; zero: unknown
	Cursor   Cursor    // its end: the stream goes on behind it
	Missed   int64     // posts; -1: unknown
}

// Zero says that there is no gap.
func (g Gap) Zero() bool { return g.Reason == "" }

// AppendJSON appends the object that clients get:
// {"gap":{"missed":120,"reason":"slow","from":"…","to":"…","cursor":"…"}},
// times in RFC 3339 with milliseconds, null for what is not known.
func (g Gap) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"gap":{"missed":`...)
	if g.Missed < 0 {
		dst = append(dst, "null"...)
	} else {
		dst = strconv.AppendInt(dst, g.Missed, 10)
	}
	dst = append(dst, `,"reason":`...)
	dst = strconv.AppendQuote(dst, g.Reason)
	dst = append(dst, `,"from":`...)
	dst = appendTime(dst, g.From)
	dst = append(dst, `,"to":`...)
	dst = appendTime(dst, g.To)
	dst = append(dst, `,"cursor":"`...)
	dst = g.Cursor.append(dst)
	return append(dst, `"}}`...)
}

func appendTime(dst []byte, t time.Time) []byte {
	if t.IsZero() {
		return append(dst, "null"...)
	}
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z07:00")
	return append(dst, '"')
}

// sealLoss writes the JSON of a loss before the log, twice if it was counted:
// how many of the lost posts a filter would have matched nobody knows.
func (h *Hub) sealLoss(e *Event) {
	gap := Gap{Reason: e.Loss.Reason, From: e.Loss.From, To: e.Loss.To, Missed: e.Loss.Missed, Cursor: e.ID}
	e.setJSON(gap.AppendJSON(nil))
	if gap.Missed < 0 {
		return
	}
	gap.Missed = -1
	blind := NewEvent(e.Dialect, gap.AppendJSON(nil))
	blind.Kind, blind.ID, blind.Received, blind.Aim, blind.Loss = e.Kind, e.ID, e.Received, AimEveryone, e.Loss
	blind.seal()
	e.blind = blind
}

// facing returns the event as a client with or without a filter may see it.
func (e *Event) facing(filtered bool) *Event {
	if filtered && e.blind != nil {
		return e.blind
	}
	return e
}
