package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"aviary/loadgen"
)

// session is one server process with its crowd, and the numbers of what is
// published to it.
type session struct {
	*server
	crowd *crowd
	seq   uint64 // of the last message
	size  int
	each  int // streams that should get a message: all, or one
}

// errStuck says that a server takes nothing from its publisher any more.
var errStuck = errors.New("the server takes no more messages")

func (s *session) send(topic string) error {
	s.seq++
	if err := s.publish(render(s.seq, topic, s.size, time.Now())); err != nil {
		return fmt.Errorf("%w: %w", errStuck, err)
	}
	return nil
}

// warmTimeout is how long a server may take until all its streams get messages,
// unless it says otherwise.
const warmTimeout = 10 * time.Second

// warm publishes until every stream has got something, so that all are
// subscribed, and then a moment longer.
func (s *session) warm(topic func(i int) string) error {
	limit := cmp.Or(s.warming, warmTimeout)
	for end := time.Now().Add(limit); ; {
		_, _, touched := s.crowd.look()
		if touched >= s.crowd.n {
			break
		}
		if time.Now().After(end) {
			if touched*100 >= s.crowd.n*95 {
				break // what the others do not get counts as lost
			}
			return fmt.Errorf("after %v of warming up only %d of %d streams had got a message", limit, touched, s.crowd.n)
		}
		if s.each == 1 { // to whom nothing came yet
			var missing []int
			s.crowd.fleet.Locked(func() {
				for i, last := range s.crowd.last {
					if last == 0 {
						missing = append(missing, i)
					}
				}
			})
			for _, i := range missing {
				if err := s.send(topic(i)); err != nil {
					return err
				}
			}
			time.Sleep(500 * time.Millisecond)
			continue
		}
		if err := s.send(topic(0)); err != nil {
			return err
		}
		s.crowd.caughtUp(s.seq, 500*time.Millisecond)
	}
	if s.each > 1 {
		s.crowd.caughtUp(s.seq, 5*time.Second)
	}
	time.Sleep(300 * time.Millisecond)
	return nil
}

// pace publishes rate messages a second for d and waits for what is on its way.
func (s *session) pace(rate int, d time.Duration, topic func(i int) string) (window, error) {
	total := int(d.Seconds() * float64(rate))
	return s.measure(func() (late time.Duration, err error) {
		begin, step := time.Now(), time.Second/time.Duration(rate)
		for i := range total {
			due := begin.Add(time.Duration(i) * step)
			time.Sleep(time.Until(due))
			late = max(late, time.Since(due))
			if err := s.send(topic(i)); err != nil {
				return late, err
			}
			if time.Since(begin) > 2*d { // held up
				return late, nil
			}
		}
		return late, nil
	})
}

// flight is how many messages are on their way at once when a server is saturated.
const flight = 16

// saturate publishes as fast as all streams get what was sent, for d.
func (s *session) saturate(d time.Duration) (window, error) {
	return s.measure(func() (time.Duration, error) {
		for end := time.Now().Add(d); time.Now().Before(end); {
			if _, whole, _ := s.crowd.look(); s.seq-whole >= flight {
				select {
				case <-s.crowd.moved:
				case <-time.After(time.Second):
					return 0, nil // it loses: nothing moves any more
				}
				continue
			}
			if err := s.send(everybody); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
}

// measure runs publish in a fresh window.
func (s *session) measure(publish func() (late time.Duration, err error)) (window, error) {
	c := s.crowd
	c.begin(s.seq + 1)
	before, err := loadgen.Measure(s.pid)
	if err != nil {
		return window{}, err
	}
	first, busy, began := s.seq, c.fleet.Busy(), time.Now()
	late, failed := publish()
	sent := int64(s.seq - first)
	c.settle(sent*int64(s.each), time.Second, 15*time.Second)
	after, err := loadgen.Measure(s.pid)
	if err != nil {
		return window{}, err
	}
	w := window{sent: sent, late: late}
	c.fleet.Locked(func() {
		took := time.Unix(0, c.lastAt).Sub(began).Seconds()
		w.got, w.repeated, w.lost = c.got, c.repeated, sent*int64(s.each)-c.got
		w.perSecond = float64(c.got) / took
		w.reader = (c.fleet.Busy() - busy).Seconds() / time.Since(began).Seconds()
		w.p50, w.p99, w.p999 = ms(c.latency.Quantile(0.5)), ms(c.latency.Quantile(0.99)), ms(c.latency.Quantile(0.999))
	})
	if w.got == 0 {
		return w, errors.Join(fmt.Errorf("nothing of %d messages arrived", sent), failed, c.why)
	}
	w.cpu = float64((after.CPU() - before.CPU()).Microseconds()) / float64(w.got)
	return w, failed
}
