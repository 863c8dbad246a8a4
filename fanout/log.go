package fanout

import (
	"sort"
	"time"

	"aviary/fanout/filter"
)

// segmentSlots is the length of a segment: the unit in which the log gives
// memory back, builds postings and remembers what it trimmed.
const segmentSlots = 1024

// slot is one position of the log. It outlives its event: a deleted or trimmed
// one leaves its numbers and features as long as the segment stands, so that
// clients can be told how many posts they missed. That is the one thing the
// bounds do not see: the features of at most one segment.
type slot struct {
	// Owned by the hub's lock.
	event *Event // nil: deleted or trimmed
	size  int64  // bytes charged

	// Written once, under the lock, and then read by views without it.
	post  *filter.Post // of a post
	seq   uint64       // the last sequence given, this event's included
	posts uint64       // posts in the log's life before this slot
	at    time.Time    // when it was received
	kind  Kind
}

// key orders slots and cursors: the event that owns sequence n has 2n, the
// notices without a sequence behind it have 2n+1, a cursor at n is 2n.
func (s *slot) key() uint64 {
	if s.kind.sequenced() {
		return 2 * s.seq
	}
	return 2*s.seq + 1
}

// segment is segmentSlots positions. It is sealed when it is full: from then on
// its slots only lose events.
type segment struct {
	slots [segmentSlots]slot

	whole indexed        // once it is sealed
	parts [parts]indexed // until then: of each part that is full
}

// unread is what a log never held: everything up to a sequence, received at a time or before.
type unread struct {
	seq uint64
	at  time.Time
}

// eventLog holds the positions [base, head). Everything in it is owned by the
// hub's lock.
type eventLog struct {
	segments []*segment
	first    uint64 // position of the first slot of segments[0]; first ≤ base
	base     uint64 // oldest position held
	head     uint64 // the next position

	count int   // events held that count against the bound
	bytes int64 // charged for what is held

	posts uint64 // posts ever appended
	seq   uint64 // last sequence given

	before  slot    // the slot before first
	lost    slot    // the last event trimmed that somebody may miss; kind and seq are valid if missing
	missing bool    // an event was trimmed that somebody may miss
	unread  unread  // what never was in the log
	trimmed records // what the trimmed segments held
}

// at returns the slot of a position in [first, head).
func (l *eventLog) at(pos uint64) *slot {
	i := pos - l.first
	return &l.segments[i/segmentSlots].slots[i%segmentSlots]
}

// last returns the slot before a position in [first, head].
func (l *eventLog) last(pos uint64) *slot {
	if pos == l.first {
		return &l.before
	}
	return l.at(pos - 1)
}

// postsBefore is the ordinal of a position in [first, head]: how many posts
// were ever published before it.
func (l *eventLog) postsBefore(pos uint64) uint64 {
	if pos == l.head {
		return l.posts
	}
	return l.at(pos).posts
}

// append puts e, whose ID and Received are set, at the head.
func (l *eventLog) append(e *Event) {
	if l.head == l.first+uint64(len(l.segments))*segmentSlots {
		l.segments = append(l.segments, new(segment))
	}
	e.pos = l.head
	if e.blind != nil {
		e.blind.pos = l.head
	}
	l.head++
	s := l.at(e.pos)
	*s = slot{event: e, seq: e.ID.Seq, posts: l.posts, at: e.Received, size: e.size(), kind: e.Kind}
	l.seq = e.ID.Seq
	if e.Kind == KindPost {
		s.post = e.Post
		s.size += int64(e.Post.Size())
		l.posts++
	}
	if e.Kind != KindUpstream {
		l.count++
	}
	l.bytes += s.size
}

// empty takes the event out of its slot. The features of a post stay, and are
// paid for, until the slot is trimmed.
func (l *eventLog) empty(s *slot) {
	if s.event == nil {
		return
	}
	s.event.forget(true)
	s.event = nil
	if s.kind != KindUpstream {
		l.count--
	}
	left := int64(0)
	if s.post != nil {
		left = int64(s.post.Size())
	}
	l.bytes += left - s.size
	s.size = left
}

// drop trims the slot at base.
func (l *eventLog) drop() {
	s := l.at(l.base)
	if s.event != nil && s.kind != KindUpstream && (!l.missing || s.key() > l.lost.key()) {
		l.lost, l.missing = slot{seq: s.seq, kind: s.kind, at: s.at}, true
	}
	l.empty(s)
	l.bytes -= s.size
	s.size = 0
	l.base++
	if l.base == l.first+segmentSlots {
		old := l.segments[0]
		l.trimmed.add(old)
		l.before = old.slots[segmentSlots-1]
		l.before.post = nil
		l.segments[0] = nil
		l.segments = l.segments[1:]
		l.first = l.base
	}
}

// after returns the first position, held or not, behind a sequence.
func (l *eventLog) after(seq uint64) uint64 {
	return l.first + uint64(sort.Search(int(l.head-l.first), func(i int) bool {
		return l.at(l.first+uint64(i)).key() > 2*seq
	}))
}

// since returns the first position, held or not, received at t or later.
func (l *eventLog) since(t time.Time) uint64 {
	return l.first + uint64(sort.Search(int(l.head-l.first), func(i int) bool {
		return !l.at(l.first + uint64(i)).at.Before(t)
	}))
}

// view is a part of the log that can be read without the lock: posts stay in
// their slots until the last view of their segment is gone.
type view struct {
	segments []*segment
	first    uint64 // position of the first slot
	from, to uint64 // what is looked at
}

// view returns [from, head); from must lie in [first, head].
func (l *eventLog) view(from uint64) view {
	i := (from - l.first) / segmentSlots
	return view{
		segments: append([]*segment(nil), l.segments[i:]...),
		first:    l.first + i*segmentSlots,
		from:     from,
		to:       l.head,
	}
}

// segment returns the part of v that lies in the segment of v.from.
func (v view) segment() view {
	v.to = min(v.to, v.first+segmentSlots)
	return v
}

// rest returns what is behind segment.
func (v view) rest() view {
	return view{segments: v.segments[1:], first: v.first + segmentSlots, from: v.first + segmentSlots, to: v.to}
}

// empty says that there is nothing to look at.
func (v view) empty() bool { return v.from >= v.to }
