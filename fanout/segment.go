package fanout

import (
	"sync"
	"sync/atomic"

	"aviary/fanout/filter"
)

// partSlots is how much of a segment that is not sealed yet shares postings, so
// that thousands who come at once do not each go through all of it.
const (
	partSlots = 128
	parts     = segmentSlots / partSlots
)

// indexed is the postings of some slots that are all written. They are built by
// the first who needs them, outside the hub's lock, and by nobody else.
type indexed struct {
	once     sync.Once
	postings atomic.Pointer[filter.Postings]
}

// of returns the postings of slots; nil: they have been dropped.
func (x *indexed) of(slots []slot) *filter.Postings {
	x.once.Do(func() {
		posts := make([]*filter.Post, len(slots))
		for i := range slots {
			posts[i] = slots[i].post
		}
		x.postings.Store(filter.NewPostings(posts))
	})
	return x.postings.Load()
}

func (x *indexed) size() int64 {
	if p := x.postings.Load(); p != nil {
		return p.Size()
	}
	return 0
}

// sealed returns the postings of the whole segment, which must be full. They
// make those of its parts superfluous.
func (seg *segment) sealed() *filter.Postings {
	p := seg.whole.of(seg.slots[:])
	for i := range seg.parts {
		if seg.parts[i].postings.Load() != nil {
			seg.parts[i].postings.Store(nil)
		}
	}
	return p
}

// match appends to out the indexes in [from, to) of the posts that match f,
// deleted ones included. The slots before to must be written.
func (seg *segment) match(f *filter.Filter, from, to int, out []int) []int {
	if to == segmentSlots || seg.whole.postings.Load() != nil {
		out = seg.sealed().Match(f, from, out)
		for len(out) > 0 && out[len(out)-1] >= to {
			out = out[:len(out)-1]
		}
		return out
	}
	for from < to {
		part := from / partSlots
		start, end := part*partSlots, (part+1)*partSlots
		if end > to {
			return seg.scan(f, from, to, out)
		}
		p := seg.parts[part].of(seg.slots[start:end])
		if p == nil { // somebody who sees more of the segment has just sealed it
			return seg.scan(f, from, to, out)
		}
		n := len(out)
		out = p.Match(f, from-start, out)
		for ; n < len(out); n++ {
			out[n] += start
		}
		from = end
	}
	return out
}

func (seg *segment) scan(f *filter.Filter, from, to int, out []int) []int {
	for i := from; i < to; i++ {
		if post := seg.slots[i].post; post != nil && f.Match(post) {
			out = append(out, i)
		}
	}
	return out
}

// postingsSize returns the bytes of the segment's postings.
func (seg *segment) postingsSize() int64 {
	n := seg.whole.size()
	for i := range seg.parts {
		n += seg.parts[i].size()
	}
	return n
}

// matches lists the posts of one segment that match f, deleted ones included.
func (v view) matches(f *filter.Filter) (found []uint64) {
	for _, i := range v.indexes(f, nil) {
		found = append(found, v.first+uint64(i))
	}
	return found
}

// count counts the posts of v that match f, deleted ones included.
func (v view) count(f *filter.Filter) (n int64) {
	var out []int
	for ; !v.empty(); v = v.rest() {
		out = v.indexes(f, out[:0])
		n += int64(len(out))
	}
	return n
}

func (v view) indexes(f *filter.Filter, out []int) []int {
	return v.segments[0].match(f, int(v.from-v.first), int(min(v.to-v.first, segmentSlots)), out)
}
