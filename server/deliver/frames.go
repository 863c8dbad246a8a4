package deliver

import (
	"encoding/json"
	"strconv"
	"time"

	"aviary/fanout"
	"aviary/fanout/wire"
)

// The frames made for one client: the gateway's own words. Nothing in them is
// input, but for the JSON of a tombstone, which NewEvent has made safe.

// appendEvent appends one named event in the form: data is one line of JSON.
func (f Form) appendEvent(dst []byte, name, id string, data []byte) []byte {
	if f.NDJSON {
		return append(append(dst, data...), '\n')
	}
	return wire.AppendSSE(dst, name, id, data)
}

// AppendRetry appends an SSE reconnection time; NDJSON has none.
func (f Form) AppendRetry(dst []byte, d time.Duration) []byte {
	if f.NDJSON {
		return dst
	}
	return wire.AppendRetry(dst, d)
}

// AppendHello appends the hello event, whose JSON the caller has made.
func (f Form) AppendHello(dst []byte, at fanout.Cursor, data []byte) []byte {
	return f.appendEvent(dst, "hello", at.String(), data)
}

// AppendPosition appends what moves a client's last id and dispatches nothing:
// a comment with an id, in NDJSON a line with the cursor.
func (f Form) AppendPosition(dst []byte, id string) []byte {
	if f.NDJSON {
		return append(appendCursor(append(dst, '{'), id), "}\n"...)
	}
	dst = append(dst, ":\nid: "...)
	return append(append(dst, id...), "\n\n"...)
}

// appendCursor appends the member every object with a place in the stream has.
func appendCursor(dst []byte, id string) []byte {
	dst = append(dst, `"cursor":`...)
	if id == "" {
		return append(dst, "null"...)
	}
	dst = append(dst, '"')
	return append(append(dst, id...), '"')
}

// appendHeartbeat appends the named event if the client asked for it, else the position.
func (f Form) appendHeartbeat(dst []byte, id string) []byte {
	if !f.Events.Has(Heartbeat) {
		return f.AppendPosition(dst, id)
	}
	data := append(appendCursor([]byte(`{"heartbeat":{`), id), "}}"...)
	return f.appendEvent(dst, "heartbeat", id, data)
}

// appendTombstone appends an event that happened while the client was away. It
// has no id: its place is behind events the client has yet to get.
func (f Form) appendTombstone(dst []byte, e *fanout.Event) []byte {
	if f.NDJSON {
		return append(dst, wire.NDJSON(e, f.Payload)...)
	}
	return append(dst, wire.Tombstone(e)...)
}

// appendGap appends a gap event, whose id is its end.
func (f Form) appendGap(dst []byte, g fanout.Gap) []byte {
	if f.NDJSON {
		return wire.AppendGapLine(dst, g)
	}
	return wire.AppendGap(dst, g)
}

// appendMatch appends which of a filter's named rules the post behind it matches.
func (f Form) appendMatch(dst []byte, names []string) []byte {
	data, err := json.Marshal(map[string][]string{"match": names})
	if err != nil {
		return dst // cannot be: strings have a JSON form
	}
	return f.appendEvent(dst, "match", "", fanout.Normalize(nil, data))
}

// AppendBye appends the end of a stream: retry, then bye. id may be empty: the
// client keeps the one it has. A client that wants no bye still learns when to
// come back, and after a limit that it need not.
func (f Form) AppendBye(dst []byte, r Reason, retry time.Duration, id string) []byte {
	dst = f.AppendRetry(dst, retry)
	if !f.Events.Has(Bye) {
		if r == Limit {
			dst = f.AppendPosition(dst, id)
		}
		return dst
	}
	b := append([]byte(`{"bye":{"reason":"`), r.String()...)
	b = append(b, `","retry_ms":`...)
	b = strconv.AppendInt(b, retry.Milliseconds(), 10)
	b = append(b, ',')
	b = append(appendCursor(b, id), "}}"...)
	return f.appendEvent(dst, "bye", id, b)
}
