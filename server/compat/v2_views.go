package compat

import (
	"bytes"
	"sync"

	"aviary/fanout"
)

// views shares what streams show of a post among those that show the same: most
// clients of one program ask for the same fields, and get the post at the same time.
// Only the last maxViews are kept, and no large ones: a client that comes later makes
// its own. Safe for concurrent use.
type views struct {
	mu    sync.Mutex
	byKey map[viewKey]*view
	ring  [maxViews]*view
	next  int // where the next one goes, in place of the oldest
}

// Bounds of what is kept: 16 MiB at most, some 1 MiB as posts are.
const (
	maxViews = 256
	maxView  = 64 << 10
)

type viewKey struct {
	event *fanout.Event
	wish  wishKey
}

// view is one post as one projection shows it.
type view struct {
	key    viewKey
	made   sync.Once
	line   []byte // up to the rules; nil: it cannot be shown
	packed sync.Once
	block  []byte // the line, deflated
}

// of returns a post as a projection shows it. envelope makes the whole v2 form, nil
// if there is none.
func (s *views) of(e *fanout.Event, wish *projection, envelope func() []byte) *view {
	v := s.find(viewKey{e, wish.key})
	v.made.Do(func() {
		if raw := envelope(); raw != nil {
			if line, ok := wish.appendPost(nil, raw); ok {
				v.line = bytes.Clone(line)
			}
		}
	})
	if len(v.line) > maxView {
		s.drop(v)
	}
	return v
}

// zipped is the line as a deflate block of its own.
func (v *view) zipped() []byte {
	v.packed.Do(func() { v.block = bytes.Clone(appendBlock(nil, v.line)) })
	return v.block
}

// find returns the view of a key, which may have to be made.
func (s *views) find(key viewKey) *view {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.byKey[key]; v != nil {
		return v
	}
	if s.byKey == nil {
		s.byKey = map[viewKey]*view{}
	}
	if old := s.ring[s.next]; old != nil && s.byKey[old.key] == old {
		delete(s.byKey, old.key)
	}
	v := &view{key: key}
	s.byKey[key], s.ring[s.next] = v, v
	s.next = (s.next + 1) % maxViews
	return v
}

func (s *views) drop(v *view) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byKey[v.key] == v {
		delete(s.byKey, v.key)
	}
	for i := range s.ring {
		if s.ring[i] == v {
			s.ring[i] = nil
		}
	}
}

// clear forgets everything.
func (s *views) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.ring[:])
	s.byKey, s.next = nil, 0
}
