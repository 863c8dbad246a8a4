package httpapi

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// budgetTold is an answer with rate headers; the server's clock is an hour behind ours.
func budgetTold(at time.Time, limit, remaining int, reset time.Time) *http.Response {
	h := http.Header{}
	h.Set("Date", at.Add(-time.Hour).Format(http.TimeFormat))
	if limit > 0 {
		h.Set("x-rate-limit-limit", strconv.Itoa(limit))
		h.Set("x-rate-limit-remaining", strconv.Itoa(remaining))
		h.Set("x-rate-limit-reset", strconv.FormatInt(reset.Add(-time.Hour).Unix(), 10))
	}
	return &http.Response{StatusCode: http.StatusOK, Header: h}
}

func (b *Budget) canTake(now time.Time) bool {
	_, ok := b.Take(now)
	return ok
}

// Answers in any order: the lowest of a window counts, and what is under way.
func TestBudgetOrder(t *testing.T) {
	b := &Budget{Published: 3}
	reset := noon.Add(15 * time.Minute)
	for i := range 3 {
		if !b.canTake(noon) {
			t.Fatalf("request %d before anything is known", i)
		}
	}
	if b.canTake(noon) {
		t.Error("more under way than was published")
	}
	b.Answered(budgetTold(noon, 5, 2, reset), noon) // of the third that was sent
	if r := b.Rate(noon); r.Remaining != 0 || r.Limit != 5 || !r.Reset.Equal(reset) {
		t.Errorf("2 left, 2 under way: %+v", r)
	}
	b.Answered(budgetTold(noon, 5, 4, reset), noon) // of the first: late
	b.Answered(budgetTold(noon, 5, 3, reset), noon)
	if r := b.Rate(noon); r.Remaining != 2 {
		t.Errorf("late answers count up: %+v", r)
	}
	for i, want := range []bool{true, true, false} {
		if got := b.canTake(noon); got != want {
			t.Errorf("request %d of 2 that are left: %v", i+1, got)
		}
	}
	b.Lost(true)
	b.Lost(false) // never sent: it costs nothing
	if r := b.Rate(noon); r.Remaining != 1 {
		t.Errorf("after one lost on the way: %+v", r)
	}
	if !b.canTake(noon) {
		t.Fatal("the last one")
	}
	if until, ok := b.Take(noon.Add(time.Minute)); ok || !until.Equal(reset) {
		t.Errorf("until %v", until)
	}
	// The next window, and an answer of the old one behind it.
	if !b.canTake(reset) {
		t.Error("nothing in the new window")
	}
	b.Answered(budgetTold(reset, 5, 4, reset.Add(15*time.Minute)), reset)
	b.Answered(budgetTold(reset, 5, 0, reset), reset)
	if r := b.Rate(reset); r.Remaining != 4 || b.flying != 0 {
		t.Errorf("%+v, %d under way", r, b.flying)
	}
}

// Without headers a known budget still goes down.
func TestBudgetWithoutHeaders(t *testing.T) {
	b := &Budget{Published: 2}
	b.canTake(noon)
	b.Answered(budgetTold(noon, 0, 0, noon), noon)
	if r := b.Rate(noon); r.Known || !b.canTake(noon) {
		t.Errorf("%+v: an upstream that tells nothing has no limit", r)
	}
	b.Answered(budgetTold(noon, 9, 1, noon.Add(time.Minute)), noon)
	b.canTake(noon)
	b.Answered(budgetTold(noon, 0, 0, noon), noon)
	if b.canTake(noon) {
		t.Error("overspent")
	}
	for _, broken := range []string{"-1", "x", "99999999999999999999", ""} {
		h := http.Header{"X-Rate-Limit-Limit": {"9"}, "X-Rate-Limit-Remaining": {broken}, "X-Rate-Limit-Reset": {"1"}}
		if _, _, _, ok := rateHeaders(h); ok {
			t.Errorf("%q is taken", broken)
		}
	}
}

// A 429 blocks until what it says; without a word longer each time.
func TestBudgetLimited(t *testing.T) {
	b := &Budget{Published: 100}
	now := noon
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 16 * time.Minute} {
		answer := budgetTold(now, 0, 0, now)
		answer.StatusCode = http.StatusTooManyRequests
		b.canTake(now)
		b.Answered(answer, now)
		if until := b.Limited(answer, now); until.Sub(now) != want {
			t.Errorf("%v, want %v", until.Sub(now), want)
		}
		now = now.Add(want)
		if b.canTake(now.Add(-time.Second)) {
			t.Error("a request while it is blocked")
		}
	}
	this := &Budget{Published: 100} // a reset that is due this very second still is an end
	if until := this.Limited(budgetTold(now, 180, 0, now), now); until.Sub(now) != time.Second {
		t.Errorf("with a reset of now: %v", until.Sub(now))
	}
	answer := budgetTold(now, 180, 0, now.Add(10*time.Minute))
	if until := b.Limited(answer, now); until.Sub(now) != 10*time.Minute {
		t.Errorf("with a reset: %v", until.Sub(now))
	}
	answer.Header.Set("Retry-After", "900")
	if until := b.Limited(answer, now); until.Sub(now) != 15*time.Minute {
		t.Errorf("with Retry-After: %v", until.Sub(now))
	}
	answer.Header.Set("x-rate-limit-reset", "1099511627775")
	if until := b.Limited(answer, now); until.Sub(now) != longestWindow {
		t.Errorf("with a reset out of this world: %v", until.Sub(now))
	}
}

// Our own count holds whatever the headers say, and a slot comes back when its time is over.
func TestBudgetOfOurOwn(t *testing.T) {
	b := &Budget{Published: 3, Per: time.Minute}
	for i := range 3 {
		now := noon.Add(time.Duration(i) * time.Second)
		if !b.canTake(now) {
			t.Fatalf("request %d", i)
		}
		b.Answered(budgetTold(now, 1000, 999, now.Add(time.Hour)), now)
	}
	if until, ok := b.Take(noon.Add(30 * time.Second)); ok || !until.Equal(noon.Add(time.Minute)) {
		t.Errorf("a fourth within the minute; until %v", until)
	}
	if !b.canTake(noon.Add(time.Minute)) || b.canTake(noon.Add(time.Minute)) {
		t.Error("after a minute there is one, and no more")
	}
}
