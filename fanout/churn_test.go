package fanout_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// TestFiltersComeAndGo publishes while clients with ever new filters join, read
// along for a while and leave. Each must get, from the first event it sees, every
// post that its filter lets through and no other, be it from the history or live.
func TestFiltersComeAndGo(t *testing.T) {
	const total = 6000
	hub := fanout.NewHub(fanout.Config{Events: total + 1})
	posts := churnPosts(total)
	var done atomic.Bool
	var clients sync.WaitGroup
	var compared atomic.Int64
	for n := range 4 {
		clients.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(n), 1))
			for !done.Load() && !t.Failed() {
				compared.Add(churn(t, hub, rnd, posts, &done))
			}
		})
	}
	for i, p := range posts {
		publishPost(hub, p)
		// All could be over before anybody came.
		for end := time.Now().Add(time.Minute); i == total/2 && compared.Load() < 1000 && !t.Failed() && time.Now().Before(end); {
			time.Sleep(time.Millisecond)
		}
	}
	done.Store(true)
	clients.Wait()
	if s := hub.Stats(); s.Filters != 0 || s.Unwaiting != 0 || s.FilterBytes > 1<<20 || s.PostingsBytes <= 0 {
		t.Errorf("left behind: %+v", s)
	}
	if compared.Load() < 1000 {
		t.Errorf("only %d events came: this shows little", compared.Load())
	}
}

func churnPosts(n int) []*filter.Post {
	rnd := rand.New(rand.NewPCG(1, 1))
	posts := make([]*filter.Post, n)
	var b filter.Builder
	for i := range posts {
		b.Reset(filter.Key{Source: "test", ID: strconv.Itoa(i + 1)})
		b.Text(fmt.Sprintf("w%d w%d w%d", rnd.IntN(40), rnd.IntN(40), rnd.IntN(40)))
		b.Author(strconv.Itoa(1 + rnd.IntN(20)))
		posts[i] = b.Post()
	}
	return posts
}

// churn is one client's stay. The post with sequence n is posts[n-1].
func churn(t *testing.T, hub *fanout.Hub, rnd *rand.Rand, posts []*filter.Post, done *atomic.Bool) (events int64) {
	f, err := filter.ParseString(fmt.Sprintf("track=w%d,w%d w%d&follow=%d", rnd.IntN(40), rnd.IntN(40), rnd.IntN(40), 1+rnd.IntN(20)))
	if err != nil {
		t.Error(err)
		return 0
	}
	head := hub.Stats().Head
	seq := head.Seq - min(head.Seq, uint64(rnd.IntN(3000)))
	sub, _ := hub.Subscribe(fanout.SubscribeOptions{
		Filter: f, Start: fanout.Start{Mode: fanout.StartCursor, Cursor: fanout.Cursor{Epoch: head.Epoch, Seq: seq}},
	})
	defer sub.Close()
	hub.Watched(f)
	var out []*fanout.Event
	for range 50 {
		last := done.Load()
		out, _ = sub.Next(out[:0], 50)
		for _, e := range out {
			for seq++; seq < e.ID.Seq; seq++ {
				if f.Match(posts[seq-1]) {
					t.Errorf("%q: post %d did not come", f, seq)
				}
			}
			if !f.Match(e.Post) {
				t.Errorf("%q: post %d came", f, seq)
			}
			events++
		}
		if last {
			break
		}
	}
	return events
}
