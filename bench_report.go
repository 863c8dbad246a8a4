package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aviary/loadgen"
)

// report prints what was measured and returns the exit code.
func (r *benchRun) report() int {
	code := exitOK
	streams := r.fleet.Streams()
	r.fleet.Locked(func() {
		t, alive := r.tally, 0
		for _, s := range streams {
			if s.Alive() {
				alive++
			}
		}
		lost := t.lost(func(i int) bool { return streams[i].Alive() })
		r.line("streams", "%s open of %s, opened in %v", grouped(float64(alive)), grouped(float64(r.args.n)), r.opening.Round(time.Millisecond))
		r.line("deliveries", "%s/s; %s in %v, %.1f MB/s", grouped(float64(t.deliveries)/r.took.Seconds()), grouped(float64(t.deliveries)),
			r.took.Round(10*time.Millisecond), float64(r.bytes)/1e6/r.took.Seconds())
		r.line("age", "%s", latencies(&t.age, "no post had a time stamp that is understood"))
		r.line("spread", "%s", latencies(&t.spread, "no post came on two streams"))
		if !t.numbered() {
			r.line("lost", "not known: the server's ids have no numbers that rise")
		} else {
			r.line("lost", "%d", lost)
			r.line("repeated", "%d", t.repeated)
			r.line("gaps", "%d told, with %d posts", t.gaps, t.gapMissed)
		}
		if lost > 0 || t.repeated > 0 || t.ended > 0 || t.deliveries == 0 {
			code = exitFailed
		}
		r.warnings(t)
	})
	r.serverLines()
	if r.failed != nil {
		fmt.Fprintf(r.p.err, "aviary bench: %v\n", r.failed)
		code = exitFailed
	}
	return code
}

func (r *benchRun) line(name, format string, args ...any) {
	fmt.Fprintf(r.p.out, "%-11s %s\n", name, fmt.Sprintf(format, args...))
}

func latencies(h *loadgen.Histogram, none string) string {
	if h.Count() == 0 {
		return none
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1000) }
	return fmt.Sprintf("p50 %s, p99 %s, p99.9 %s, longest %s", ms(h.Quantile(0.5)), ms(h.Quantile(0.99)), ms(h.Quantile(0.999)), ms(h.Max()))
}

// serverLines says what the server's process used.
func (r *benchRun) serverLines() {
	if r.args.pid == 0 {
		return
	}
	before, after := r.server[1], r.server[2]
	if after.Processes == 0 {
		r.line("server", "process %d is gone", r.args.pid)
		return
	}
	used := after.CPU() - before.CPU()
	if d := r.tally.deliveries; d > 0 {
		r.line("server CPU", "%.2f µs a delivery (user %.2f, system %.2f); %.0f %% of one core", micros(used, d),
			micros(after.User-before.User, d), micros(after.System-before.System, d), 100*used.Seconds()/r.took.Seconds())
	}
	grown := float64(after.RSS - r.server[0].RSS)
	r.line("server RAM", "%.1f MiB resident, grown by %.1f KiB a stream since before they were opened", float64(after.RSS)/(1<<20), grown/1024/float64(r.args.n))
}

// warnings says on the error output what makes the figures less than they seem.
func (r *benchRun) warnings(t *benchTally) {
	warn := func(format string, args ...any) { fmt.Fprintf(r.p.err, "aviary bench: "+format+"\n", args...) }
	if t.ended > 0 {
		var reasons []string
		for reason, n := range t.byes {
			reasons = append(reasons, fmt.Sprintf("%d × bye %s", n, clean(reason)))
		}
		slices.Sort(reasons)
		warn("%d streams ended before the time: %v %s", t.ended, t.why, strings.Join(reasons, ", "))
	}
	var foreign int64
	for _, f := range t.feeds {
		foreign += f.foreign
	}
	if foreign > 0 {
		warn("%d posts had ids of another epoch and were not compared: did the server restart?", foreign)
	}
	if t.deliveries == 0 {
		warn("no post came: does the upstream send any, and does the filter match any? -for can be longer")
	}
	if r.busy > benchFull {
		warn("reading took %.0f %% of a core: the times are this program's as much as the server's; use fewer streams, or several machines", 100*r.busy)
	}
}

func micros(d time.Duration, deliveries int64) float64 {
	return float64(d.Microseconds()) / float64(deliveries)
}

// grouped writes a number with commas.
func grouped(x float64) string {
	s := fmt.Sprintf("%.0f", x)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
