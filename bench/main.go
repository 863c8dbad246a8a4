package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// bench is one run: where its files are and how often each pair is repeated.
type bench struct {
	aviary string // the binary under test
	floor  string // floor.c, compiled
	dir    string // scratch, removed at the end
	rounds int
	failed bool
}

func main() {
	only := flag.String("only", "delivery,slow,idle,ingest,start,size", "which measurements, by comma")
	rounds := flag.Int("rounds", 3, "rounds of each interleaved pair; the median counts")
	binary := flag.String("aviary", "", "the binary to measure (default: built from the parent folder)")
	flag.Parse()
	b := &bench{rounds: *rounds, aviary: *binary}
	if err := b.run(strings.Split(*only, ",")); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	if b.failed {
		os.Exit(1)
	}
}

func (b *bench) run(only []string) (err error) {
	if b.dir, err = os.MkdirTemp("", "aviary-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	b.floor = filepath.Join(b.dir, "floor")
	if err := command("gcc", "-O2", "-o", b.floor, "floor/floor.c"); err != nil {
		return err
	}
	if b.aviary == "" {
		b.aviary = filepath.Join(b.dir, "aviary")
		build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.aviary, ".")
		build.Dir, build.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build aviary: %w\n%s", err, out)
		}
	}
	fmt.Printf("%s, %s/%s, %d cores, %s\n", time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpuModel())
	all := map[string]func() error{
		"delivery": b.delivery, "slow": b.slow, "idle": b.idle,
		"ingest": b.ingest, "start": b.start, "size": b.size,
	}
	for _, name := range only {
		measure, ok := all[name]
		if !ok {
			return fmt.Errorf("no measurement %q: delivery, slow, idle, ingest, start or size", name)
		}
		if err := measure(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
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

func median(v []float64) float64 {
	slices.Sort(v)
	if len(v) == 0 {
		return 0
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
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
