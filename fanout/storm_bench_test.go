package fanout_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// A storm is thousands of clients who come at once, each with a filter that
// nobody had, and want the whole history.
const (
	stormHistory = 20_000
	stormClients = 10_000
)

// BenchmarkStorm lets 10,000 new filters each replay 20,000 events while the
// stream flows and somebody follows it: the processor time of all, and how long
// publishing took meanwhile. The newest events are in no sealed segment.
func BenchmarkStorm(b *testing.B) {
	rnd := rand.New(rand.NewPCG(7, 8))
	law := rand.NewZipf(rnd, 1.07, 2.7, 500_000)
	posts := stormPosts(rnd, law, stormHistory+5000)
	filters := stormFilters(b, rnd, law)
	for b.Loop() {
		b.StopTimer()
		hub := fanout.NewHub(fanout.Config{Events: stormHistory})
		for _, p := range posts[:stormHistory] {
			publishPost(hub, p)
		}
		live, _ := hub.Subscribe(fanout.SubscribeOptions{Bell: hub.NewBell()})
		runtime.GC()
		b.StartTimer()

		var done atomic.Bool
		var slow []time.Duration
		var stream sync.WaitGroup
		stream.Go(func() { slow = flow(b, hub, live, posts[stormHistory:], &done) })
		before := processorTime()
		events := replayAll(b, hub, filters)
		spent := processorTime() - before
		done.Store(true)
		stream.Wait()

		slices.Sort(slow)
		b.ReportMetric(spent.Seconds(), "cpu-s/storm")
		b.ReportMetric(float64(events)/stormClients, "events/client")
		b.ReportMetric(float64(slow[len(slow)/2].Microseconds()), "µs/publish")
		b.ReportMetric(float64(slow[len(slow)*99/100].Microseconds()), "p99-µs/publish")
		b.ReportMetric(float64(hub.Stats().PostingsBytes)/stormHistory, "postings-B/event")
	}
}

// replayAll brings every client to the head, one after the other on each processor
// but one: the stream has that for itself, so that what publishing waits for is
// the lock and not the scheduler.
func replayAll(b *testing.B, hub *fanout.Hub, filters []*filter.Filter) (events int64) {
	start := fanout.Start{Mode: fanout.StartCursor, Cursor: fanout.Cursor{Epoch: hub.Stats().Head.Epoch}}
	var sum atomic.Int64
	var next atomic.Int64
	var clients sync.WaitGroup
	for range max(runtime.GOMAXPROCS(0)-1, 1) {
		clients.Go(func() {
			var out []*fanout.Event
			for i := next.Add(1) - 1; int(i) < len(filters); i = next.Add(1) - 1 {
				sub, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: filters[i], Start: start})
				for {
					out, _ = sub.Next(out[:0], 64)
					if sum.Add(int64(len(out))); len(out) == 0 {
						break
					}
				}
			}
		})
	}
	clients.Wait()
	return sum.Load()
}

// flow publishes 500 posts a second, has them read by a client at the head, and
// returns how long each took.
func flow(b *testing.B, hub *fanout.Hub, live *fanout.Subscription, posts []*filter.Post, done *atomic.Bool) (took []time.Duration) {
	var out []*fanout.Event
	for _, p := range posts {
		start := time.Now()
		publishPost(hub, p)
		if out, _ = live.Next(out[:0], 64); len(out) != 1 {
			b.Errorf("the client at the head got %d events", len(out))
		}
		if took = append(took, time.Since(start)); done.Load() {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	return took
}

func publishPost(hub *fanout.Hub, p *filter.Post) {
	e := fanout.NewEvent(dialect, []byte("{}"))
	e.Post = p
	hub.Publish(e)
}

func stormPosts(rnd *rand.Rand, law *rand.Zipf, n int) []*filter.Post {
	posts := make([]*filter.Post, n)
	var b filter.Builder
	for i := range posts {
		b.Reset(filter.Key{Source: "test", ID: strconv.Itoa(i)})
		b.Author(strconv.Itoa(rnd.IntN(100_000)))
		b.Lang([]string{"en", "ja", "es"}[rnd.IntN(3)])
		var text strings.Builder
		for range 15 + rnd.IntN(11) {
			fmt.Fprintf(&text, "w%d ", law.Uint64())
		}
		b.Text(text.String())
		posts[i] = b.Post()
	}
	return posts
}

// stormFilters makes different filters of one to three alternatives of one or two
// words that are not among the thousand most frequent, a fifth in a language.
func stormFilters(b *testing.B, rnd *rand.Rand, law *rand.Zipf) []*filter.Filter {
	word := func() string {
		for {
			if rank := law.Uint64(); rank > 1000 {
				return fmt.Sprintf("w%d", rank)
			}
		}
	}
	seen := map[string]bool{}
	filters := make([]*filter.Filter, 0, stormClients)
	for len(filters) < stormClients {
		var phrases []string
		for range 1 + rnd.IntN(3) {
			phrase := word()
			if rnd.IntN(2) == 0 {
				phrase += " " + word()
			}
			phrases = append(phrases, phrase)
		}
		q := "track=" + strings.Join(phrases, ",")
		if rnd.IntN(5) == 0 {
			q += "&language=en"
		}
		f, err := filter.ParseString(q)
		if err != nil {
			b.Fatal(err)
		}
		if !seen[f.String()] {
			seen[f.String()] = true
			filters = append(filters, f)
		}
	}
	return filters
}

// processorTime is what the whole process has used.
func processorTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
