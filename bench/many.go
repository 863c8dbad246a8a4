package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"aviary/loadgen"
)

const (
	manyClients = 9000
	manyRate    = 5  // posts a second
	missedPosts = 10 // that clients miss between leaving and coming back
)

// many opens 9,000 streams: what an idle one costs in memory, what a post costs,
// and what happens when all come back at once.
func (b *bench) many() error {
	defer func(before []string) { b.settings, b.resumed = before, false }(b.settings)
	b.resumed = true
	b.settings = append(slices.Clip(b.settings), "AVIARY_HEARTBEAT=2s") // an idle client is one that has had a heartbeat
	b.each("9,000 clients", anyPeer, func(p *peer) error {
		s, err := p.start(b, p)
		if err != nil {
			return err
		}
		defer s.stop()
		// A few first, so that what a server allocates once is not counted.
		few, err := join(s, 50, s.toAll)
		if err != nil {
			return err
		}
		if err := (&session{server: s, crowd: few, size: payload, each: 50}).warm(toEverybody); err != nil {
			return err
		}
		few.leave()
		time.Sleep(200 * time.Millisecond)
		before, kernel := rss(s.pid), kernelMemory()
		c, err := join(s, manyClients, s.toAll)
		if err != nil {
			return err
		}
		defer func() { c.leave() }()
		time.Sleep(3 * time.Second) // a heartbeat each, of those that send them
		rssEach, kernelEach := (rss(s.pid)-before)/manyClients/1024, (kernelMemory()-kernel)/manyClients/1024
		fmt.Printf("%-11s %-22s %7.2f KiB RSS, %.2f KiB kernel (both ends) per idle client\n", p.name, "idle", rssEach, kernelEach)
		b.found.add("idle", "rss", p.name, rssEach)
		b.found.add("idle", "kernel", p.name, kernelEach)

		all := &session{server: s, crowd: c, size: payload, each: manyClients, seq: 1000}
		if err := all.warm(toEverybody); err != nil {
			return err
		}
		c.fleet.Locked(func() { c.keepIDs = true })
		w, err := all.pace(manyRate, b.window, toEverybody)
		if err != nil {
			return err
		}
		b.keep("9,000 clients", p, w)
		if !p.resume {
			return nil
		}
		c, err = b.storm(p, all)
		return err
	})
	return nil
}

// storm closes all streams, publishes some posts, and lets all come back at once
// with the last id that each has.
func (b *bench) storm(p *peer, s *session) (*crowd, error) {
	old := s.crowd
	steady := rss(s.pid)
	old.leave()
	for range missedPosts {
		if err := s.send(everybody); err != nil {
			return old, err
		}
	}
	time.Sleep(time.Second) // all have left
	if err := loadgen.ResetPeak(s.pid); err != nil {
		return old, err
	}
	before, err := loadgen.Measure(s.pid)
	if err != nil {
		return old, err
	}
	began := time.Now()
	c, err := join(s.server, manyClients, func(i int) []byte {
		return s.request(everybody, fmt.Sprintf("Last-Event-ID: %s\r\n", old.lastID[i]))
	}, func(cfg *loadgen.Config) { cfg.Parallel = 1024 }, func(cfg *loadgen.Config) {
		resumed := cfg.Reader.(*crowd)
		resumed.from = s.seq - missedPosts + 1
		copy(resumed.last, old.last)
	})
	if err != nil {
		return old, err
	}
	c.settle(manyClients*missedPosts, 2*time.Second, 20*time.Second)
	took := time.Since(began)
	after, err := loadgen.Measure(s.pid)
	if err != nil {
		return c, err
	}
	got, _, _ := c.look()
	cpu := float64((after.CPU() - before.CPU()).Microseconds()) / manyClients
	fmt.Printf("%-11s %-22s back with %d missed posts each in %.2f s, %.1f µs CPU each, lost %d, repeated %d, ended %d, RSS peak %.1f MiB, steady %.1f MiB\n",
		p.name, "storm", missedPosts, took.Seconds(), cpu, manyClients*missedPosts-got, c.repeated, c.ended, float64(after.Peak)/(1<<20), steady/(1<<20))
	for metric, value := range map[string]float64{
		"seconds": took.Seconds(), "cpu": cpu, "lost": float64(manyClients*missedPosts - got), "repeated": float64(c.repeated),
		"peak": float64(after.Peak) / steady, "steady": steady / (1 << 20),
	} {
		b.found.add("storm", metric, p.name, value)
	}
	return c, nil
}

func rss(pid int) float64 {
	u, err := loadgen.Measure(pid)
	if err != nil {
		return 0 // the server is gone, which its streams tell
	}
	return float64(u.RSS)
}

// kernelMemory is what the kernel holds for sockets of the whole machine: slab and
// the pages of TCP buffers. Both ends of each connection are here.
func kernelMemory() (bytes float64) {
	info, _ := os.ReadFile("/proc/meminfo")
	for line := range strings.Lines(string(info)) {
		if kib, ok := strings.CutPrefix(line, "Slab:"); ok {
			n, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kib), "kB")), 64)
			bytes += n * 1024
		}
	}
	stat, _ := os.ReadFile("/proc/net/sockstat")
	for line := range strings.Lines(string(stat)) {
		if _, pages, ok := strings.Cut(line, " mem "); ok && strings.HasPrefix(line, "TCP:") {
			n, _ := strconv.ParseFloat(strings.TrimSpace(pages), 64)
			bytes += n * float64(os.Getpagesize())
		}
	}
	return bytes
}
