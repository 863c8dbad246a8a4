package compat

import (
	"cmp"
	"net/http"
	"strconv"
	"time"

	"aviary/fanout"
)

// Question is one request for a page of posts of the past, in the words of v1.1
// search. Zero fields are not asked for.
type Question struct {
	Q, Lang, ResultType, Until string
	Count                      int
	SinceID, MaxID             uint64 // exclusive, inclusive
}

// Page is an answer. Many share it: nobody changes it.
type Page struct {
	Posts []*fanout.Event // as the source ordered them; never published
	Next  uint64          // max_id of the page behind this one; 0: there is none
}

// Rate is the budget of searches.
type Rate struct {
	Known     bool
	Limit     int // requests in a window
	Remaining int
	Reset     time.Time // when the window ends
}

// Error is why a search brought no page.
type Error struct {
	Limited bool      // the budget is used up until Until
	Refused bool      // the source will refuse it again
	Status  int       // of the source's answer; 0: there was none
	Code    int       // the source's own; 0: none
	Message string    // one line without secrets
	Until   time.Time // of Limited
}

func (e *Error) Error() string { return e.Message }

// status is that of our answer.
func (e *Error) status() int {
	switch {
	case e.Limited:
		return http.StatusTooManyRequests
	case e.Refused && e.Status >= 400 && e.Status < 500:
		return e.Status
	}
	return http.StatusServiceUnavailable
}

// tellRate sets the headers that clients pace themselves by.
func (s *Routes) tellRate(h http.Header, failed *Error) {
	r := s.opts.Rate()
	if failed != nil && failed.Limited {
		r = Rate{Known: true, Limit: r.Limit, Reset: failed.Until}
		h.Set("Retry-After", seconds(max(time.Until(failed.Until), time.Second)))
	}
	if !r.Known {
		return
	}
	h.Set("X-Rate-Limit-Limit", strconv.Itoa(r.Limit))
	h.Set("X-Rate-Limit-Remaining", strconv.Itoa(r.Remaining))
	h.Set("X-Rate-Limit-Reset", strconv.FormatInt(r.Reset.Unix(), 10))
}

// span is the newest and the oldest id of a page, as texts.
func (p *Page) span() (newest, oldest string) {
	longer := func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }
	for _, e := range p.Posts {
		id := e.Post.Key.ID
		if newest == "" || longer(id, newest) > 0 {
			newest = id
		}
		if oldest == "" || longer(id, oldest) < 0 {
			oldest = id
		}
	}
	return newest, oldest
}
