package fanout

import "aviary/fanout/filter"

// A sighting is a post that passed Publish: what the duplicate window and the
// deletes need to know of it, also when the log no longer holds it. Sightings
// of one source are numbered from 1 and linked, newest first, in three ways;
// 0, or a number that left the window, ends a chain.
type sighting struct {
	id, author string
	window     uint32
	pos, seq   uint64
	older      uint64 // the sighting of the same id before this one: another lap of a file
	byAuthor   uint64 // the author's sighting before this one
	refs       []reference
}

// reference says that a sighting reposts or quotes a post.
type reference struct {
	id    string
	older uint64 // the sighting before that contains the same post
}

const sightingChunk = 1024

// window is the duplicate window of one source: its last size sightings.
// Everything in it is owned by the hub's lock.
type window struct {
	size   uint64
	last   uint64                     // number of the newest
	chunks []*[sightingChunk]sighting // a ring, allocated as it is first used
	ids    map[string]uint64          // newest sighting of an id
	author map[string]uint64          // newest sighting of an author
	refs   map[string]uint64          // newest sighting that contains a post
}

func newWindow(size int) *window {
	chunks := (size + sightingChunk - 1) / sightingChunk
	return &window{
		size:   uint64(chunks) * sightingChunk,
		chunks: make([]*[sightingChunk]sighting, chunks),
		ids:    map[string]uint64{}, author: map[string]uint64{}, refs: map[string]uint64{},
	}
}

// get returns sighting n, or nil if it is none or has left the window.
func (w *window) get(n uint64) *sighting {
	if w == nil || n == 0 || n+w.size <= w.last {
		return nil
	}
	n %= w.size
	return &w.chunks[n/sightingChunk][n%sightingChunk]
}

// find returns the newest sighting of an id, or nil.
func (w *window) find(id string) *sighting {
	if w == nil {
		return nil
	}
	return w.get(w.ids[id])
}

// add makes room and notes a post that is going to stand at pos.
func (w *window) add(p *filter.Post, lap uint32, pos, seq uint64) {
	if old := w.get(w.last + 1 - min(w.size, w.last+1)); old != nil {
		w.evict(w.last+1-w.size, old)
	}
	w.last++
	i := w.last % w.size
	if w.chunks[i/sightingChunk] == nil {
		w.chunks[i/sightingChunk] = new([sightingChunk]sighting)
	}
	s := &w.chunks[i/sightingChunk][i%sightingChunk]
	*s = sighting{id: p.Key.ID, author: p.Author, window: lap, pos: pos, seq: seq, older: w.ids[p.Key.ID]}
	w.ids[s.id] = w.last
	if s.author != "" {
		s.byAuthor = w.author[s.author]
		w.author[s.author] = w.last
	}
	if len(p.Refs) > 0 {
		s.refs = make([]reference, len(p.Refs))
	}
	for i, id := range p.Refs {
		s.refs[i] = reference{id: id, older: w.refs[id]}
		w.refs[id] = w.last
	}
}

// evict forgets sighting n; map entries that a newer one has taken over stay.
func (w *window) evict(n uint64, s *sighting) {
	if w.ids[s.id] == n {
		delete(w.ids, s.id)
	}
	if w.author[s.author] == n {
		delete(w.author, s.author)
	}
	for _, r := range s.refs {
		if w.refs[r.id] == n {
			delete(w.refs, r.id)
		}
	}
}

// same calls visit for every sighting of an id, newest first.
func (w *window) same(id string, visit func(*sighting)) {
	if w == nil {
		return
	}
	for s := w.find(id); s != nil; s = w.get(s.older) {
		visit(s)
	}
}

// by calls visit for every sighting of an author, newest first.
func (w *window) by(author string, visit func(*sighting)) {
	if w == nil {
		return
	}
	for s := w.get(w.author[author]); s != nil; s = w.get(s.byAuthor) {
		visit(s)
	}
}

// containing calls visit for every sighting that reposts or quotes a post,
// newest first.
func (w *window) containing(id string, visit func(*sighting)) {
	if w == nil {
		return
	}
	for s := w.get(w.refs[id]); s != nil; {
		visit(s)
		next := uint64(0)
		for _, r := range s.refs {
			if r.id == id {
				next = r.older
				break
			}
		}
		s = w.get(next)
	}
}
