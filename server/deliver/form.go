package deliver

import (
	"hash/crc32"

	"aviary/fanout"
	"aviary/fanout/wire"
)

// Events is a set of named events.
type Events uint32

// The named events of a stream. Posts have no name and are always sent.
const (
	Hello Events = 1 << iota
	Delete
	ScrubGeo
	StatusWithheld
	UserWithheld
	Gap
	Upstream
	UpstreamLimit // "limit": the upstream's notice, not the limit parameter
	Warning
	Disconnect
	Other
	Bye
	Match     // which named rules the next post matches
	Heartbeat // only for those who list it
)

// AllEvents is what a client gets that asks for nothing else.
const AllEvents = Heartbeat - 1

var eventNames = [...]string{
	"hello", "delete", "scrub_geo", "status_withheld", "user_withheld", "gap", "upstream",
	"limit", "warning", "disconnect", "other", "bye", "match", "heartbeat",
}

// EventNames are the names an events parameter may list.
func EventNames() []string { return eventNames[:] }

// EventNamed returns the set of the one event of that name, 0 if there is none.
func EventNamed(name string) Events {
	for i, n := range eventNames {
		if n == name {
			return 1 << i
		}
	}
	return 0
}

// Has reports whether any event of o is in e.
func (e Events) Has(o Events) bool { return e&o != 0 }

// String lists the names, or says all or none.
func (e Events) String() string {
	switch e {
	case AllEvents:
		return "all"
	case 0:
		return "none"
	}
	var b []byte
	for i, n := range eventNames {
		if e.Has(1 << i) {
			if b != nil {
				b = append(b, ',')
			}
			b = append(b, n...)
		}
	}
	return string(b)
}

// ofKind is the event that a kind in the log becomes; 0 for a post.
func ofKind(k fanout.Kind) Events {
	switch k {
	case fanout.KindPost:
		return 0
	case fanout.KindDelete:
		return Delete
	case fanout.KindScrubGeo:
		return ScrubGeo
	case fanout.KindStatusWithheld:
		return StatusWithheld
	case fanout.KindUserWithheld:
		return UserWithheld
	case fanout.KindGap:
		return Gap
	case fanout.KindUpstream:
		return Upstream
	case fanout.KindLimit:
		return UpstreamLimit
	case fanout.KindWarning:
		return Warning
	case fanout.KindDisconnect:
		return Disconnect
	}
	return Other
}

// Form is how a client wants its stream: the bytes of an event are the same for
// all clients of one form.
type Form struct {
	NDJSON  bool
	Payload wire.Payload
	Coding  wire.Coding // of the whole stream
	Events  Events
}

// Transport is the form's label in metrics.
func (f Form) Transport() string {
	if f.NDJSON {
		return "ndjson"
	}
	return "sse"
}

// sends says that clients of this form get e at all.
func (f Form) sends(e *fanout.Event) bool {
	switch e.Kind {
	case fanout.KindPost:
		return true
	case fanout.KindGap:
		return e.Loss != nil && f.Events.Has(Gap) // without a loss it tells nothing
	}
	return f.Events.Has(ofKind(e.Kind))
}

// block is the event's bytes, shared by all clients: never written to.
func (f Form) block(e *fanout.Event) wire.Block {
	return wire.Coded(e, f.NDJSON, f.Payload, f.Coding)
}

// plain makes a block of bytes that are for one client, or a few. It appends
// them to *buf in the form's coding; the block lies there.
func (f Form) plain(buf *[]byte, p []byte) wire.Block {
	start := len(*buf)
	*buf = f.Coding.AppendPlain(*buf, p)
	b := wire.Block{Bytes: (*buf)[start:len(*buf):len(*buf)], Size: uint32(len(p))}
	if f.Coding == wire.Gzip {
		b.CRC = crc32.ChecksumIEEE(p)
	}
	return b
}
