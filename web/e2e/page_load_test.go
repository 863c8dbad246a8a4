package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"
)

// At 200 posts a second, all of them in two columns and some in a third, no task of
// the page's main thread takes more than 50 ms of its time. A round that is
// disturbed, by a machine that does something else too, is repeated, twice. What the
// longest took by the clock on the wall is told: on a quiet machine it is the same.
// PAGE_LOAD says how long a round is: `make load` takes a minute.
func TestTwoHundredPostsASecond(t *testing.T) {
	length, err := time.ParseDuration(cmp.Or(os.Getenv("PAGE_LOAD"), "5s"))
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, 200)
	b := w.open("/?filter.everything=&filter.football=football&filter.rest=-football+followers_count:0&max_rate=off", desktop)
	b.until(`[...document.querySelectorAll(".column")].every((c) => c.querySelectorAll(".card").length > 9)`)
	b.run(`globalThis.frames = []; { let last = 0; const tick = (now) => { if (last) frames.push(now - last); last = now; requestAnimationFrame(tick); }; requestAnimationFrame(tick); }`)
	for round := 1; ; round++ {
		b.run(`frames.length = 0`)
		tasks, byClock := b.tasks(length)
		frames := ask[[]float64](b, "frames")
		slices.Sort(frames)
		if len(tasks) < 100 || len(frames) < 10 {
			if round < 3 {
				continue
			}
			t.Fatalf("only %d tasks and %d frames were seen", len(tasks), len(frames))
		}
		longest := tasks[len(tasks)-1]
		t.Logf("round %d: %d tasks in %v, the longest %.1f ms (by the clock one of %.1f ms), 99 of 100 within %.1f ms, %.0f %% of the time; %d frames, the median after %.0f ms, 99 of 100 within %.0f ms",
			round, len(tasks), length, longest, byClock, tasks[len(tasks)*99/100], sum(tasks)/float64(length.Milliseconds())*100, len(frames), frames[len(frames)/2], frames[len(frames)*99/100])
		if longest <= 50 {
			break
		}
		if round == 3 {
			t.Errorf("in each of 3 rounds there was a task of more than 50 ms, at last one of %.1f ms", longest)
			break
		}
	}
	if n := ask[int](b, `document.querySelectorAll(".feed > article").length`); n > 3*30 {
		t.Errorf("%d cards are drawn", n)
	}
	b.picture("load")
}

// tasks are the times, in ms and sorted, that the tasks of renderers' main threads
// took of a processor while the browser was traced for so long. Time in which
// another process had the processor does not count; byClock is the longest with it.
func (b *tab) tasks(length time.Duration) (took []float64, byClock float64) {
	b.t.Helper()
	type event struct {
		Name, Ph, Cat string
		Pid, Tid      int
		Tdur, Dur     float64 // µs
		Args          struct{ Name string }
	}
	var mu sync.Mutex
	var events []event
	complete := make(chan struct{})
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	if err := chromedp.Listen(ctx, func(e any) {
		switch e := e.(type) {
		case *tracing.EventDataCollected:
			mu.Lock()
			defer mu.Unlock()
			for _, raw := range e.Value {
				var one event
				if json.Unmarshal(raw, &one) == nil {
					events = append(events, one)
				}
			}
		case *tracing.EventTracingComplete:
			close(complete)
		}
	}); err != nil {
		b.t.Fatal(err)
	}
	b.do(command(tracing.Start, tracing.StartParams{TraceConfig: &tracing.TraceConfig{IncludedCategories: []string{"toplevel", "__metadata"}, ExcludedCategories: []string{"*"}}}))
	time.Sleep(length) // what is measured happens in this time
	b.do(command(tracing.End, cdp.Empty{}))
	select {
	case <-complete:
	case <-time.After(patience):
		b.t.Fatal("the trace does not end")
	}
	mu.Lock()
	defer mu.Unlock()
	main := map[[2]int]bool{}
	for _, e := range events {
		if e.Name == "thread_name" && e.Args.Name == "CrRendererMain" {
			main[[2]int{e.Pid, e.Tid}] = true
		}
	}
	for _, e := range events {
		if e.Ph == "X" && e.Tdur > 0 && strings.HasSuffix(e.Name, "RunTask") && main[[2]int{e.Pid, e.Tid}] {
			took = append(took, e.Tdur/1000)
			byClock = max(byClock, e.Dur/1000)
		}
	}
	slices.Sort(took)
	return took, byClock
}

func sum(all []float64) (s float64) {
	for _, one := range all {
		s += one
	}
	return s
}

// After 100,000 posts the page holds no more than after 20,000.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 300)
	w.held(250)
	w.sim.Silence()
	f := &flood{t: t, lines: w.lines("payload=compact&since=1h&limit=200"), on: make(chan struct{}), stop: make(chan struct{})}
	f.gateway = httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: strings.TrimPrefix(w.url, "http://")})
	front := httptest.NewServer(f)
	defer front.Close()
	defer close(f.stop)
	gateway := w.url
	w.url = front.URL
	b := w.open(everyPost, desktop)
	w.url = gateway
	var heap [2]float64
	for i, mark := range []string{"post 20000 of the flood", "post 100000 of the flood"} {
		shown := fmt.Sprintf(`document.querySelector(".feed").textContent.includes(%q)`, mark)
		// It takes its time on a busy machine; while posts are shown it goes on.
		const top = `(document.querySelector(".feed article")?.textContent ?? "")`
		for !ask[bool](b, shown) {
			b.until(shown + " || " + top + " !== " + quote(ask[string](b, top)))
		}
		heap[i] = b.heap()
		f.further()
	}
	t.Logf("the heap holds %.1f MB after 20,000 posts and %.1f MB after 100,000", heap[0]/1e6, heap[1]/1e6)
	if heap[1] > 40e6 {
		t.Errorf("the heap holds %.1f MB; want at most 40", heap[1]/1e6)
	}
	if grown := heap[1] - heap[0]; grown > 4e6 {
		t.Errorf("the heap grew by %.1f MB between the 20,000th and the 100,000th post", grown/1e6)
	}
}

// heap is the size of what the page holds, script and document, in bytes.
func (b *tab) heap() (bytes float64) {
	b.t.Helper()
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
			return err
		}
		usage, err := cdp.Call(ctx, t, runtime.GetHeapUsage, cdp.Empty{})
		if err != nil {
			return err
		}
		counters, err := cdp.Call(ctx, t, memory.GetDOMCounters, cdp.Empty{})
		if err != nil {
			return err
		}
		b.t.Logf("%d nodes, %d listeners", counters.Nodes, counters.JsEventListeners)
		bytes = usage.UsedSize + usage.EmbedderHeapUsedSize + usage.BackingStorageSize
		return nil
	}))
	return bytes
}
