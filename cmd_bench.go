package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"time"

	"aviary/loadgen"
)

// Figures of bench.
const (
	benchReserved = 32                     // descriptors kept for everything but streams
	benchGrace    = 10 * time.Second       // for streams that are behind, at the end
	benchLook     = 200 * time.Millisecond // between two looks at the figures
	benchFull     = 0.9                    // of the time: the reader was the bottleneck
)

// bench is `aviary bench`: it opens streams, reads them for a while and says
// what came.
func bench(ctx context.Context, p *program) int {
	args, err := parseBench(p.args)
	if err != nil {
		return misused(p, "bench", err.Error())
	}
	if args.pid > 0 {
		if _, err := loadgen.Measure(args.pid); err != nil {
			return misused(p, "bench", "-pid: "+err.Error())
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if p.signals != nil {
		go func() { // ends with the command
			select {
			case <-p.signals:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	fitDescriptors(p, args)
	return newBenchRun(p, args).run(ctx)
}

// fitDescriptors lowers -n to what this process may open, and says how to get more.
func fitDescriptors(p *program, args *benchArgs) {
	if p.descriptors == nil {
		return
	}
	n, err := p.descriptors()
	if err != nil {
		fmt.Fprintf(p.err, "aviary bench: %v\n", err)
		return
	}
	if fits := max(n-benchReserved, 1); args.n > fits {
		fmt.Fprintf(p.err, "aviary bench: the limit of open files is %d, so -n %d becomes %d; raise it with `ulimit -n %d` (as root `ulimit -Hn` first), "+
			"or LimitNOFILE= in a unit. The server needs as many.\n", n, args.n, fits, args.n+benchReserved)
		args.n = fits
	}
}

// benchRun is one run of bench.
type benchRun struct {
	p      *program
	args   *benchArgs
	tally  *benchTally // owned by fleet's lock
	fleet  *loadgen.Fleet
	screen *screen // the line of progress

	opening time.Duration
	failed  error         // of streams that could not be opened
	took    time.Duration // measured, not asked
	busy    float64       // share of it that the reader worked
	bytes   int64
	server  [3]loadgen.Usage // before the streams, before and after measuring
}

func newBenchRun(p *program, args *benchArgs) *benchRun {
	r := &benchRun{p: p, args: args, tally: newBenchTally(len(args.urls), args.n), screen: &screen{w: io.Discard}}
	if p.outTerminal {
		r.screen = &screen{w: p.out, terminal: true}
	}
	cfg := loadgen.Config{Address: args.address(), Dial: p.dial, Request: args.request, Reader: r.tally}
	if args.urls[0].Scheme == "https" {
		cfg.TLS = &tls.Config{ServerName: args.urls[0].Hostname(), NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12}
	}
	r.fleet = loadgen.New(cfg)
	return r
}

func (r *benchRun) run(ctx context.Context) int {
	defer r.fleet.Close()
	defer r.screen.leave()
	r.server[0] = r.usage()
	began := time.Now()
	r.screen.progress(fmt.Sprintf("opening %d streams", r.args.n))
	r.failed = r.fleet.Open(ctx, r.args.n)
	r.opening = time.Since(began)
	if r.fleet.Alive() == 0 {
		r.screen.leave()
		if r.failed == nil {
			r.failed = fmt.Errorf("all streams ended at once: %w", r.tally.why)
		}
		fmt.Fprintf(r.p.err, "aviary bench: %v\n", r.failed)
		return exitFailed
	}
	r.wait(ctx, r.args.warm, "warming up")
	r.measure(ctx)
	r.screen.leave()
	return r.report()
}

// wait shows progress until the time is over, somebody stops the command, or no
// stream is left.
func (r *benchRun) wait(ctx context.Context, d time.Duration, what string) {
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(benchLook)
	defer tick.Stop()
	began, last := time.Now(), int64(0)
	for {
		select {
		case <-ctx.Done():
			return
		case <-end.C:
			return
		case <-tick.C:
		}
		alive := r.fleet.Alive()
		var now int64
		r.fleet.Locked(func() { now = r.tally.deliveries })
		r.screen.progress(fmt.Sprintf("%s %v of %v: %d streams, %s deliveries/s", what, time.Since(began).Round(time.Second), d,
			alive, grouped(float64(now-last)/benchLook.Seconds())))
		if last = now; alive == 0 {
			return
		}
	}
}

// measure is the part that counts.
func (r *benchRun) measure(ctx context.Context) {
	before := r.counters()
	r.server[1] = r.usage()
	began := time.Now()
	r.fleet.Locked(func() { r.tally.measuring = true })
	r.wait(ctx, r.args.time, "measuring")
	r.fleet.Locked(r.tally.freeze)
	r.took = time.Since(began)
	r.server[2] = r.usage()
	after := r.counters()
	r.bytes = after.bytes - before.bytes
	r.busy = (after.busy - before.busy).Seconds() / r.took.Seconds()

	streams := r.fleet.Streams()
	for end := time.Now().Add(benchGrace); time.Now().Before(end); time.Sleep(benchLook / 10) {
		behind := false
		r.fleet.Locked(func() { behind = r.tally.behind(streams) })
		if !behind {
			break
		}
	}
}

func (r *benchRun) usage() (u loadgen.Usage) {
	if r.args.pid > 0 {
		u, _ = loadgen.Measure(r.args.pid) // a server that is gone shows as streams that ended
	}
	return u
}

type benchCounters struct {
	bytes int64
	busy  time.Duration
}

func (r *benchRun) counters() benchCounters {
	c := benchCounters{busy: r.fleet.Busy()}
	streams := r.fleet.Streams()
	r.fleet.Locked(func() {
		for _, s := range streams {
			c.bytes += s.Bytes
		}
	})
	return c
}
