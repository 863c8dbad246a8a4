package main

import (
	"fmt"
	"time"

	"aviary/loadgen"
)

// open starts a server and n streams of the broadcast, warmed up.
func (b *bench) open(p *peer, n int) (*session, error) {
	s, err := p.start(b, p)
	if err != nil {
		return nil, err
	}
	c, err := join(s, n, s.toAll)
	if err != nil {
		s.stop()
		return nil, err
	}
	all := &session{server: s, crowd: c, size: payload, each: n}
	if err := all.warm(toEverybody); err != nil {
		all.close()
		return nil, err
	}
	return all, nil
}

func (s *session) close() {
	s.crowd.leave()
	s.stop()
}

func toEverybody(int) string { return everybody }

func anyPeer(*peer) bool { return true }

// keep prints a window and keeps its figures.
func (b *bench) keep(what string, p *peer, w window) {
	fmt.Printf("%-11s %-22s %v", p.name, what, w)
	if w.late > 100*time.Millisecond {
		fmt.Printf("  the publisher was late by %v", w.late.Round(time.Millisecond))
		b.found.add(what, "late", p.name, ms(w.late))
	}
	fmt.Println()
	for metric, value := range map[string]float64{
		"cpu": w.cpu, "rate": w.perSecond, "p50": w.p50, "p99": w.p99, "p999": w.p999,
		"lost": float64(w.lost), "repeated": float64(w.repeated), "sent": float64(w.sent), "reader": 100 * w.reader,
	} {
		b.found.add(what, metric, p.name, value)
	}
}

const broadcastClients = 1000

// broadcast sends the same posts to 1,000 clients: at three rates, and then as
// fast as they take them.
func (b *bench) broadcast() error {
	b.each("broadcast", anyPeer, func(p *peer) error {
		s, err := b.open(p, broadcastClients)
		if err != nil {
			return err
		}
		defer s.close()
		for _, rate := range []int{10, 50, 100} {
			w, err := s.pace(rate, b.window, toEverybody)
			if err != nil {
				return err
			}
			b.keep(fmt.Sprintf("%d posts/s", rate), p, w)
		}
		w, err := s.saturate(b.window)
		if err != nil {
			return err
		}
		b.keep("saturated", p, w)
		return nil
	})
	return nil
}

const topicClients = 10_000

// topics sends each post to one client of 10,000, each of which asks for its
// own topic: for aviary 10,000 filters.
func (b *bench) topics() error {
	topic := func(i int) string { return fmt.Sprintf("topic%05d", i*7919%topicClients) }
	b.each("one to one", func(p *peer) bool { return p.topics }, func(p *peer) error {
		server, err := p.start(b, p)
		if err != nil {
			return err
		}
		c, err := join(server, topicClients, func(i int) []byte { return server.request(fmt.Sprintf("topic%05d", i), "") })
		if err != nil {
			server.stop()
			return err
		}
		s := &session{server: server, crowd: c, size: payload, each: 1}
		defer s.close()
		first, err := s.firstPosts()
		if err != nil {
			return err
		}
		fmt.Printf("%-11s %-22s %7.2f µs CPU for the first post to a topic\n", p.name, "one to one", first)
		b.found.add("one to one", "first", p.name, first)
		w, err := s.pace(1000, b.window, topic)
		if err != nil {
			return err
		}
		b.keep("one to one", p, w)
		return nil
	})
	return nil
}

// firstPosts warms up a crowd of topics: posts to all of them that nobody has
// posted to before. It returns µs of CPU a post.
func (s *session) firstPosts() (cpu float64, err error) {
	before, err := loadgen.Measure(s.pid)
	if err != nil {
		return 0, err
	}
	if err := s.warm(func(i int) string { return fmt.Sprintf("topic%05d", i) }); err != nil {
		return 0, err
	}
	after, err := loadgen.Measure(s.pid)
	return float64((after.CPU() - before.CPU()).Microseconds()) / float64(s.seq), err
}

// compressed compares aviary's plain streams with its gzip ones.
func (b *bench) compressed() error {
	const decoded = 10 // streams that are inflated; the others are counted in bytes
	b.each("gzip", func(p *peer) bool { return p.name == "aviary" }, func(p *peer) error {
		for _, encoding := range []string{"identity", "gzip"} {
			if err := b.compressedOnce(p, encoding, decoded); err != nil {
				return err
			}
		}
		return nil
	})
	return nil
}
