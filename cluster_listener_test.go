package main

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"
	"time"
)

// listener reads a node's stream for as long as it is there.
type listener struct {
	t      *testing.T
	mu     sync.Mutex
	events []sseEvent
	last   string // the last event id
	ended  chan struct{}
	close  func()
}

// listen opens a stream and waits for its hello.
func (m *member) listen(lastID string) *listener {
	m.f.t.Helper()
	return listenWith(m.f.t, m.url, "", lastID)
}

func listenWith(t *testing.T, url, query, lastID string) *listener {
	t.Helper()
	g := &running{t: t, url: url, client: http.DefaultClient}
	s := g.open(query, lastID)
	s.until("hello")
	l := &listener{t: t, ended: make(chan struct{}), close: s.close}
	go func() {
		defer close(l.ended)
		for {
			e, err := s.next()
			e.came = time.Now()
			l.mu.Lock()
			l.last = s.lastID
			if err == nil {
				l.events = append(l.events, e)
			}
			l.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return l
}

// all is what came so far.
func (l *listener) all() []sseEvent {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]sseEvent(nil), l.events...)
}

// lastID is the last event id.
func (l *listener) lastID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// posts are the ids of the posts that came so far.
func (l *listener) posts() (ids []string) {
	for _, e := range l.all() {
		if e.name == "" {
			ids = append(ids, e.subject())
		}
	}
	return ids
}

// has waits until a post has come.
func (l *listener) has(id string) {
	l.t.Helper()
	defer func() {
		if l.t.Failed() {
			for _, e := range last(l.all(), 5) {
				l.t.Logf("among the last events that came: %s %s %.200s", e.id, e.name, e.data)
			}
		}
	}()
	eventually(l.t, "post "+id, func() bool {
		for _, got := range l.posts() {
			if got == id {
				return true
			}
		}
		return false
	})
}

// begins waits for some posts. Before the first one that the bus holds nobody could
// tell since when any are missing.
func (l *listener) begins() {
	l.t.Helper()
	eventually(l.t, "posts", func() bool { return len(l.posts()) > 10 })
}

func last[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }

// gap is what a gap event says.
type gap struct {
	Gap struct {
		Reason   string
		From, To time.Time
	}
	way time.Duration // how long the post before it was on its way, at most
}

func (l *listener) gap(e sseEvent, way time.Duration) gap {
	l.t.Helper()
	g := gap{way: way}
	if err := json.Unmarshal([]byte(e.data), &g); err != nil {
		l.t.Error(err)
	}
	return g
}

// follows checks what a client got against what was posted while it listened: in
// order, nothing twice, and what is missing lies within a gap that was told right
// before the next post.
func (l *listener) follows(all []posted) (missing int) {
	l.t.Helper()
	place := map[string]int{}
	for i, p := range all {
		place[p.id] = i
	}
	next, told, way := 0, []gap(nil), time.Duration(0)
	for _, e := range l.all() {
		switch e.name {
		case "gap":
			told = append(told, l.gap(e, way))
		case "":
			at, ours := place[e.subject()]
			if !ours {
				continue
			}
			if at < next {
				l.t.Errorf("post %d comes after %d", at, next-1)
				return missing
			}
			for ; next < at; next++ {
				missing++
				if !covered(all[next], told) {
					l.t.Errorf("post %d of %v is missing, and the gaps before the next post are %+v", next, all[next].upTo.Format(time.StampMilli), told)
					return missing
				}
			}
			next, told, way = at+1, nil, e.came.Sub(all[at].from)
		}
	}
	if next != len(all) {
		l.t.Errorf("ends with post %d of %d", next, len(all))
	}
	return missing
}

// covered says that a gap covers a post's time. The clocks are one. But a gap begins
// when the last post before it was received: one that was made while that was on its way
// may be older. And gaps are told in milliseconds.
func covered(p posted, gaps []gap) bool {
	for _, g := range gaps {
		way := max(g.way, 100*time.Millisecond)
		if g.Gap.Reason == "upstream" && p.upTo.After(g.Gap.From.Add(-way)) && p.from.Before(g.Gap.To.Add(time.Millisecond)) {
			return true
		}
	}
	return false
}

// accounts checks that each post came, and once, or that a gap tells of its time. The
// order is the bus's: when its leader goes, some of a volley may be stored behind others.
func (l *listener) accounts(all []posted) (missing int) {
	l.t.Helper()
	came, late, newest := map[string]int{}, 0, ""
	made, way := map[string]time.Time{}, time.Duration(0)
	for _, p := range all {
		made[p.id] = p.from
	}
	var told []gap
	for _, e := range l.all() {
		switch e.name {
		case "gap":
			told = append(told, l.gap(e, way))
		case "":
			id := e.subject()
			if from, ours := made[id]; ours {
				way = e.came.Sub(from)
			}
			if came[id]++; id < newest {
				late++
			}
			newest = max(newest, id)
		}
	}
	for i, p := range all {
		switch n := came[p.id]; {
		case n > 1:
			l.t.Errorf("post %d came %d times", i, n)
		case n == 0 && !covered(p, told):
			l.t.Errorf("post %d of %v is missing, and no gap tells", i, p.upTo.Format(time.StampMilli))
		case n == 0:
			missing++
		}
	}
	l.t.Logf("%d posts were stored behind later ones", late)
	return missing
}
