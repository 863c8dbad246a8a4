package server

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"aviary/fanout"
)

// past is what was published, written down before the clients can hear of it.
type past struct {
	mu    sync.Mutex
	posts []told // by id, from 1
	dead  map[int]bool
}

type told struct {
	seq  uint64
	word string // each post has one
}

func (h *past) matching(word string, after, upTo uint64) (all, dead int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, p := range h.posts {
		if p.seq > after && p.seq <= upTo && (word == "" || p.word == word) {
			if all++; h.dead[i+1] {
				dead++
			}
		}
	}
	return all, dead
}

// Worlds of slow, leaving and returning clients, of deletes and of a history that
// is soon too short: whatever the path and the coding, everybody gets what
// matches in order and once a connection, or is told what is missing.
func TestWorldsOverSockets(t *testing.T) {
	for _, way := range []string{taken, hijacked, handled} {
		for seed := range uint64(5) {
			t.Run(fmt.Sprintf("%s/%d", way, seed), func(t *testing.T) { liveWorld(t, way, seed) })
		}
	}
}

func liveWorld(t *testing.T, way string, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 3))
	hub := fanout.NewHub(fanout.Config{Epoch: 1 << 30, Events: []int{30, 100, 5000}[seed%3]})
	defer hub.Close()
	g := newWorldGate(t, way, func(o *Options) { o.Hub = hub; o.Heartbeat = 200 * time.Millisecond })
	past := &past{dead: map[int]bool{}}
	words := []string{"", "go", "zig", "rare"}
	codings := []string{"identity", "gzip", "zstd"}
	const posts = 250
	var all []*listener
	var listening sync.WaitGroup
	for i := range 24 {
		l := &listener{
			t: t, g: g, past: past, rnd: rand.New(rand.NewPCG(seed, uint64(i))), word: words[i%4],
			coding: codings[i%3], ndjson: i%5 == 0, got: map[int]bool{}, deleted: map[int]bool{},
		}
		all = append(all, l)
		listening.Go(func() { l.listen(posts) })
	}
	eventually(t, "all there", func() bool { return len(g.server.clients.List()) == len(all) })
	want := map[bool]string{true: "shard", false: "goroutine"}[way != handled && runtime.GOOS == "linux"]
	for _, c := range g.server.clients.List() {
		if c.Path != want {
			t.Errorf("client %d is served by a %s, want a %s", c.ID, c.Path, want)
		}
	}
	for id := 1; id <= posts; id++ {
		word := []string{"go", "zig", "rust"}[rnd.IntN(3)]
		if rnd.IntN(50) == 0 {
			word = "rare"
		}
		if id == posts {
			word = "go zig rare"
		}
		past.mu.Lock()
		past.posts = append(past.posts, told{hub.Stats().Head.Seq + 1, word})
		past.mu.Unlock()
		g.post(id, "7", word+" "+strings.Repeat("x", rnd.IntN(2+4000*rnd.IntN(2))))
		if rnd.IntN(10) == 0 && id < posts {
			victim := max(1, id-rnd.IntN(30))
			past.mu.Lock()
			again := past.dead[victim]
			past.dead[victim] = true
			past.mu.Unlock()
			if !again {
				g.delete(victim)
			}
		}
		if rnd.IntN(40) == 0 {
			time.Sleep(time.Duration(rnd.IntN(4)) * time.Millisecond)
		}
	}
	listening.Wait()
	gaps, missed := 0, 0
	for _, l := range all {
		for id := range l.got {
			past.mu.Lock()
			dead := past.dead[id]
			past.mu.Unlock()
			if dead && !l.deleted[id] {
				t.Errorf("%s got post %d and never heard that it was deleted", l.word, id)
			}
		}
		gaps, missed = gaps+l.gaps, missed+l.missed
	}
	t.Logf("%d gaps, %d missed", gaps, missed)
}
