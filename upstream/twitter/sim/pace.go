package sim

import (
	"math"
	"math/rand/v2"
	"time"
)

// pace draws when posts come: a Poisson process whose rate rises and falls by
// a third over a minute and doubles in a burst, around the given mean.
type pace struct {
	rng  *rand.Rand
	rate float64 // posts per second
}

// gap is the time from a post at t (since the start) to the next one.
func (p *pace) gap(t time.Duration, burst bool) time.Duration {
	rate := p.rate * (0.95 + 0.33*math.Sin(2*math.Pi*t.Minutes()))
	if burst {
		rate *= 2
	}
	return time.Duration(p.rng.ExpFloat64() / rate * float64(time.Second))
}

// generate publishes the corpus while a stream is open. The world stands
// still when nobody listens.
func (s *Server) generate() {
	p := pace{rand.New(rand.NewPCG(s.cfg.Seed, 0x9ace)), s.cfg.Rate}
	start := time.Now()
	due := start
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-s.quit:
			return
		case <-timer.C:
		}
		now := time.Now()
		if now.Sub(due) > time.Second {
			due = now // the machine slept, or can't keep up: don't catch up
		}
		for !due.After(now) {
			burst, ok := s.emit(now)
			if !ok {
				break
			}
			due = due.Add(max(p.gap(due.Sub(start), burst), 1))
		}
		if due.After(now) {
			timer.Reset(max(time.Until(due), time.Millisecond)) // above 1,000/s several at a time
			continue
		}
		select { // nobody listens
		case <-s.quit:
			return
		case <-s.wake:
			due = time.Now()
			timer.Reset(0)
		}
	}
}

// emit publishes the next message of the corpus. burst: a topic is all the
// rage. ok is false when no stream is open.
func (s *Server) emit(now time.Time) (burst, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.streams) == 0 || s.silent {
		return false, false
	}
	if now.Before(s.quietTo) {
		return false, true
	}
	m := s.corpus().Next(s.now())
	s.publish(message{raw: m.JSON, about: m.about, post: m.Post, of: m.of, duty: m.duty, dutyUser: m.dutyUser}, true)
	return s.corpus().burst > 0, true
}
