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

func last[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }

// gap is what a gap event says.
type gap struct {
	Gap struct {
		Reason   string
		From, To time.Time
	}
}

func (l *listener) gap(e sseEvent) (g gap) {
	l.t.Helper()
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
	next, told := 0, []gap(nil)
	for _, e := range l.all() {
		switch e.name {
		case "gap":
			told = append(told, l.gap(e))
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
				if !covered(all[next].at, told) {
					l.t.Errorf("post %d of %v is missing, and the gaps before the next post are %+v", next, all[next].at.Format(time.StampMilli), told)
					return missing
				}
			}
			next, told = at+1, nil
		}
	}
	if next != len(all) {
		l.t.Errorf("ends with post %d of %d", next, len(all))
	}
	return missing
}

// covered says that a gap covers the time. The clocks are one, but a post is on
// its way for some milliseconds.
func covered(at time.Time, gaps []gap) bool {
	const way = 100 * time.Millisecond
	for _, g := range gaps {
		if g.Gap.Reason == "upstream" && at.After(g.Gap.From.Add(-way)) && at.Before(g.Gap.To.Add(way)) {
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
	var told []gap
	for _, e := range l.all() {
		switch e.name {
		case "gap":
			told = append(told, l.gap(e))
		case "":
			id := e.subject()
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
		case n == 0 && !covered(p.at, told):
			l.t.Errorf("post %d of %v is missing, and no gap tells", i, p.at.Format(time.StampMilli))
		case n == 0:
			missing++
		}
	}
	l.t.Logf("%d posts were stored behind later ones", late)
	return missing
}
