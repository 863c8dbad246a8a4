package compat

import (
	"fmt"
	"log/slog"

	"aviary/fanout"
)

// The encoding slots of this package: the last ones of an event.
const (
	slotV1      = fanout.EncodingSlots - 3 + iota // a v1.1 status, of a source that has another form
	slotV1Block                                   // the line of it, deflated
	slotV2                                        // a whole v2 envelope, of a source that has another form
)

// converter makes of an event the post in a form that its source may not have.
// What comes out is shared and never written to.
type converter struct{ log *slog.Logger }

// v1 is the post as a v1.1 status; nil if it cannot be had.
func (c converter) v1(e *fanout.Event) []byte {
	if e.Dialect == nil || e.Dialect.V1 == nil {
		return e.JSON
	}
	return c.once(e, slotV1, e.Dialect.V1)
}

// v2 is the post as a v2 envelope with all there is; nil if it cannot be had.
func (c converter) v2(e *fanout.Event) []byte {
	if e.Dialect == nil || e.Dialect.V2 == nil {
		return e.JSON
	}
	return c.once(e, slotV2, e.Dialect.V2)
}

func (c converter) once(e *fanout.Event, slot int, to func(dst, json []byte) ([]byte, error)) []byte {
	return e.Encoding(slot, func() []byte {
		out, err := guarded(e.JSON, to)
		if err != nil {
			c.log.Debug("a post has no form in this API", "error", err)
			return nil
		}
		return out[:len(out):len(out)]
	})
}

// guarded keeps a bug in a conversion from ending a stream.
func guarded(json []byte, to func(dst, json []byte) ([]byte, error)) (out []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			out, err = nil, fmt.Errorf("conversion panicked: %v", v)
		}
	}()
	out, err = to(nil, json)
	if err != nil {
		return nil, err
	}
	return fanout.Normalize(nil, out), nil
}
