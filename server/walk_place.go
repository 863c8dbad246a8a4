package server

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// place is where a walk over pages is: what the ids of its events hold. It is
// all that a walk needs to go on in another process.
type place struct {
	newer bool   // direction=new
	what  uint32 // the question it belongs to
	pages uint64 // asked for so far
	posts uint64 // sent so far
	// at is the id of a post, 0 at the start. Back in time: it and all above it
	// have been sent. Forward: it and all below it.
	at uint64
}

// endMark ends the id of a walk that is over.
const endMark = ".end"

// String is the id. It is opaque to clients.
func (p place) String() string {
	direction := "o"
	if p.newer {
		direction = "n"
	}
	b := []byte(direction)
	b = strconv.AppendUint(b, uint64(p.what), 36)
	for _, n := range []uint64{p.pages, p.posts, p.at} {
		b = strconv.AppendUint(append(b, '-'), n, 36)
	}
	return string(b)
}

// End is the id of the end.
func (p place) End() string { return p.String() + endMark }

// longestPlace bounds what is looked at of an id.
const longestPlace = 64

// parsePlace reads an id in the one form that String and End write.
func parsePlace(s string) (p place, end, ok bool) {
	if len(s) > longestPlace || s == "" {
		return p, false, false
	}
	text, end := strings.CutSuffix(s, endMark)
	parts := strings.Split(text[min(1, len(text)):], "-")
	if len(parts) != 4 {
		return p, false, false
	}
	var n [4]uint64
	for i, part := range parts {
		bits := 64
		if i == 0 {
			bits = 32
		}
		var err error
		if n[i], err = strconv.ParseUint(part, 36, bits); err != nil {
			return p, false, false
		}
	}
	p = place{newer: text[0] == 'n', what: uint32(n[0]), pages: n[1], posts: n[2], at: n[3]}
	return p, end, p.String() == text
}

// placeOf is the start of a walk.
func placeOf(q SearchQuestion, newer bool) place {
	h := fnv.New32a()
	for _, part := range []string{q.Q, q.Lang, q.ResultType, q.Until, strconv.FormatUint(q.SinceID, 10)} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	p := place{newer: newer, what: h.Sum32()}
	if newer {
		p.at = q.SinceID
	}
	return p
}
