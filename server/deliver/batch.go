package deliver

import (
	"sync"
	"time"

	"aviary/fanout"
)

const (
	// maxWrite bounds one write to a socket, and with it how long a client may
	// take for one write timeout.
	maxWrite = 64 << 10
	// gather is how much is collected for one write: a dozen posts, beyond which
	// a system call is cheap beside its bytes. A stalled client keeps this much.
	gather = 32 << 10
	// pullMax and pullFirst bound how many events are pulled for one write.
	pullMax, pullFirst = 64, 8
)

// batch is what a client needs while it has something to write. Idle clients
// have none.
type batch struct {
	events   []*fanout.Event
	one      []byte // a single frame, shared bytes
	buf      []byte // or several, copied
	pulled   int    // bytes of the events of the last pull
	posts    int
	received []time.Time // of live events in it, for delivery_seconds
}

var batches = sync.Pool{New: func() any {
	return &batch{events: make([]*fanout.Event, 0, pullMax), received: make([]time.Time, 0, pullMax)}
}}

// release forgets the events, so that the pool does not keep what a delete has
// taken out of the history.
func (b *batch) release() {
	clear(b.events[:cap(b.events)])
	b.events = b.events[:0]
	b.reset()
	if cap(b.buf) > 2*maxWrite {
		b.buf = nil
	}
	batches.Put(b)
}

func (b *batch) reset() {
	b.one, b.buf, b.posts, b.received = nil, b.buf[:0], 0, b.received[:0]
}

func (b *batch) size() int { return len(b.one) + len(b.buf) }

// own returns the buffer for frames made for this client only.
func (b *batch) own() []byte {
	if b.one != nil {
		b.buf, b.one = append(b.buf, b.one...), nil
	}
	return b.buf
}

// share adds a frame that all clients share. It is not copied while it is alone.
func (b *batch) share(frame []byte) {
	if b.size() == 0 {
		b.one = frame
		return
	}
	b.buf = append(b.own(), frame...)
}

// bytes is all of it.
func (b *batch) bytes() []byte {
	if b.one != nil {
		return b.one
	}
	return b.buf
}
