package bus

import (
	"hash/maphash"
	"strconv"
	"sync"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// held knows under which sequences the posts lie that a delete may name. Every
// node that reads keeps it, so that any can do the leader's duties: about 150
// bytes a post.
type held struct {
	seed maphash.Seed
	most int

	mu    sync.Mutex
	posts map[uint64][]*heldPost // by source and id: a stale leader's copies too
	refs  map[uint64][]*heldPost // that repost or quote a post
	order []*heldPost            // by sequence
	sent  map[uint64]struct{}    // published here and not read yet
	dead  map[uint64]time.Time   // posts that were deleted, until when they stay so
	swept time.Time
	doom  []uint64 // sequences to overwrite
}

type heldPost struct {
	seq     uint64
	key     uint64
	author  uint64
	number  uint64 // the id, if it is one
	refs    []uint64
	expires time.Time
}

// maxDoomed bounds what a node that does not lead remembers for the day it does.
const maxDoomed = 100_000

// maxDead bounds the deletes that keep late copies out.
const maxDead = 1_000_000

func newHeld(most int) *held {
	h := &held{seed: maphash.MakeSeed(), most: most}
	h.clear()
	return h
}

func (h *held) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.posts, h.refs, h.dead = map[uint64][]*heldPost{}, map[uint64][]*heldPost{}, map[uint64]time.Time{}
	h.sent = map[uint64]struct{}{}
	h.order, h.doom = nil, nil
}

func (h *held) hash(source, id string) uint64 {
	var m maphash.Hash
	m.SetSeed(h.seed)
	_, _ = m.WriteString(source)
	_ = m.WriteByte(0)
	_, _ = m.WriteString(id)
	return m.Sum64()
}

// post notes a post; one that is deleted already, or carries the words of one
// that is, is doomed at once.
func (h *held) post(seq uint64, p *filter.Post, expires time.Time) {
	if p.Key.ID == "" {
		return
	}
	one := &heldPost{seq: seq, key: h.hash(p.Key.Source, p.Key.ID), author: h.hash(p.Key.Source, p.Author), expires: expires}
	one.number, _ = strconv.ParseUint(p.Key.ID, 10, 64)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sent, one.key)
	_, gone := h.dead[one.key]
	for _, ref := range p.Refs {
		key := h.hash(p.Key.Source, ref)
		one.refs = append(one.refs, key)
		if _, dead := h.dead[key]; dead {
			gone = true
		}
	}
	if gone {
		h.doomed(seq)
		return
	}
	h.posts[one.key] = append(h.posts[one.key], one)
	for _, key := range one.refs {
		h.refs[key] = append(h.refs[key], one)
	}
	h.order = append(h.order, one)
	for now := time.Now(); len(h.order) > h.most || len(h.order) > 0 && h.order[0].expires.Before(now); {
		h.forget(h.order[0])
		h.order[0] = nil
		h.order = h.order[1:]
	}
}

// send notes a post that is about to be published.
func (h *held) send(p *filter.Post) {
	if p == nil || p.Key.ID == "" {
		return
	}
	key := h.hash(p.Key.Source, p.Key.ID)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.sent) >= 2*maxWaiting { // nobody reads
		clear(h.sent)
	}
	h.sent[key] = struct{}{}
}

// has says that a target is one post that was published and is not deleted yet.
func (h *held) has(t fanout.Target) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	key := h.hash(t.Source, t.ID)
	_, sent := h.sent[key]
	return t.ID != "" && (sent || len(h.posts[key]) > 0)
}

// takeAway dooms what an event takes away.
func (h *held) takeAway(kind fanout.Kind, t fanout.Target, until time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var victims []*heldPost
	if t.ID != "" {
		key := h.hash(t.Source, t.ID)
		if kind == fanout.KindDelete && len(h.dead) < maxDead {
			h.dead[key] = until
		}
		victims = append(append(victims, h.posts[key]...), h.refs[key]...)
	} else if t.Author != "" {
		author := h.hash(t.Source, t.Author)
		for _, one := range h.order {
			if one.author == author && (t.UpTo == 0 || one.number != 0 && one.number <= t.UpTo) {
				victims = append(append(victims, one), h.refs[one.key]...)
			}
		}
	}
	for _, one := range victims {
		h.doomed(one.seq)
		h.forget(one)
	}
	if now := time.Now(); now.Sub(h.swept) > time.Minute {
		h.swept = now
		for key, until := range h.dead {
			if until.Before(now) {
				delete(h.dead, key)
			}
		}
	}
}

// doomed notes a sequence to overwrite; mu is held.
func (h *held) doomed(seq uint64) {
	if h.doom = append(h.doom, seq); len(h.doom) > maxDoomed {
		h.doom = h.doom[len(h.doom)-maxDoomed:]
	}
}

// forget takes a post out of the look-ups, not out of the order; mu is held.
func (h *held) forget(one *heldPost) {
	drop(h.posts, one.key, one)
	for _, key := range one.refs {
		drop(h.refs, key, one)
	}
}

func drop(m map[uint64][]*heldPost, key uint64, one *heldPost) {
	list := m[key]
	for i := range list {
		if list[i] == one {
			list = append(list[:i], list[i+1:]...)
			break
		}
	}
	if m[key] = list; len(list) == 0 {
		delete(m, key)
	}
}

// next returns some sequences to overwrite, none if there are none. done takes
// them off the list.
func (h *held) next(most int) []uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]uint64(nil), h.doom[:min(most, len(h.doom))]...)
}

func (h *held) done(seqs []uint64) {
	did := make(map[uint64]bool, len(seqs))
	for _, seq := range seqs {
		did[seq] = true
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	rest := h.doom[:0]
	for _, seq := range h.doom {
		if !did[seq] {
			rest = append(rest, seq)
		}
	}
	h.doom = rest
}
