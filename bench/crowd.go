package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"aviary/loadgen"
)

// crowd is a number of streams of one server and what they got; it implements
// loadgen.Reader, so all of it is owned by the fleet's lock.
type crowd struct {
	fleet *loadgen.Fleet
	n     int

	from     uint64 // the window: messages from this number on count; 0: it is not open
	last     []uint64
	lastID   [][]byte // of each stream, if keepIDs
	keepIDs  bool
	got      int64 // deliveries in the window
	lastAt   int64 // when the last of them came, Unix ns
	latency  *loadgen.Histogram
	repeated int64
	ended    int // streams that the server ended
	why      error
	touched  int // streams that got something at all

	passed [flightRing]int // how many streams are at or past a number, by number
	whole  uint64          // all streams are at or past this one
	moved  chan struct{}   // whole has risen
}

// flightRing is how far a stream may be ahead of the slowest for passed to hold.
const flightRing = 1 << 12

// join opens n streams; request is the head of each.
func join(s *server, n int, request func(i int) []byte, options ...func(*loadgen.Config)) (*crowd, error) {
	c := &crowd{n: n, last: make([]uint64, n), lastID: make([][]byte, n), latency: new(loadgen.Histogram), moved: make(chan struct{}, 1)}
	cfg := loadgen.Config{Address: s.addr, Request: request, Reader: c, Parallel: s.parallel}
	for _, option := range options {
		option(&cfg)
	}
	c.fleet = loadgen.New(cfg)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := c.fleet.Open(ctx, n); err != nil {
		c.fleet.Close()
		return nil, err
	}
	return c, nil
}

// Event implements loadgen.Reader.
func (c *crowd) Event(s *loadgen.Stream, e *loadgen.Event, at time.Time) {
	if c.keepIDs && len(e.ID) > 0 {
		c.lastID[s.Index] = append(c.lastID[s.Index][:0], e.ID...)
	}
	seq, sent, ok := read(e.Data)
	if !ok {
		return // hello and the like
	}
	last := &c.last[s.Index]
	if seq <= *last {
		c.repeated++
		return
	}
	if *last == 0 {
		c.touched++
	}
	before := *last
	*last = seq
	if c.from > 0 && seq >= c.from {
		c.pass(max(before, c.from-1, seq-min(seq, flightRing/2)), seq)
		c.got++
		c.lastAt = at.UnixNano()
		c.latency.Add(time.Duration(at.UnixNano() - sent))
	}
}

// pass notes that one stream has moved on, and which messages all have passed.
func (c *crowd) pass(from, to uint64) {
	for n := from + 1; n <= to; n++ {
		c.passed[n%flightRing]++
	}
	for c.passed[(c.whole+1)%flightRing] >= c.n {
		c.whole++
		c.passed[c.whole%flightRing] = 0
		select {
		case c.moved <- struct{}{}:
		default:
		}
	}
}

// Ended implements loadgen.Reader.
func (c *crowd) Ended(_ *loadgen.Stream, err error) {
	if c.ended++; c.why == nil {
		c.why = err
	}
}

// look returns what the crowd has so far.
func (c *crowd) look() (got int64, whole uint64, touched int) {
	c.fleet.Locked(func() { got, whole, touched = c.got, c.whole, c.touched })
	return got, whole, touched
}

// caughtUp waits until every stream has got what was sent to all, at most limit.
func (c *crowd) caughtUp(seq uint64, limit time.Duration) {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		behind := false
		c.fleet.Locked(func() { behind = slices.ContainsFunc(c.last, func(last uint64) bool { return last < seq }) })
		if !behind {
			return
		}
	}
}

// begin opens the window: messages from seq on count.
func (c *crowd) begin(seq uint64) {
	c.fleet.Locked(func() {
		c.from, c.got, c.repeated, c.lastAt = seq, 0, 0, 0
		c.latency.Reset()
		c.whole, c.passed = seq-1, [flightRing]int{}
	})
}

// settle waits until want deliveries have come, at most limit, and not longer
// than quiet after the last of them.
func (c *crowd) settle(want int64, quiet, limit time.Duration) {
	last, moved := int64(-1), time.Now()
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		got, _, _ := c.look()
		if got >= want {
			return
		}
		if got != last {
			last, moved = got, time.Now()
		}
		if time.Since(moved) > quiet {
			return
		}
	}
}

func (c *crowd) leave() { c.fleet.Close() }

// bytes is what all streams have got so far.
func (c *crowd) bytes() (n int64) {
	streams := c.fleet.Streams()
	c.fleet.Locked(func() {
		for _, s := range streams {
			n += s.Bytes
		}
	})
	return n
}

// window is what came of one measured stretch.
type window struct {
	sent, got, lost, repeated int64
	perSecond                 float64 // deliveries
	cpu                       float64 // µs of the server's, user and system, a delivery
	p50, p99, p999            float64 // ms
	reader                    float64 // share of the stretch that the reader worked
	late                      time.Duration
}

func (w window) String() string {
	return fmt.Sprintf("%7.2f µs/delivery %8.0f/s  p50 %.2f p99 %.2f p99.9 %.2f ms  lost %d repeated %d  reader %.0f %%",
		w.cpu, w.perSecond, w.p50, w.p99, w.p999, w.lost, w.repeated, 100*w.reader)
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// median of figures; zero of none.
func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if len(v) == 0 {
		return 0
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
