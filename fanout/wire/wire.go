package wire

import (
	"bytes"
	"encoding/json"
	"fmt"

	"aviary/fanout"
)

// Payload is what a client gets of a post.
type Payload uint8

// The payloads of the payload parameter.
const (
	Full    Payload = iota // the upstream's JSON
	Compact                // one small schema whatever the source
	IDs                    // {"id_str":"…"}
	payloads
)

// The encoding slots of this package.
const (
	slotCompact   = iota // SSE frame; the NDJSON line lies in it
	slotIDs              // SSE frame; the NDJSON line lies in it
	slotTombstone        // SSE frame without id
	slotCoded            // and 17 more: every coding but Identity, format and payload; see codedSlot
)

const dataMark = "data: "

// SSE returns the whole frame of e for a client that wants payload p. It is
// shared: nobody writes into it. e must be published.
func SSE(e *fanout.Event, p Payload) []byte {
	if e.Kind == fanout.KindPost {
		switch p {
		case Compact:
			return e.Encoding(slotCompact, func() []byte { return frame(e, appendCompact) })
		case IDs:
			return e.Encoding(slotIDs, func() []byte { return frame(e, appendIDs) })
		}
	}
	return e.Frame()
}

// NDJSON returns the line of e, line feed included. It is shared and the same
// JSON as the data of the SSE frame. e must be published.
func NDJSON(e *fanout.Event, p Payload) []byte {
	if e.Kind != fanout.KindPost || p == Full {
		return e.Line()
	}
	frame := SSE(e, p)
	start := headLen(e)
	return frame[start : len(frame)-1 : len(frame)-1]
}

// Tombstone returns the SSE frame of e without an id line: deletes that a
// resuming client is told of first must not move its cursor. It is shared. In
// NDJSON a tombstone is the plain line.
func Tombstone(e *fanout.Event) []byte {
	return e.Encoding(slotTombstone, func() []byte {
		return AppendSSE(nil, e.Kind.String(), "", e.JSON)
	})
}

// headLen is how much of a post's frame stands before its JSON.
func headLen(e *fanout.Event) int { return len(e.Frame()) - len(e.JSON) - len("\n\n") }

// frame puts another body between the head of e's own frame and its end.
func frame(e *fanout.Event, body func(dst []byte, e *fanout.Event) []byte) []byte {
	head := e.Frame()[:headLen(e)]
	dst := make([]byte, 0, len(head)+len(e.JSON)/2+16)
	dst = append(dst, head...)
	dst = body(dst, e)
	return bytes.Clone(append(dst, '\n', '\n')) // kept for long: no slack
}

// appendIDs appends the smallest payload.
func appendIDs(dst []byte, e *fanout.Event) []byte {
	dst = append(dst, `{"id_str":`...)
	dst = appendString(dst, e.Post.Key.ID)
	return append(dst, '}')
}

// appendCompact appends the dialect's compact form. Whatever goes wrong in there
// must not end a stream: then it is an object with nothing but the id.
func appendCompact(dst []byte, e *fanout.Event) []byte {
	compact, err := compactOf(e)
	if err != nil {
		dst = append(dst, `{"id_str":`...)
		dst = appendString(dst, e.Post.Key.ID)
		dst = append(dst, `,"source":`...)
		dst = appendString(dst, e.Post.Key.Source)
		return append(dst, '}')
	}
	return fanout.Normalize(dst, compact)
}

func compactOf(e *fanout.Event) (compact []byte, err error) {
	if e.Dialect == nil || e.Dialect.Compact == nil {
		return nil, fmt.Errorf("no compact form in this dialect")
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("compact form of post %q: %v", e.Post.Key.ID, p)
		}
	}()
	compact, err = e.Dialect.Compact(nil, e.JSON)
	if err == nil && (!bytes.HasPrefix(compact, []byte("{")) || !json.Valid(compact)) {
		err = fmt.Errorf("compact form of post %q is no JSON object", e.Post.Key.ID)
	}
	return compact, err
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // cannot be: any string has a JSON form
		return append(dst, `""`...)
	}
	return fanout.Normalize(dst, b)
}
