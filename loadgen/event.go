package loadgen

import (
	"bytes"
	"errors"
)

// maxEvent is the longest event that is read, in bytes.
const maxEvent = 4 << 20

// errLong ends a stream whose event has no end.
var errLong = errors.New("an event longer than 4 MiB: this is no event stream of ours")

// Event is one event of a stream. The slices point into the reader's buffer:
// they are valid during the call only.
type Event struct {
	Name []byte // of the event line; empty for a plain message
	ID   []byte // of the id line
	Data []byte // of the first data line, which is all of them for JSON on one line
}

// parser cuts a body into events. Lines end in LF or CRLF; events without data
// (heartbeats, a retry alone) are passed over.
type parser struct {
	rest  []byte // the beginning of an event whose end has not come
	event Event  // handed out; here so that no event costs memory
}

// feed hands every event that is whole to emit.
func (p *parser) feed(b []byte, emit func(*Event)) error {
	joined := len(p.rest) > 0
	if joined {
		p.rest = append(p.rest, b...)
		b = p.rest
	}
	e := &p.event
	*e = Event{}
	begin, at, dispatch := 0, 0, false // begin of the event, at of the line
	for {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			break
		}
		line := bytes.TrimSuffix(b[at:at+n], []byte{'\r'})
		at += n + 1
		switch {
		case len(line) > 0:
			dispatch = e.field(line) || dispatch
		default:
			if dispatch {
				emit(e)
			}
			*e, dispatch, begin = Event{}, false, at
		}
	}
	return p.keep(b[begin:], joined)
}

// field reads one line into e and reports whether it was a data line.
func (e *Event) field(line []byte) bool {
	switch line[0] {
	case 'd':
		if data, ok := value(line, "data:"); ok {
			if e.Data == nil {
				e.Data = data
			}
			return true
		}
	case 'i':
		if id, ok := value(line, "id:"); ok {
			e.ID = id
		}
	case 'e':
		if name, ok := value(line, "event:"); ok {
			e.Name = name
		}
	}
	return false
}

func value(line []byte, field string) ([]byte, bool) {
	if len(line) < len(field) || string(line[:len(field)]) != field {
		return nil, false
	}
	line = line[len(field):]
	if len(line) > 0 && line[0] == ' ' {
		line = line[1:]
	}
	return line, true
}

// keep holds the beginning of an event until its end comes, in memory that is
// given back when it was much.
func (p *parser) keep(b []byte, joined bool) error {
	const small = 16 << 10
	switch {
	case len(b) > maxEvent:
		return errLong
	case len(b) == 0 && cap(p.rest) > small:
		p.rest = nil
	case joined: // b is the end of rest
		p.rest = p.rest[:copy(p.rest, b)]
	default:
		p.rest = append(p.rest[:0], b...)
	}
	return nil
}
