package fanout

import "time"

// Stats is a picture of a hub.
type Stats struct {
	Events        int   // held, the upstream's state changes apart
	Bytes         int64 // held: JSON and decoded posts
	EncodingBytes int64 // held on top: other forms of the same events
	Filters       int   // groups
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
		Filters: len(h.groups), Subscriptions: h.subs, Tombstones: len(h.tombs.list),
		Head:  Cursor{h.epoch, h.log.seq},
		Posts: h.log.posts, Duplicates: h.duplicates, Tombstoned: h.tombstoned,
	}
	if h.log.base < h.log.head {
		s.From, s.To = h.log.at(h.log.base).at, h.log.at(h.log.head-1).at
	}
	return s
}
