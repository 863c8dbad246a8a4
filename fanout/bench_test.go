package fanout_test

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"aviary/fanout"
	"aviary/fanout/filter"
)

var body = strings.Repeat("some words of a post, and their entities; ", 72) // 3 KB

func rawPost(i int) []byte { return fmt.Appendf(nil, `{"id_str":"%d","text":"%s"}`, i, body) }

// decodedPosts are what a source hands over, without the JSON: 60 features each.
func decodedPosts(n int) []*filter.Post {
	posts := make([]*filter.Post, n)
	var b filter.Builder
	for i := range posts {
		b.Reset(filter.Key{Source: "test", ID: strconv.Itoa(i)})
		b.Author("a" + strconv.Itoa(i%5000))
		if i%2 == 0 {
			b.Ref(strconv.Itoa(i / 2))
		}
		for w := range 50 {
			b.Text("word" + strconv.Itoa((i*31+w*w*17)%20000))
		}
		posts[i] = b.Post()
	}
	return posts
}

func publishing(b *testing.B, hub *fanout.Hub, posts []*filter.Post) {
	events := make([]*fanout.Event, 0, 5000)
	raw := rawPost(1)
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		if len(events) == 0 {
			b.StopTimer()
			for n := range cap(events) {
				p := *posts[(i+n)%len(posts)]
				p.Key.ID = strconv.Itoa(i + n + len(posts))
				e := fanout.NewEvent(dialect, raw)
				e.Post = &p
				events = append(events, e)
			}
			b.StartTimer()
		}
		hub.Publish(events[len(events)-1])
		events = events[:len(events)-1]
	}
}

// BenchmarkPublish is a post of 3 KB into a full history with a full duplicate
// window and nobody there: the price of a post that nobody wants.
func BenchmarkPublish(b *testing.B) {
	hub := fanout.NewHub(fanout.Config{})
	posts := decodedPosts(55_000)
	for _, p := range posts {
		e := fanout.NewEvent(dialect, []byte("{}"))
		e.Post = p
		hub.Publish(e)
	}
	publishing(b, hub, posts)
}

// BenchmarkPublishUnwanted is the same beside clients who want something else, each
// with a filter of its own: what it costs to find that out.
func BenchmarkPublishUnwanted(b *testing.B) {
	for _, n := range []int{0, 10_000, 100_000} {
		b.Run(fmt.Sprintf("groups=%d", n), func(b *testing.B) {
			hub := fanout.NewHub(fanout.Config{})
			bell := hub.NewBell()
			for i := range n {
				hub.Subscribe(fanout.SubscribeOptions{Filter: parse(b, words{"rare" + strconv.Itoa(i)}), Bell: bell})
			}
			publishing(b, hub, decodedPosts(10_000))
		})
	}
}

// BenchmarkPublish1000Groups has a thousand filters of which each post matches two
// or three.
func BenchmarkPublish1000Groups(b *testing.B) {
	hub := fanout.NewHub(fanout.Config{})
	for i := range 1000 {
		hub.Subscribe(fanout.SubscribeOptions{Filter: parse(b, words{"word" + strconv.Itoa(i*20)}), Bell: nil})
	}
	publishing(b, hub, decodedPosts(10_000))
}

// BenchmarkNextLive is a client at the head that gets one event a call: the
// reading half of a delivery.
func BenchmarkNextLive(b *testing.B) {
	for name, f := range map[string]words{"everything": nil, "filtered": {"w1"}} {
		b.Run(name, func(b *testing.B) {
			hub := fanout.NewHub(fanout.Config{})
			subs := make([]*fanout.Subscription, 1000)
			for i := range subs {
				subs[i], _ = hub.Subscribe(fanout.SubscribeOptions{Filter: parse(b, f)})
			}
			var out []*fanout.Event
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%len(subs) == 0 {
					b.StopTimer()
					hub.Publish(post(strconv.Itoa(i), "w1"))
					b.StartTimer()
				}
				out, _ = subs[i%len(subs)].Next(out[:0], 64)
				if len(out) != 1 {
					b.Fatal("nothing came")
				}
			}
		})
	}
}

// BenchmarkReplay is a new filter through a full history of 20,000 posts, once
// the postings stand.
func BenchmarkReplay(b *testing.B) {
	hub := fanout.NewHub(fanout.Config{})
	for _, p := range decodedPosts(20_000) {
		e := fanout.NewEvent(dialect, []byte("{}"))
		e.Post = p
		hub.Publish(e)
	}
	start := fanout.Start{Mode: fanout.StartCursor, Cursor: fanout.Cursor{Epoch: hub.Stats().Head.Epoch}}
	for i := 0; b.Loop(); i++ {
		sub, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: parse(b, words{"word" + strconv.Itoa(i%20000)}), Start: start})
		sub.Next(nil, 1000)
		sub.Close()
	}
}

// BenchmarkNewEvent is the normalising copy of a 3 KB post; dirty has something
// to change.
func BenchmarkNewEvent(b *testing.B) {
	for name, raw := range map[string][]byte{
		"ascii":    rawPost(1),
		"japanese": []byte(`{"text":"` + strings.Repeat("日本語の投稿…", 140) + `"}`),
		"dirty":    append(rawPost(1), "\r\n"...),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				fanout.NewEvent(dialect, raw)
			}
		})
	}
}

// BenchmarkMemory reports what a client costs the core: bytes of a subscription
// in a group that exists, and of one with a filter of its own.
func BenchmarkMemory(b *testing.B) {
	for name, own := range map[string]bool{"subscription": false, "group": true} {
		b.Run(name, func(b *testing.B) {
			const n = 10_000
			for b.Loop() {
				hub := fanout.NewHub(fanout.Config{})
				bell := hub.NewBell()
				subs := make([]*fanout.Subscription, n)
				before := heap()
				for i := range subs {
					f := words{"word"}
					if own {
						f = words{"word" + strconv.Itoa(i)}
					}
					subs[i], _ = hub.Subscribe(fanout.SubscribeOptions{Filter: parse(b, f), Bell: bell})
				}
				b.ReportMetric(float64(heap()-before)/n, "B/client")
				runtime.KeepAlive(subs)
				runtime.KeepAlive(hub)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
