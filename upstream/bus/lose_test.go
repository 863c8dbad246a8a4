//go:build chaos

package bus

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/lease"
)

// The server that leads the stream is killed in the middle of a volley, and the
// publisher's lease runs out while the others elect a leader: a later term goes on.
// Whatever was taken and is not there is told. Servers are processes, and are killed.
// TestLostBehindLaterOnes makes such a hole on purpose.
func TestVolleyIsCutShort(t *testing.T) {
	t.Parallel()
	for round := range 10 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			urls, kill := killable(t)
			b := openBus(t, Config{URL: urls, Replicas: 3, Node: "leader"})
			n := follow(t, b)
			n.filled(t)
			n.accounts(t, cutShort(t, b, n, kill, time.Duration(round)*300*time.Millisecond))
		})
	}
}

// cutShort returns when each post was taken, by its number less one.
func cutShort(t *testing.T, b *Bus, n *node, kill func(string), lease time.Duration) (taken []time.Time) {
	t.Helper()
	var leased atomic.Bool
	leased.Store(true)
	p := b.Publisher(1, leased.Load)
	defer p.Close()
	mark(t, p, 1)
	js, err := b.jetStream()
	must(err)
	stream, err := js.Stream(t.Context(), "aviary")
	must(err)
	leads := stream.CachedInfo().Cluster.Leader
	give := func(p *Publisher, many int) {
		for range many {
			at := time.Now()
			if p.Publish(testPost(t, len(taken)+1)) == nil {
				taken = append(taken, at)
			}
			time.Sleep(500 * time.Microsecond)
		}
	}
	give(p, 300)
	go kill(leads)
	give(p, 300)
	time.Sleep(lease)
	leased.Store(false)
	<-p.Failed()
	next := b.Publisher(2, always)
	defer next.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	if err := next.Mark(ctx, leaseMarker(2)); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		if b.Term() != 2 {
			return fmt.Errorf("the marker is not read: %+v", b.Status())
		}
		return nil
	})
	must(next.Publish(upstream.GapEvent(fanout.Loss{Reason: "upstream", Missed: -1, From: b.source.Heard(), To: time.Now()})))
	give(next, 100)
	if err := next.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	return taken
}

func leaseMarker(term uint64) lease.Marker { return lease.Marker{Term: term, Node: "test", Slot: 1} }

// accounts checks that each post came once, or that a gap tells of its time.
func (n *node) accounts(t *testing.T, taken []time.Time) {
	t.Helper()
	last := key(len(taken))
	eventually(t, func() error {
		if !n.hub.Has(last) {
			return fmt.Errorf("the last post is not there: %+v", n.bus.Status())
		}
		return nil
	})
	n.mu.Lock()
	defer n.mu.Unlock()
	came := map[string]int{}
	var gaps []fanout.Loss
	for _, e := range n.events {
		if e.Loss != nil {
			gaps = append(gaps, *e.Loss)
		} else if e.Kind == fanout.KindPost {
			came[e.Post.Key.ID]++
		}
	}
	missing := 0
	for i, at := range taken {
		told := false
		for _, g := range gaps {
			told = told || !at.Before(g.From.Add(-5*time.Millisecond)) && !at.After(g.To)
		}
		switch c := came[fmt.Sprint(i+1)]; {
		case c > 1:
			t.Errorf("post %d came %d times", i+1, c)
		case c == 0 && !told:
			t.Errorf("post %d, of %v, is missing, and no gap tells: %v", i+1, at, gaps)
		case c == 0:
			missing++
		}
	}
	t.Logf("%d of %d posts are missing and told", missing, len(taken))
}
