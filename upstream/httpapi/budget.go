package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"aviary/upstream"
)

// Budget holds the requests of one set of credentials to what the server allows.
// A request is taken before it is sent and settled by its answer. Answers may
// come in any order: within one window the lowest remainder counts, and what is
// under way counts as spent, so that no order overspends.
type Budget struct {
	// Published is what may be under way until the first answer tells. With Per it
	// is also a bound of our own: no more than so many requests go out within that
	// time, whatever an answer says or leaves out. Set both before the first call.
	Published int
	Per       time.Duration

	mu      sync.Mutex
	known   bool
	limit   int
	left    int         // of the window, without what is under way
	window  int64       // its end as the server writes it: Unix seconds by its clock
	reset   time.Time   // its end by our clock; zero: it is over and the next is not yet known
	flying  int         // requests taken and not settled
	blocked time.Time   // nothing goes out before: after a 429
	strikes int         // 429s in a row that named no end
	sent    []time.Time // within Per, oldest first

	probe  chan struct{} // closed when the first request is settled
	learnt bool          // probe is closed
}

// Waits after a 429 that does not say how long.
const (
	firstStrike = time.Minute
	lastStrike  = 16 * time.Minute
	// longestWindow bounds what a broken header can do: no published window is
	// longer than a day.
	longestWindow = 25 * time.Hour
)

// Learn lets the first request of all go alone: what other processes have left
// of the budget is not known before its answer. The others wait for that answer,
// or for ctx's end. Who returned first must settle its request.
func (b *Budget) Learn(ctx context.Context) error {
	b.mu.Lock()
	first := b.probe
	if first == nil {
		b.probe = make(chan struct{})
	}
	b.mu.Unlock()
	if first == nil {
		return nil
	}
	select {
	case <-first:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// learntLocked lets those go who wait in Learn.
func (b *Budget) learntLocked() {
	if b.probe != nil && !b.learnt {
		b.learnt = true
		close(b.probe)
	}
}

// Take takes one request, or says until when there is none.
func (b *Budget) Take(now time.Time) (until time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	if now.Before(b.blocked) {
		b.learntLocked()
		return b.blocked, false
	}
	if until, full := b.fullLocked(now); full {
		b.learntLocked()
		return until, false
	}
	left := b.Published
	if b.known {
		left = b.left
	}
	if left <= b.flying {
		b.learntLocked()
		if b.reset.IsZero() {
			return now.Add(time.Second), false // the answers under way will tell
		}
		return b.reset, false
	}
	b.flying++
	if b.Per > 0 {
		b.sent = append(b.sent, now)
	}
	return time.Time{}, true
}

// fullLocked says that our own count is used up, and until when.
func (b *Budget) fullLocked(now time.Time) (until time.Time, full bool) {
	for len(b.sent) > 0 && now.Sub(b.sent[0]) >= b.Per {
		b.sent = b.sent[1:]
	}
	if b.Per <= 0 || len(b.sent) < b.Published {
		return time.Time{}, false
	}
	return b.sent[0].Add(b.Per), true
}

// roll begins the next window when this one is over.
func (b *Budget) roll(now time.Time) {
	if b.known && !b.reset.IsZero() && !now.Before(b.reset) {
		b.left, b.reset = b.limit, time.Time{}
	}
}

// Lost settles a request without an answer. One that was sent may have been counted.
func (b *Budget) Lost(sent bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.learntLocked()
	b.flying--
	if sent && b.left > 0 {
		b.left--
	}
}

// Answered settles a request by the headers of its answer.
func (b *Budget) Answered(answer *http.Response, now time.Time) {
	limit, remaining, window, ok := rateHeaders(answer.Header)
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.learntLocked()
	b.flying--
	if answer.StatusCode == http.StatusOK {
		b.strikes = 0
	}
	switch {
	case !ok:
		if b.left > 0 {
			b.left--
		}
		return
	case b.known && window < b.window:
		return // a late answer of a window that is over
	case !b.known || window > b.window:
		b.left = remaining
	default:
		b.left = min(b.left, remaining)
	}
	b.known, b.limit, b.window = true, limit, window
	b.reset = now.Add(untilReset(answer, window, now))
}

// Limited notes a 429 and returns when it is over.
func (b *Budget) Limited(answer *http.Response, now time.Time) time.Time {
	_, _, window, ok := rateHeaders(answer.Header)
	wait := min(RetryAfter(answer, ServerTime(answer, now)), longestWindow)
	// A reset that is due this very second still names the end: servers cut the
	// fraction off.
	if ok && time.Unix(window, 0).Sub(ServerTime(answer, now)) > -5*time.Second {
		wait = max(wait, untilReset(answer, window, now), time.Second)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if wait <= 0 {
		wait = min(firstStrike<<min(b.strikes, 10), lastStrike)
		b.strikes++
	}
	if end := now.Add(wait); end.After(b.blocked) {
		b.blocked = end
	}
	return b.blocked
}

// Rate is what can be told of the budget.
func (b *Budget) Rate(now time.Time) upstream.Rate {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.roll(now)
	r := upstream.Rate{Known: b.known, Limit: b.limit, Remaining: max(0, b.left-b.flying), Reset: b.reset}
	if now.Before(b.blocked) {
		r.Known, r.Remaining, r.Reset = true, 0, b.blocked
		if r.Limit == 0 {
			r.Limit = b.Published
		}
	}
	if r.Reset.IsZero() { // the window has not begun for the server
		r.Reset = now
	}
	return r
}

// rateHeaders reads the three headers; ok: all of them make sense.
func rateHeaders(h http.Header) (limit, remaining int, window int64, ok bool) {
	read := func(name string, bits int) int64 {
		n, err := strconv.ParseUint(strings.TrimSpace(h.Get(name)), 10, bits)
		if err != nil {
			return -1
		}
		return int64(n)
	}
	l, r, w := read("X-Rate-Limit-Limit", 31), read("X-Rate-Limit-Remaining", 31), read("X-Rate-Limit-Reset", 40)
	return int(l), int(r), w, l > 0 && r >= 0 && w > 0
}

// untilReset is how far the end of a window is by the server's own clock. Its
// Date is cut to the second below, so this is never too short.
func untilReset(answer *http.Response, window int64, now time.Time) time.Duration {
	d := time.Unix(window, 0).Sub(ServerTime(answer, now))
	return min(max(d, 0), longestWindow)
}

// Pace keeps the starts of requests apart.
type Pace struct {
	turn chan struct{} // one slot: whoever is in it waits for its time; the others queue in order

	last time.Time // owned by whoever holds the turn
}

// NewPace returns a Pace at its start: the first may begin at once.
func NewPace() *Pace { return &Pace{turn: make(chan struct{}, 1)} }

// Wait returns when a request may begin.
func (p *Pace) Wait(ctx context.Context, apart time.Duration) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	if !p.last.IsZero() {
		select {
		case <-time.After(apart - time.Since(p.last)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.last = time.Now()
	return nil
}
