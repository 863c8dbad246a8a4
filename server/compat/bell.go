package compat

import (
	"context"
	"sync"

	"aviary/fanout"
)

// bell wakes the streams of v1.1 whose filter has matched.
type bell struct {
	hub  *fanout.Hub
	bell *fanout.Bell

	mu     sync.Mutex
	groups map[*fanout.Group]map[*seat]struct{}
}

func newBell(hub *fanout.Hub) *bell {
	return &bell{hub: hub, bell: hub.NewBell(), groups: map[*fanout.Group]map[*seat]struct{}{}}
}

// run rings until ctx ends.
func (b *bell) run(ctx context.Context) {
	var round fanout.Round
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.bell.C():
			b.bell.Take(&round)
			b.ring(&round)
		}
	}
}

func (b *bell) ring(r *fanout.Round) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(r.Everyone) > 0 || r.Overtaken {
		for _, members := range b.groups {
			for t := range members {
				t.ring()
			}
		}
		return
	}
	for i := range r.Due {
		for t := range b.groups[r.Due[i].Group] {
			t.ring()
		}
	}
}

func (b *bell) join(g *fanout.Group, t *seat) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.groups[g] == nil {
		b.groups[g] = map[*seat]struct{}{}
	}
	b.groups[g][t] = struct{}{}
}

func (b *bell) leave(g *fanout.Group, t *seat) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if delete(b.groups[g], t); len(b.groups[g]) == 0 {
		delete(b.groups, g)
	}
}

// close gives the hub's bell back, unless a stalled stream still hangs on it.
func (b *bell) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.groups) == 0 {
		b.bell.Close()
	}
}
