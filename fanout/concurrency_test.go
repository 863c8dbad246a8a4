package fanout_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// TestConcurrency lets publishers, deleters, pullers, a shard and comers and
// goers loose on one small hub. Every reader checks what it can see by itself:
// order, nothing twice, and that what it got and what it was told it missed add
// up to what was published.
func TestConcurrency(t *testing.T) {
	const publishers, each = 4, 4000
	hub := fanout.NewHub(fanout.Config{Events: 300, Bytes: 200_000})
	var feeding, reading sync.WaitGroup
	var done atomic.Bool
	var posts atomic.Int64
	for p := range publishers {
		feeding.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(p), 3))
			for i := range each {
				id := strconv.Itoa(p*1_000_000 + i)
				e := eventOf(&entry{kind: fanout.KindPost, id: id, author: "a" + id[len(id)-1:], words: []string{"w" + strconv.Itoa(rnd.IntN(3))}})
				if hub.Publish(e) {
					posts.Add(1)
				}
				switch rnd.IntN(40) {
				case 0:
					hub.Publish(eventOf(&entry{kind: fanout.KindDelete, target: fanout.Target{Source: "test", ID: strconv.Itoa(p*1_000_000 + i - rnd.IntN(20))}}))
				case 1:
					hub.Publish(eventOf(&entry{kind: fanout.KindUpstream}))
				case 2:
					hub.Has(filter.Key{Source: "test", ID: id})
					hub.PostsBy("a1")
					hub.Find(id)
					hub.Stats()
				}
			}
		})
	}
	var readers []*follower
	for i := range 12 {
		f := newFollower(t, hub, filters[i%len(filters)])
		readers = append(readers, f)
		reading.Go(func() { f.follow(&done, i%4 == 0) })
	}
	reading.Go(func() { comeAndGo(t, hub, &done) })
	reading.Go(func() { shard(t, hub, &done) })
	feeding.Wait()
	done.Store(true)
	hub.Close() // rings everybody
	reading.Wait()
	for _, f := range readers {
		if len(f.filter) == 0 && f.got+f.missed != posts.Load() && f.deleted == 0 {
			t.Errorf("got %d, missed %d, published %d", f.got, f.missed, posts.Load())
		}
		if f.got+f.missed > posts.Load() {
			t.Errorf("%v got %d and missed %d of %d", f.filter, f.got, f.missed, posts.Load())
		}
		f.sub.Close()
		f.bell.Close()
	}
	if s := hub.Stats(); s.Filters != 0 || s.Subscriptions != 0 || s.EncodingBytes < 0 || s.EncodingBytes > 60_000 {
		t.Errorf("left behind: %+v", s)
	}
}

// follower is a client with a bell of its own.
type follower struct {
	t      *testing.T
	filter words
	sub    *fanout.Subscription
	bell   *fanout.Bell
	last   uint64

	got, missed, deleted int64
}

func newFollower(t *testing.T, hub *fanout.Hub, f words) *follower {
	bell := hub.NewBell()
	sub, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: parse(t, f), Bell: bell})
	return &follower{t: t, filter: f, sub: sub, bell: bell}
}

func (f *follower) follow(done *atomic.Bool, slow bool) {
	var events []*fanout.Event
	for {
		last := done.Load()
		var gap fanout.Gap
		events, gap = f.sub.Next(events[:0], 7)
		f.take(events, gap)
		if len(events) > 0 || !gap.Zero() {
			if slow {
				for range 200 { // fall behind without sleeping
					f.sub.Group()
				}
			}
			continue
		}
		if last {
			return
		}
		f.sub.Cursor()
		<-f.bell.C()
	}
}

func (f *follower) take(events []*fanout.Event, gap fanout.Gap) {
	if !gap.Zero() {
		f.missed += gap.Missed
		if gap.Missed <= 0 || gap.Cursor.Seq < f.last {
			f.t.Errorf("gap %+v after %d", gap, f.last)
		}
		f.last = gap.Cursor.Seq
	}
	for _, e := range events {
		e.Encoding(3, func() []byte { return fmt.Appendf(nil, "%s", e.Line()) })
		if e.Kind == fanout.KindDelete {
			f.deleted++
			continue // may come without an id before a gap
		}
		if e.Kind != fanout.KindPost {
			continue
		}
		if e.ID.Seq <= f.last {
			f.t.Errorf("%v: %d after %d", f.filter, e.ID.Seq, f.last)
		}
		f.last = e.ID.Seq
		f.got++
	}
}

// comeAndGo subscribes anywhere in the history and leaves again.
func comeAndGo(t *testing.T, hub *fanout.Hub, done *atomic.Bool) {
	rnd := rand.New(rand.NewPCG(9, 9))
	for !done.Load() {
		head := hub.Stats().Head
		sub, _ := hub.Subscribe(fanout.SubscribeOptions{
			Filter: parse(t, filters[rnd.IntN(len(filters))]),
			Start:  fanout.Start{Mode: fanout.StartCursor, Cursor: fanout.Cursor{Epoch: head.Epoch, Seq: head.Seq - min(head.Seq, uint64(rnd.IntN(600)))}},
		})
		for range 3 {
			sub.Next(nil, 20)
		}
		sub.Close()
	}
}

// shard serves by rounds.
func shard(t *testing.T, hub *fanout.Hub, done *atomic.Bool) {
	bell := hub.NewBell()
	defer bell.Close()
	var subs []*fanout.Subscription
	for _, f := range filters {
		sub, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: parse(t, f), Bell: bell})
		defer sub.Close()
		subs = append(subs, sub)
	}
	var round fanout.Round
	for !done.Load() {
		<-bell.C()
		bell.Take(&round)
		for _, s := range subs {
			from := s.Place()
			if round.Overtaken {
				s.NextUpTo(&round, nil, 1000)
				continue
			}
			for _, d := range round.Due {
				if d.Group == s.Group() && !d.Pull {
					round.Merge(nil, d.Events, d.Group, false)
				}
			}
			if !s.Live(&round) {
				events, _ := s.NextUpTo(&round, nil, 1000)
				s.StandBehind(from, events)
			}
		}
	}
}
