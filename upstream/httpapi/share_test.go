package httpapi

import (
	"net/http"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// Two processes that tell each other what they know never spend more than one
// budget, whatever their turns.
func TestBudgetIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 10
		one, other := &Budget{Published: limit}, &Budget{Published: limit}
		end := time.Now().Add(15 * time.Minute)
		left := limit
		answer := func() *http.Response {
			left--
			h := http.Header{}
			h.Set("X-Rate-Limit-Limit", strconv.Itoa(limit))
			h.Set("X-Rate-Limit-Remaining", strconv.Itoa(max(0, left)))
			h.Set("X-Rate-Limit-Reset", strconv.FormatInt(end.Unix(), 10))
			h.Set("Date", time.Now().UTC().Format(http.TimeFormat))
			return &http.Response{StatusCode: http.StatusOK, Header: h}
		}
		spent := 0
		for turn := range 3 * limit {
			b, mate := one, other
			if turn%3 == 0 {
				b, mate = other, one
			}
			if _, ok := b.Take(time.Now()); !ok {
				continue
			}
			spent++
			mate.Heed(b.Note(time.Now()), time.Now()) // before the answer: under way counts
			b.Answered(answer(), time.Now())
			mate.Heed(b.Note(time.Now()), time.Now())
			time.Sleep(time.Second)
		}
		if spent != limit {
			t.Errorf("%d requests of a budget of %d", spent, limit)
		}
		if until, ok := one.Take(time.Now()); ok || until.Sub(end).Abs() > time.Second {
			t.Errorf("then: %v until %v, and the window ends at %v", ok, until, end)
		}

		// A 429 of one holds the other back; what is over or nonsense does not.
		time.Sleep(time.Until(end) + time.Second)
		left = limit
		one.Answered(&http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}}, time.Now())
		until := one.Limited(&http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{}}, time.Now())
		other.Heed(one.Note(time.Now()), time.Now())
		if told, ok := other.Take(time.Now()); ok || !told.Equal(until) {
			t.Errorf("after a 429 of the other: %v until %v, not %v", ok, told, until)
		}
		fresh := &Budget{Published: limit}
		note := one.Note(time.Now())
		note.Known, note.Left, note.Limit, note.Reset, note.Blocked = true, 0, limit, time.Now().Add(1000*time.Hour), time.Now().Add(1000*time.Hour)
		fresh.Heed(note, time.Now())
		if _, ok := fresh.Take(time.Now()); !ok {
			t.Error("a note from another age is believed")
		}
	})
}
