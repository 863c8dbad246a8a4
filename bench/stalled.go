package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// The stalled client is there for 30 MB, which are 30 GB for all: in larger posts,
// because at 2.5 KB they would take two minutes, and slowly enough that two
// cores are not full. The other servers get 10 MB, which is more than the kernel and
// their queues hide, and one round: by then they have shown what they do.
const (
	stalledPayload   = 25_000
	stalledRate      = 30
	stalledBytes     = 30_000_000
	stalledBytesPeer = 10_000_000
)

// stalled measures what a client that stops reading does to 999 others.
func (b *bench) stalled() error {
	shown := map[string]bool{"floor": true} // it stops, as it says
	b.each("one stalled", func(p *peer) bool { return !shown[p.name] }, func(p *peer) error {
		shown[p.name] = p.name != "aviary"
		push := stalledBytesPeer
		if p.name == "aviary" {
			push = stalledBytes
		}
		s, err := b.open(p, broadcastClients-1)
		if err != nil {
			return err
		}
		defer s.close()
		s.size = stalledPayload
		calm, err := s.pace(stalledRate, b.window, toEverybody)
		if err != nil {
			return err
		}
		b.keep("nobody stalled", p, calm)

		silent, err := net.Dial("tcp", s.addr)
		if err != nil {
			return err
		}
		defer silent.Close()
		if _, err := silent.Write(s.toAll(0)); err != nil {
			return err
		}
		time.Sleep(200 * time.Millisecond)
		before := rss(s.pid)
		w, err := s.paceUntilStuck(stalledRate, push/stalledPayload)
		grown := (rss(s.pid) - before) / (1 << 20)
		if err != nil && !errors.Is(err, errStuck) {
			return err
		}
		b.keep("one stalled", p, w)
		fate := fateOf(silent)
		if err != nil {
			fate += "; **it stopped everybody**"
		}
		b.found.say("one stalled", p.name, fate)
		fmt.Printf("%-11s %-22s %s; the server grew by %.1f MiB\n", p.name, "", fate, grown)
		b.found.add("one stalled", "grown", p.name, grown)
		b.found.add("one stalled", "ratio", p.name, w.p99/calm.p99)
		return nil
	})
	return nil
}

// paceUntilStuck publishes total messages and gives up when nothing arrives any
// more.
func (s *session) paceUntilStuck(rate, total int) (window, error) {
	return s.measure(func() (late time.Duration, err error) {
		begin, step := time.Now(), time.Second/time.Duration(rate)
		last, moved := int64(0), time.Now()
		for i := range total {
			due := begin.Add(time.Duration(i) * step)
			time.Sleep(time.Until(due))
			late = max(late, time.Since(due))
			if err := s.send(everybody); err != nil {
				return late, err
			}
			if got, _, _ := s.crowd.look(); got != last {
				last, moved = got, time.Now()
			}
			if time.Since(moved) > 2*time.Second {
				return late, fmt.Errorf("%w: nothing arrived for 2 s", errStuck)
			}
		}
		return late, nil
	})
}

// fateOf reads what the kernel still holds for the stalled client and says how
// its stream ended.
func fateOf(conn net.Conn) string {
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	buf, total := make([]byte, 64<<10), 0
	for {
		n, err := conn.Read(buf)
		total += n
		if os.IsTimeout(err) {
			return fmt.Sprintf("the stalled client is still open after %d KB", total/1024)
		}
		if err != nil {
			how := "closed"
			if errors.Is(err, syscall.ECONNRESET) {
				how = "reset"
			}
			return fmt.Sprintf("the stalled client was %s after %d KB", how, total/1024)
		}
	}
}
