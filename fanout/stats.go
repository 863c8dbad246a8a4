package fanout

import (
	"time"

	"aviary/fanout/filter"
)

// Stats is a picture of a hub.
type Stats struct {
	Events        int   // held, the upstream's state changes apart
	Bytes         int64 // held: JSON and decoded posts
	EncodingBytes int64 // held on top: other forms of the same events
	Filters       int   // groups
	FilterBytes   int64 // held: their conditions, the index over them and what it knows of the stream
	Unwaiting     int   // of Filters: every post is held against them, see filter.Index.Unwaiting
	Largest       []int // members of the largest groups, descending; at most 10
	PostingsBytes int64 // held on top: what finds the posts for a new filter; built on first use
	Subscriptions int
	Tombstones    int

	Head     Cursor    // of the last event
	From, To time.Time // when the oldest and the newest event held were received; zero if none is

	Posts      uint64 // published so far
	Duplicates uint64 // refused so far
	Tombstoned uint64 // refused so far
}

// Stats returns a picture of the hub. It drops what is too old first.
func (h *Hub) Stats() Stats {
	h.Trim()
	h.mu.RLock()
	defer h.mu.RUnlock()
	s := Stats{
		Events: h.log.count, Bytes: h.log.bytes, EncodingBytes: h.budget.used.Load(),
		Filters: len(h.groups), FilterBytes: h.index.Size(), Unwaiting: h.index.Unwaiting(), Largest: h.sizes.largest(), Subscriptions: h.subs, Tombstones: len(h.tombs.list),
		Head:  Cursor{h.epoch.Load(), h.log.seq},
		Posts: h.log.posts, Duplicates: h.duplicates, Tombstoned: h.tombstoned,
	}
	if h.log.base < h.log.head {
		s.From, s.To = h.log.at(h.log.base).at, h.log.at(h.log.head-1).at
	}
	for _, seg := range h.log.segments {
		s.PostingsBytes += seg.postingsSize()
	}
	return s
}

// Watched returns the canonical texts of the parts of a filter under which it
// waits for posts, if somebody has it, or would wait: the rarest, of late, of what
// each of its alternatives asks for. None: every post is held against it.
func (h *Hub) Watched(f *filter.Filter) []string {
	return f.LeafTexts(h.leaves(f))
}

func (h *Hub) leaves(f *filter.Filter) []int {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if g := h.groups[f.String()]; g != nil && !g.every {
		return h.index.LeavesAt(g.handle)
	}
	return h.index.Leaves(f)
}
