package lease

import (
	"slices"
	"time"

	"aviary/fanout"
)

// live makes a post every 20 ms and looks at everything every 5 ms, for d.
func (w *world) live(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		w.mu.Lock()
		if n := len(w.posts); n == 0 || time.Since(w.posts[n-1]) >= 20*time.Millisecond {
			w.posts = append(w.posts, time.Now())
			for _, s := range w.streams {
				s.posts <- n
			}
		}
		w.mu.Unlock()
		w.check()
	}
}

// check holds what is true at every instant.
func (w *world) check() {
	w.mu.Lock()
	defer w.mu.Unlock()
	leaders := 0
	for _, m := range w.nodes {
		m.node.mu.Lock()
		t := m.node.term
		m.node.mu.Unlock()
		if t != nil && t.leader.valid(time.Now()) {
			leaders++
		}
	}
	if leaders > 1 {
		w.errorf("%d valid leaders at once", leaders)
	}
	if len(w.streams) > w.limit {
		w.errorf("%d streams are open", len(w.streams))
	}
}

// made is when a post was made.
func (w *world) made(n int) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.posts[n]
}

// account says which posts neither came nor were told as lost.
func (w *world) account() {
	w.mu.Lock()
	defer w.mu.Unlock()
	const slack = 150 * time.Millisecond // between the making of a post and its way through
	for n, at := range w.posts {
		if w.got[n] > 0 || w.last.Sub(at) < slack || at.Before(w.first) {
			continue
		}
		told := slices.ContainsFunc(w.gaps, func(l fanout.Loss) bool {
			return !at.Before(l.From.Add(-slack)) && !at.After(l.To)
		})
		if !told {
			w.errorf("post %d of %v was lost, and nobody said so; gaps %v", n, at, w.gaps)
			return
		}
	}
}

// leader returns the machine that streams.
func (w *world) leader() *machine {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.nodes {
		if m.node.Valid() && m.node.Status().State == Stream && !m.paused() {
			return m
		}
	}
	return nil
}

// wipe removes a key from the bucket of leases, or all of them, as nobody does who
// holds them.
func (w *world) wipe(key string) {
	w.lease.mu.Lock()
	defer w.lease.mu.Unlock()
	for k := range w.lease.keys {
		if key == "" || k == key {
			delete(w.lease.keys, k)
		}
	}
}
