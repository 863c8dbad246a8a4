package compat

import (
	"sync"
	"sync/atomic"
	"time"

	"aviary/server/deliver"
)

// seat is what the routes know of an open stream, whichever API it speaks.
type seat struct {
	client *deliver.Client
	kind   string // "v1.1" or "v2"
	filter string // for operators
	wake   chan struct{}

	ask       atomic.Uint32 // the deliver.Reason to end for; the first one stands
	posts     atomic.Uint64
	position  atomic.Uint64 // the last sequence passed
	lastWrite atomic.Int64  // Unix nanoseconds
}

// ring wakes the stream's goroutine, unless it has been rung already.
func (t *seat) ring() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// end asks the stream to end.
func (t *seat) end(why deliver.Reason) {
	if t.ask.CompareAndSwap(uint32(deliver.Open), uint32(why)) {
		t.ring()
	}
}

func (t *seat) reason() deliver.Reason { return deliver.Reason(t.ask.Load()) }

// registry holds the open streams.
type registry struct {
	mu    sync.Mutex
	seats map[*seat]struct{}
	over  deliver.Reason // what streams that come now are told at once
}

func (g *registry) init() { g.seats = map[*seat]struct{}{} }

// join adds a stream. One that comes after a drain began is told so.
func (g *registry) join(t *seat) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seats[t] = struct{}{}
	if g.over != deliver.Open {
		t.end(g.over)
	}
}

func (g *registry) leave(t *seat) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.seats, t)
}

func (g *registry) endAll(why deliver.Reason) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = why
	for t := range g.seats {
		t.end(why)
	}
}

func (g *registry) evict(id uint64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for t := range g.seats {
		if t.client.ID == id {
			t.end(deliver.Evicted)
			return true
		}
	}
	return false
}

func (g *registry) list(head uint64) (list []deliver.Info) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	for t := range g.seats {
		i := deliver.Info{
			ID: t.client.ID, Key: t.client.Key, Transport: t.kind, Filter: t.filter, Events: "all",
			Since: t.client.Since.UTC(), Posts: t.posts.Load(),
			IdleS: max(0, now.Sub(time.Unix(0, t.lastWrite.Load()))).Round(time.Millisecond).Seconds(),
		}
		if p := t.position.Load(); p < head {
			i.Behind = head - p
		}
		list = append(list, i)
	}
	return list
}
