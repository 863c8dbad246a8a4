package deliver

import (
	"slices"
	"sync"
	"time"

	"aviary/fanout"
	"aviary/fanout/wire"
)

const (
	// maxWrite bounds one write to a socket, and with it how long a client may
	// take for one write timeout. Only a single frame may be larger.
	maxWrite = 64 << 10
	// gather is how much is collected for one write to a client that is behind: a
	// dozen posts, beyond which a system call is cheap beside its bytes.
	gather = 32 << 10
	// pullMax and pullFirst bound how many events are pulled for one write.
	pullMax, pullFirst = 64, 8
)

// batch is what goes out in one write: shared blocks in order, and what has to be
// known of them should the socket take only a part. Idle clients have none.
type batch struct {
	blocks []wire.Block
	units  []unit
	size   int // bytes of all blocks
	posts  int
	gaps   []string // reasons of the gaps in it

	// The events it was made of, and where its client stood before; none if it
	// holds nothing but a client's own words.
	events []*fanout.Event
	first  int // of them that the first unit may hold
	from   fanout.Place
	before policy // the client's, as it was

	received []time.Time   // of live events in it, for delivery_seconds
	last     fanout.Cursor // told to the client by it; zero: none

	own     []byte     // the blocks made for one client lie here
	scratch []byte     // plain bytes of the next one
	names   []string   // of the rules a post matches
	sum     wire.Batch // of blocks
	joined  []byte     // for writers that take one slice
	vector  vector     // for writers that take many
	pull    int        // how many events fill a write
}

// unit is what is sent whole or not at all: an event's frame with what stands
// right before it. It says how much of the batch lies up to its end.
type unit struct{ blocks, size, events, posts int }

var batches = sync.Pool{New: func() any { return new(batch) }}

// release forgets the events, so that the pool does not keep what a delete has
// taken out of the history.
func (b *batch) release() {
	b.reset()
	b.pull = 0
	if cap(b.joined) > 2*maxWrite {
		b.joined = nil
	}
	batches.Put(b)
}

// reset empties the batch.
func (b *batch) reset() {
	clear(b.events)
	b.events = b.events[:0]
	b.rewind()
}

// rewind forgets what was to be written, but not the events it was made of.
func (b *batch) rewind() {
	clear(b.blocks)
	b.vector.reset()
	b.blocks, b.units, b.received, b.gaps = b.blocks[:0], b.units[:0], b.received[:0], b.gaps[:0]
	b.size, b.posts, b.first, b.last = 0, 0, 0, fanout.Cursor{}
	if cap(b.own) > 2*maxWrite {
		b.own = nil
	}
	b.own = b.own[:0]
}

// add adds a block to the unit that the next end closes.
func (b *batch) add(block wire.Block) {
	b.blocks = append(b.blocks, block)
	b.size += len(block.Bytes)
}

// say adds the gateway's own words, which are a unit.
func (b *batch) say(f Form, plain []byte) {
	if len(plain) > 0 {
		b.add(f.plain(&b.own, plain))
		b.end(len(b.events))
	}
}

// end closes a unit: with it the client has had so many of the events.
func (b *batch) end(events int) {
	b.units = append(b.units, unit{len(b.blocks), b.size, events, b.posts})
}

// fits says that there is room for another event.
func (b *batch) fits(block wire.Block) bool {
	return b.size == 0 || b.size+len(block.Bytes) <= maxWrite && len(b.blocks) < maxBlocks
}

// event adds an event whose block in the form is known, and closes its unit. had
// is how many of the batch's events lie before it.
func (b *batch) event(f Form, block wire.Block, e *fanout.Event, g *fanout.Group, had int) {
	switch e.Kind {
	case fanout.KindPost:
		b.posts++
		if g.Filter().Named() && f.Events.Has(Match) {
			b.names = g.Filter().AppendNames(b.names[:0], e.Post)
			b.scratch = f.appendMatch(b.scratch[:0], b.names)
			b.add(f.plain(&b.own, b.scratch))
		}
	case fanout.KindGap:
		b.gaps = append(b.gaps, e.Loss.Reason)
	}
	b.add(block)
	b.end(had + 1)
	b.last = e.ID
}

// cut says what becomes of a batch of which n bytes were taken: how many events
// the client has had, how many posts, and the rest of the unit that was cut. Of a
// batch without events the rest is all that is left.
func (b *batch) cut(n int) (events, posts int, rest []byte) {
	done := unit{events: b.first}
	i := slices.IndexFunc(b.units, func(u unit) bool { return u.size > n })
	if i > 0 {
		done = b.units[i-1]
	}
	if i < 0 {
		return len(b.events), b.posts, nil
	}
	if len(b.events) == 0 {
		return 0, b.posts, b.bytesFrom(unit{}, b.units[len(b.units)-1], n)
	}
	if done.size == n {
		return done.events, done.posts, nil
	}
	u := b.units[i]
	return u.events, u.posts, b.bytesFrom(done, u, n)
}

// bytesFrom returns what lies between byte n and the end of a unit: the shared
// bytes themselves where it can.
func (b *batch) bytesFrom(start, end unit, n int) []byte {
	n -= start.size
	var rest []byte
	for i, block := range b.blocks[start.blocks:end.blocks] {
		p := block.Bytes
		if n >= len(p) {
			n -= len(p)
			continue
		}
		p, n = p[n:], 0
		if rest == nil && start.blocks+i == end.blocks-1 && len(b.own) == 0 {
			return p
		}
		rest = append(rest, p...)
	}
	return rest
}

// sumUpTo adds the first so many events, or all, to a client's sum.
func (b *batch) sumUpTo(f Form, sum *wire.Sum, n int) {
	if f.Coding != wire.Gzip || n == 0 {
		return
	}
	i := slices.IndexFunc(b.units, func(u unit) bool { return u.size >= n })
	b.sum.Reset(b.blocks[:b.units[i].blocks]...)
	sum.AddBatch(&b.sum)
}

// bytes is the batch's bytes as one slice.
func (b *batch) bytes() []byte {
	if len(b.blocks) == 1 {
		return b.blocks[0].Bytes
	}
	b.joined = b.joined[:0]
	for _, block := range b.blocks {
		b.joined = append(b.joined, block.Bytes...)
	}
	return b.joined
}
