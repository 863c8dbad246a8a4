package bus

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aviary/fanout"
)

// BenchmarkPublish shows what a post costs in CPU time ("cpu-µs/post"). With the
// server in a process of its own all of it is ours: the bound is 20 µs. Embedded,
// the server's work is in it.
func BenchmarkPublish(b *testing.B) {
	b.Run("external", func(b *testing.B) {
		_, lines := child(b, "server", "BUS_DIR="+b.TempDir())
		benchmarkPublish(b, Config{URL: within(b, lines, "serves ")})
	})
	b.Run("embedded", func(b *testing.B) { benchmarkPublish(b, Config{DataDir: b.TempDir()}) })
}

func benchmarkPublish(b *testing.B, c Config) {
	bus := openBus(b, c)
	p := bus.Publisher(1, always)
	defer p.Close()
	mark(b, p, 1)
	e := decoded(b, rawPost(1, 1, "text", 3000))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	b.ReportAllocs()
	before := cpu(b)
	for b.Loop() {
		for {
			err := p.Publish(e)
			if err == nil {
				break
			}
			if !errors.Is(err, ErrFull) {
				b.Fatal(err)
			}
			if err := p.Flush(ctx); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := p.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(cpu(b)-before)/1e3/float64(b.N), "cpu-µs/post")
}

// BenchmarkEncode shows the part of it that makes the message.
func BenchmarkEncode(b *testing.B) {
	c := Config{}.withDefaults()
	e := decoded(b, rawPost(1, 1, "text", 3000))
	b.ReportAllocs()
	for b.Loop() {
		c.encode(e, time.Now())
	}
}

// BenchmarkFill shows how long a node takes until it has 20,000 events of 3 KB in
// its hub ("s/fill"), from the opening of the store on: bound 2 s.
func BenchmarkFill(b *testing.B) {
	dir := b.TempDir()
	bus := openBus(b, Config{DataDir: dir})
	p := bus.Publisher(1, always)
	mark(b, p, 1)
	for i := range 20_000 {
		e := decoded(b, rawPost(i+1, i%1000, "text", 3000))
		for errors.Is(p.Publish(e), ErrFull) {
			time.Sleep(time.Millisecond)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	p.Close()
	bus.Close()
	for b.Loop() {
		bus := openBus(b, Config{DataDir: dir})
		n := &hubOnly{hub: fanout.NewHub(fanout.Config{})}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = bus.Source(SourceConfig{Renewed: n.hub.Renew}).Stream(ctx, n)
		}()
		<-bus.source.Filled()
		b.StopTimer()
		if got := n.hub.Stats().Events; got != 20_000 {
			b.Fatalf("%d events", got)
		}
		cancel()
		<-done
		bus.Close()
		b.StartTimer()
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s/fill")
}

type hubOnly struct{ hub *fanout.Hub }

func (h *hubOnly) Alive(int)            {}
func (h *hubOnly) Drop(string)          {}
func (h *hubOnly) Emit(e *fanout.Event) { h.hub.Publish(e) }

// cpu is the CPU time of this process so far.
func cpu(b *testing.B) time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkEmbeddedMemory shows what the embedded server adds to this process
// ("RSS-MB", "heap-MB") with 20,000 events of 3 KB in its store.
func BenchmarkEmbeddedMemory(b *testing.B) {
	for b.Loop() {
		debug.FreeOSMemory()
		resident, live := memory(b)
		bus := openBus(b, Config{DataDir: b.TempDir()})
		p := bus.Publisher(1, always)
		e := decoded(b, rawPost(1, 1, "text", 3000))
		for range 200 {
			for range 100 {
				if err := p.Publish(e); err != nil {
					b.Fatal(err)
				}
			}
			if err := p.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
		debug.FreeOSMemory()
		more, alive := memory(b)
		b.ReportMetric(float64(more-resident)/(1<<20), "RSS-MB")
		b.ReportMetric(float64(alive-live)/(1<<20), "heap-MB")
		p.Close()
		bus.Close()
	}
}

func memory(b *testing.B) (resident, live int64) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	stat, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("no /proc")
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(stat), &size, &pages); err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize()), int64(m.HeapAlloc)
}
