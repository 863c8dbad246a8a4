package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// write writes benchmarks.md and benchmarks.svg into dir. A run that was not
// whole says so at the top.
func (b *bench) write(dir string, took time.Duration, part bool) error {
	p := &page{b: b, f: b.found}
	p.text("# Benchmarks\n\n")
	if part || b.short || b.rounds < 3 || b.window < 2*time.Second {
		p.text("**This page was made by a short run (rounds: %d, of %v each%s): it shows the form, not the figures.**\n\n", b.rounds, b.window,
			map[bool]string{true: ", not all measurements"}[part || b.short])
	}
	p.intro(took)
	p.broadcast()
	p.many()
	p.topics()
	p.gzip()
	p.stalled()
	p.alone()
	p.losses()
	for path, text := range map[string]string{"benchmarks.md": p.out.String(), "benchmarks.svg": b.plot()} {
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o644); err != nil {
			return err
		}
	}
	fmt.Println("\nwritten:", filepath.Join(dir, "benchmarks.md"))
	return nil
}

type page struct {
	b   *bench
	f   *figures
	out strings.Builder
}

func (p *page) text(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

func (p *page) intro(took time.Duration) {
	p.text("aviary beside other servers on the same work, each a process of its own on this machine, fed and read over loopback by one program.\n"+
		"Made by `cd bench && go run .` in %v: %s.\n%d rounds of %v for each measurement, the servers in turn within each round; a figure is the median of\n"+
		"the rounds, in brackets the least and the greatest. Absolute figures are this machine's; compare the rows.\n\n", took.Round(time.Second), machine(), p.b.rounds, p.b.window)
	p.text("![The main figures as bars](benchmarks.svg)\n\n")
	p.text("| server | how it runs |\n|---|---|\n")
	for _, peer := range p.b.peers {
		what := peer.what
		if peer.why != nil {
			what = "**LEFT OUT**: " + cell(peer.why.Error())
		}
		p.text("| %s | %s |\n", peer.name, what)
	}
	p.text("\n* Every server sends the same JSON of %d bytes as one SSE event with an id; every client sends the same request.\n"+
		"* CPU is user and system time of the server's process and its children, as the kernel counts it, divided by the deliveries that arrived.\n"+
		"  aviary's holds reading its upstream, decoding and matching; the others get ready lines, most from a pipe.\n"+
		"* Latency is from just before the post is written to the server to when the reader took its bytes from the kernel, for every delivery.\n"+
		"  The reader is one epoll loop on the same cores; what it waits for them is in all rows.\n"+
		"* All clients get warm-up posts before anything is counted.\n\n", payload)
}

// rows writes one row for each server that has the first figure or a failure.
func (p *page) rows(what string, able func(*peer) bool, cells ...func(peer string) string) {
	for _, peer := range p.b.peers {
		_, measured := p.f.get(what, "cpu", peer.name)
		failure, failed := p.f.failures[figure{what, "", peer.name}]
		switch {
		case peer.why != nil:
			p.text("| %s | **left out** |%s\n", peer.name, strings.Repeat(" |", len(cells)-1))
		case !measured && failed:
			p.text("| %s | **failed**: %s |%s\n", peer.name, cell(failure), strings.Repeat(" |", len(cells)-1))
		case measured:
			p.text("| %s |", peer.name)
			for _, c := range cells {
				p.text(" %s |", c(peer.name))
			}
			p.text("\n")
		case able(peer):
			p.text("| %s | not measured |%s\n", peer.name, strings.Repeat(" |", len(cells)-1))
		}
	}
	p.text("\n")
}

// of is a cell with a median and its spread.
func (p *page) of(what, metric, format string) func(string) string {
	return func(peer string) string {
		v, ok := p.f.get(what, metric, peer)
		if !ok {
			return "—"
		}
		least, greatest := p.f.spread(what, metric, peer)
		if least == greatest {
			return fmt.Sprintf(format, v)
		}
		return fmt.Sprintf(format+" ("+format+"–"+format+")", v, least, greatest)
	}
}

// latency is a cell with p50, p99 and p99.9.
func (p *page) latency(what string) func(string) string {
	return func(peer string) string {
		if _, ok := p.f.get(what, "p50", peer); !ok {
			return "—"
		}
		var all []string
		for _, metric := range []string{"p50", "p99", "p999"} {
			v, _ := p.f.get(what, metric, peer)
			all = append(all, digits(v))
		}
		text := strings.Join(all, " / ")
		if least, greatest := p.f.spread(what, "p99", peer); least != greatest {
			text += fmt.Sprintf(" (p99 %s–%s)", digits(least), digits(greatest))
		}
		return text
	}
}

// lost is a cell that adds up the rounds.
func (p *page) lost(what string) func(string) string {
	return func(peer string) string {
		text := fmt.Sprintf("%.0f", p.f.sum(what, "lost", peer))
		if n := p.f.sum(what, "repeated", peer); n > 0 {
			text += fmt.Sprintf(", repeated %.0f", n)
		}
		if late, ok := p.f.get(what, "late", peer); ok {
			text += fmt.Sprintf("; its publisher waited %.0f ms", late)
		}
		return text
	}
}

// digits writes a figure with as many digits as it deserves.
func digits(v float64) string {
	switch {
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// cell makes a text fit for a cell.
func cell(text string) string {
	text = strings.Join(strings.Fields(strings.ReplaceAll(text, "|", "/")), " ")
	if r := []rune(text); len(r) > 160 {
		text = string(r[:160]) + "…"
	}
	return text
}

// losses lists what was lost anywhere, so that no table has to.
func (p *page) losses() {
	p.text("## Lost and repeated\n\n| server | measurement | lost | repeated |\n|---|---|---|---|\n")
	clean := true
	for _, peer := range p.b.peers {
		for _, what := range losses {
			lost, repeated := p.f.sum(what, "lost", peer.name), p.f.sum(what, "repeated", peer.name)
			if lost > 0 || repeated > 0 {
				clean = false
				p.text("| %s | %s | %.0f | %.0f |\n", peer.name, what, lost, repeated)
			}
		}
	}
	if clean {
		p.text("| all | all | 0 | 0 |\n")
	}
	p.text("\nServers that are not here lost and repeated nothing. Sums of all rounds.\n")
	var failed []string
	for key, why := range p.f.failures {
		failed = append(failed, fmt.Sprintf("* %s, %s: %s\n", key.peer, key.what, cell(why)))
	}
	if slices.Sort(failed); len(failed) > 0 {
		p.text("\nWhat failed:\n\n%s", strings.Join(failed, ""))
	}
}
