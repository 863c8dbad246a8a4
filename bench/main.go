package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// bench is one run.
type bench struct {
	aviary string // the binary under test
	dir    string // scratch, removed at the end

	settings []string // more of them, for aviary
	rounds   int
	window   time.Duration // of each measured stretch
	until    time.Time     // nothing new is begun after it
	short    bool          // the bound cut it
	resumed  bool          // clients will come back: servers that can choose keep a history
	peers    []*peer
	found    *figures
	failed   bool // a bound was missed
}

func main() {
	names := strings.Join(measurements(), ",")
	only := flag.String("only", names, "which measurements, by comma")
	rounds := flag.Int("rounds", 3, "rounds, in each of which every server takes its turn; the median counts")
	window := flag.Duration("for", 2*time.Second, "length of each measured stretch")
	within := flag.Duration("within", 19*time.Minute, "begin nothing new after so long")
	among := flag.String("peers", "", "which servers, by comma (default: all)")
	page := flag.String("docs", "", "folder for benchmarks.md and benchmarks.svg (default: ../docs if all is measured, else none)")
	settings := flag.String("settings", "", "more settings for aviary, by comma: AVIARY_NAME=value")
	binary := flag.String("aviary", "", "the binary to measure (default: built from the parent folder)")
	flag.Parse()
	debug.SetGCPercent(400) // the reader's and publisher's own collections are not to be measured
	b := &bench{rounds: *rounds, window: *window, aviary: *binary, until: time.Now().Add(*within), found: newFigures()}
	if *settings != "" {
		b.settings = strings.Split(*settings, ",")
	}
	if *page == "" && *settings == "" && *only == names && *among == "" {
		*page = "../docs"
	}
	err := b.run(strings.Split(*only, ","), *among, *page)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
	if err != nil || b.failed {
		os.Exit(1)
	}
}

func (b *bench) run(only []string, among, page string) (err error) {
	for _, name := range only {
		if !slices.Contains(measurements(), name) {
			return fmt.Errorf("no measurement %q; there are %s", name, strings.Join(measurements(), ", "))
		}
	}
	if b.dir, err = os.MkdirTemp("", "aviary-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	endWhenAsked(b.dir)
	if err := b.prepare(among); err != nil {
		return err
	}
	began := time.Now()
	fmt.Println(machine())
	for _, name := range only {
		fmt.Printf("\n== %s, after %v\n", name, time.Since(began).Round(time.Second))
		if err := b.measurement(name)(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	b.found.print(os.Stdout, b)
	if page == "" {
		return nil
	}
	return b.write(page, time.Since(began), len(only) < len(measurements()) || among != "")
}

// measurements are the names for -only, in the order of the run.
func measurements() []string {
	return []string{"start", "size", "ingest", "broadcast", "many", "topics", "gzip", "stalled"}
}

func (b *bench) measurement(name string) func() error {
	return map[string]func() error{
		"broadcast": b.broadcast, "many": b.many, "topics": b.topics, "stalled": b.stalled, "gzip": b.compressed,
		"ingest": b.ingest, "start": b.start, "size": b.size,
	}[name]
}

// prepare builds and installs what is compared. aviary must be there; another
// that is not is left out, and that is said here and on the page.
func (b *bench) prepare(among string) error {
	for _, p := range allPeers() {
		if among != "" && !slices.Contains(strings.Split(among, ","), p.name) {
			continue
		}
		if p.why = p.prep(b, p); p.why != nil {
			if p.name == "aviary" {
				return p.why
			}
			fmt.Fprintf(os.Stderr, "\n!!! %s IS LEFT OUT: %v\n\n", p.name, p.why)
		}
		b.peers = append(b.peers, p)
	}
	if len(b.peers) == 0 {
		return fmt.Errorf("no server is called %q", among)
	}
	return nil
}

// over reports whether the time for the whole run is over.
func (b *bench) over() bool {
	if time.Now().Before(b.until) {
		return false
	}
	if !b.short {
		fmt.Fprintln(os.Stderr, "!!! the time for the whole run is over: what follows is left out (-within gives more)")
	}
	b.short = true
	return true
}

// each runs one measurement for every server that can take part, round after
// round, the servers in turn, so that what disturbs the machine disturbs all. A failure
// is a figure too: it is told, and the others go on.
func (b *bench) each(what string, able func(*peer) bool, once func(*peer) error) {
	for round := range b.rounds {
		for i := range b.peers {
			p := b.peers[(i+round)%len(b.peers)] // no server is always the first
			if p.why != nil || !able(p) || b.over() {
				continue
			}
			if err := once(p); err != nil {
				fmt.Printf("%-11s %s: %v\n", p.name, what, err)
				b.found.fail(what, p.name, err)
			}
		}
	}
}

// report prints one figure beside its bound; atMost says which side is good.
func (b *bench) report(what string, got float64, unit string, bound float64, atMost bool) {
	sign, ok := "≤", got <= bound
	if !atMost {
		sign, ok = "≥", got >= bound
	}
	verdict := "ok"
	if !ok {
		verdict, b.failed = "MISSED", true
	}
	fmt.Printf("%-62s %12.2f %-10s %s %.6g  %s\n", what, got, unit, sign, bound, verdict)
}

// machine says what this runs on.
func machine() string {
	return fmt.Sprintf("%s, %s/%s, %d cores, %s, %s", time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpuModel(), runtime.Version())
}

func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.Trim(name, " \t:\n")
		}
	}
	return "unknown processor"
}
