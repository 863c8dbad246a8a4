package main

import (
	"fmt"
	"io"
	"slices"
)

// figures are all that was measured: one value a round.
type figures struct {
	values   map[figure][]float64
	failures map[figure]string // metric is empty
	words    map[figure]string // what a measurement says besides numbers, of the last round
}

// figure names one: what was measured, which of its numbers, of which server.
type figure struct{ what, metric, peer string }

func newFigures() *figures {
	return &figures{values: map[figure][]float64{}, failures: map[figure]string{}, words: map[figure]string{}}
}

func (f *figures) add(what, metric, peer string, value float64) {
	key := figure{what, metric, peer}
	f.values[key] = append(f.values[key], value)
}

func (f *figures) fail(what, peer string, err error) {
	f.failures[figure{what, "", peer}] = err.Error()
}

func (f *figures) say(what, peer, words string) { f.words[figure{what, "", peer}] = words }

// get returns the median; ok is false if it was not measured.
func (f *figures) get(what, metric, peer string) (value float64, ok bool) {
	v := f.values[figure{what, metric, peer}]
	return median(v), len(v) > 0
}

// sum adds up the rounds: for what is counted, not timed.
func (f *figures) sum(what, metric, peer string) (total float64) {
	for _, v := range f.values[figure{what, metric, peer}] {
		total += v
	}
	return total
}

// spread returns the least and the greatest round.
func (f *figures) spread(what, metric, peer string) (least, greatest float64) {
	v := f.values[figure{what, metric, peer}]
	if len(v) == 0 {
		return 0, 0
	}
	return slices.Min(v), slices.Max(v)
}

// bounds are what aviary has to keep, against what stands beside it in the run.
func (f *figures) bounds(b *bench) {
	against := func(what, metric, unit, than string, factor float64, atMost bool) {
		ours, ok := f.get(what, metric, "aviary")
		theirs, beside := f.get(what, metric, than)
		if ok && beside && theirs > 0 {
			b.report(fmt.Sprintf("%s: %s %s, against %s", what, metric, unit, than), ours/theirs, "×", factor, atMost)
		}
	}
	against("100 posts/s", "cpu", "per delivery", "floor", 1.2, true)
	against("saturated", "cpu", "per delivery", "floor", 0.6, true)
	against("saturated", "rate", "deliveries", "floor", 1.5, false)
	if best := f.best("50 posts/s", "p99"); best != "" {
		against("50 posts/s", "p99", "ms", best, 1, true)
	}
	alone := func(what, metric, text, unit string, bound float64) {
		if v, ok := f.get(what, metric, "aviary"); ok {
			b.report(what+": "+text, v, unit, bound, true)
		}
	}
	alone("idle", "rss", "RSS of an idle client among 9,000", "KiB", 2.5)
	alone("one stalled", "ratio", "p99 of the others, against without", "×", 1.3)
	alone("storm", "cpu", "CPU of a connect with its cursor", "µs", 80)
	alone("storm", "peak", "peak memory against steady", "×", 1.5)
	if plain, ok := f.get("encoding identity", "cpu", "aviary"); ok {
		if zipped, ok := f.get("encoding gzip", "cpu", "aviary"); ok {
			b.report("gzip: CPU per delivery, against plain", zipped/plain, "×", 1.1, true)
			a, _ := f.get("encoding identity", "bytes", "aviary")
			z, _ := f.get("encoding gzip", "bytes", "aviary")
			b.report("gzip: bytes, against plain", z/a, "×", 0.42, true)
		}
	}
	for _, what := range losses {
		if _, ok := f.get(what, "lost", "aviary"); ok {
			b.report(what+": lost or repeated, all rounds", f.sum(what, "lost", "aviary")+f.sum(what, "repeated", "aviary"), "posts", 0, true)
		}
	}
}

// losses are the measurements that count what is lost.
var losses = []string{"10 posts/s", "50 posts/s", "100 posts/s", "saturated", "9,000 clients", "one to one", "nobody stalled", "one stalled", "encoding identity", "encoding gzip", "storm"}

// best is the peer, the floor and aviary aside, with the least of a figure that
// lost nothing.
func (f *figures) best(what, metric string) (name string) {
	least := 0.0
	for key := range f.values {
		if key.what != what || key.metric != metric || key.peer == "aviary" || key.peer == "floor" || f.sum(what, "lost", key.peer) > 0 {
			continue
		}
		if v, _ := f.get(what, metric, key.peer); name == "" || v < least {
			name, least = key.peer, v
		}
	}
	return name
}

// print holds the figures against their bounds.
func (f *figures) print(out io.Writer, b *bench) {
	fmt.Fprintf(out, "\n== bounds (medians of %d rounds)\n", b.rounds)
	f.bounds(b)
}
