package fanout

import (
	"math/bits"
	"sort"
	"time"
)

// maxRecords bounds how far back trimmed posts can still be counted: 4,096
// segments are four million events at 600 KB.
const maxRecords = 4096

// record is what is left of a trimmed segment: enough to say how many posts
// came after any of its sequences.
type record struct {
	from, to uint64    // first and last sequence owned in the segment
	posts    uint64    // posts in the log's life before the segment
	count    uint64    // posts in it
	at       time.Time // when its first event was received
	bits     []uint64  // bit n: the event with sequence from+n is a post; nil: the sequences are too far apart
}

// records are the trimmed segments' records, oldest first.
type records []record

func (r *records) add(seg *segment) {
	rec := record{posts: seg.slots[0].posts, at: seg.slots[0].at}
	for i := range seg.slots {
		s := &seg.slots[i]
		if !s.kind.sequenced() {
			continue
		}
		if rec.to == 0 {
			rec.from = s.seq
		}
		rec.to = s.seq
		if s.kind == KindPost {
			rec.count++
		}
	}
	if rec.to == 0 {
		return // nothing but notices
	}
	rec.mark(seg)
	if len(*r) == maxRecords {
		(*r)[0] = record{}
		*r = (*r)[1:]
	}
	*r = append(*r, rec)
}

func (rec *record) mark(seg *segment) {
	span := rec.to - rec.from + 1
	if span > 8*segmentSlots {
		return
	}
	rec.bits = make([]uint64, (span+63)/64)
	for i := range seg.slots {
		if s := &seg.slots[i]; s.kind == KindPost {
			n := s.seq - rec.from
			rec.bits[n/64] |= 1 << (n % 64)
		}
	}
}

// upTo counts the posts with a sequence of at most seq, which lies before the
// segments that stand. unknown: too long ago.
func (r records) upTo(seq uint64) (posts uint64, at time.Time, known bool) {
	i := sort.Search(len(r), func(i int) bool { return r[i].from > seq }) - 1
	if i < 0 {
		known = len(r) == 0 || r[0].posts == 0 // before the very first post
		return 0, time.Time{}, known
	}
	rec := r[i]
	switch {
	case seq >= rec.to:
		return rec.posts + rec.count, rec.at, true
	case rec.bits == nil:
		return 0, rec.at, false
	}
	n := seq - rec.from + 1
	for _, word := range rec.bits[:n/64] {
		posts += uint64(bits.OnesCount64(word))
	}
	if n%64 != 0 {
		posts += uint64(bits.OnesCount64(rec.bits[n/64] & (1<<(n%64) - 1)))
	}
	return rec.posts + posts, rec.at, true
}

// postsUpTo counts the posts ever published with a sequence of at most seq, and
// tells when about that sequence came.
func (l *eventLog) postsUpTo(seq uint64) (posts uint64, at time.Time, known bool) {
	if seq < l.before.seq {
		return l.trimmed.upTo(seq)
	}
	pos := l.after(seq)
	return l.postsBefore(pos), l.last(pos).at, true
}
