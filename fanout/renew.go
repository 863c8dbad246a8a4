package fanout

import (
	"time"

	"aviary/fanout/filter"
)

// Renew begins another life of the log: epoch is that of its cursors (0: a random
// one), and the publisher numbers from anew. Everything held is forgotten, the
// duplicate window and the tombstones too. A client that comes back with a cursor
// of the old epoch is told a gap; one that stays connected gets a gap if it had
// not read everything, and then what is published, which after a restored backup
// may be what it had already: whoever serves it ends its connection.
func (h *Hub) Renew(epoch uint32) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &h.log
	for l.base < l.head {
		l.drop()
	}
	// One position is left out, so that every subscription finds itself overtaken
	// and takes a new cursor.
	next := l.head + 1
	*l = eventLog{first: next, base: next, head: next, posts: l.posts, before: slot{posts: l.posts, at: l.last(l.head).at}}
	h.epoch.Store(newEpoch(epoch))
	h.notices, h.upstream = nil, nil
	clear(h.windows)
	h.tombs = tombstones{dead: map[filter.Key]*Event{}}
}

// Lost says that events up to a sequence are missing for good, because they had left the
// publisher's store before it was read into the hub; at is the latest that they can have
// been received. Who resumes from before is told. Renew makes it forgotten.
func (h *Hub) Lost(seq uint64, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := &h.log
	if seq > l.unread.seq {
		l.unread = unread{seq, at}
	}
	if lost := (slot{seq: seq, kind: KindPost, at: at}); !l.missing || lost.key() > l.lost.key() {
		l.lost, l.missing = lost, true
	}
}
