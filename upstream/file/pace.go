package file

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"aviary/upstream"
)

// Pace is how fast a capture is replayed: Recorded, Max, or posts per second.
type Pace float64

// The named paces.
const (
	Recorded Pace = 0
	Max      Pace = -1
)

// MaxPause is the longest pause of a recording that is kept at pace Recorded.
const MaxPause = 10 * time.Second

// ParsePace reads FILE_RATE: "recorded", "max", or posts per second, a number
// from 0.001 to 1,000,000.
func ParsePace(s string) (Pace, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "recorded":
		return Recorded, nil
	case "max":
		return Max, nil
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(n >= 0.001 && n <= 1e6) {
		return 0, fmt.Errorf("%q is no pace: write recorded, max, or posts per second (0.001 to 1000000)", s)
	}
	return Pace(n), nil
}

// String is what ParsePace reads.
func (p Pace) String() string {
	switch p {
	case Recorded:
		return "recorded"
	case Max:
		return "max"
	}
	return strconv.FormatFloat(float64(p), 'g', -1, 64)
}

// clock makes a replay keep its pace. It counts from a fixed start, so that the
// time that work takes does not add up.
type clock struct {
	pace  Pace
	due   time.Time // when the last message was due
	stamp time.Time // the time stamp of the last message that had one
}

// wait returns when the next message is due. sent is its own time stamp (or zero),
// post says whether it is a post: only posts count for a rate.
func (c *clock) wait(ctx context.Context, sent time.Time, post bool, to upstream.Sink) error {
	now := time.Now()
	if c.due.IsZero() {
		c.due, c.stamp = now, sent
		return ctx.Err()
	}
	switch {
	case c.pace == Max:
		return ctx.Err()
	case c.pace == Recorded:
		if sent.IsZero() {
			return ctx.Err()
		}
		if !c.stamp.IsZero() && sent.After(c.stamp) {
			c.due = c.due.Add(min(sent.Sub(c.stamp), MaxPause))
		}
		if sent.After(c.stamp) { // recordings are only roughly in order
			c.stamp = sent
		}
	case post:
		c.due = c.due.Add(time.Duration(math.Round(float64(time.Second) / float64(c.pace))))
	}
	if late := now.Sub(c.due); late > time.Second {
		c.due = now // after a sleep of the machine: no burst to catch up
	}
	return sleep(ctx, time.Until(c.due), to)
}

// sleep waits, and says meanwhile that nothing is stuck.
func sleep(ctx context.Context, d time.Duration, to upstream.Sink) error {
	for d > 0 {
		part := min(d, 250*time.Millisecond)
		t := time.NewTimer(part)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
		to.Alive(0)
		d -= part
	}
	return ctx.Err()
}
