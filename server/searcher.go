package server

import (
	"context"
	"fmt"
	"time"

	"aviary/fanout"
)

// Searcher asks an upstream for posts of the past. It keeps the budget and the
// pace of its credentials. Its methods are called from many goroutines.
type Searcher interface {
	// Search asks for one page, once. The error is a *SearchError, or ctx's.
	Search(ctx context.Context, q SearchQuestion) (*SearchPage, error)
	// Turn waits until the next request of a pager may begin. Turns are in order
	// and as far apart as the setting SEARCH_WAIT says, over all pagers. The error
	// is as of Search.
	Turn(ctx context.Context) error
	// Rate is the budget right now.
	Rate() SearchRate
}

// SearchQuestion is one request for a page. Zero fields are not asked for.
type SearchQuestion struct {
	Q, Lang, ResultType, Until string
	Count                      int
	SinceID, MaxID             uint64 // exclusive, inclusive
}

// SearchPage is an answer. Many clients share it: nobody changes it.
type SearchPage struct {
	Items []SearchItem // as the upstream ordered them
	// More: there are older posts, or the upstream does not say that there are none.
	More bool
	// Named: the upstream named the next page.
	Named bool
	// NextMaxID is where the upstream itself would go on; 0: it does not say.
	NextMaxID uint64
}

// SearchItem is one entry of a page.
type SearchItem struct {
	Event   *fanout.Event // never published; its JSON is one line, and of a Post the key is there
	ID      uint64        // 0: not a post, or not one that can be paged by
	Popular bool          // it stands where it does for its popularity, not for its time
}

// SearchRate is the budget of the credentials.
type SearchRate struct {
	Known     bool
	Limit     int // requests in a window
	Remaining int
	Reset     time.Time // when the window ends
}

// SearchFailure says what to do about a search that failed.
type SearchFailure uint8

// The failures.
const (
	SearchUnavailable SearchFailure = iota // it passes: ask again later
	SearchLimited                          // not before Until
	SearchRefused                          // it stays until somebody acts
)

// SearchError is why a search brought no page.
type SearchError struct {
	Failure SearchFailure
	Status  int       // of the upstream's answer; 0: there was none
	Code    int       // the upstream's own; 0: none
	Message string    // the upstream's words, one line without secrets
	Hint    string    // what can be done
	Until   time.Time // of SearchLimited
}

// Error returns the failure in words, without the hint.
func (e *SearchError) Error() string {
	s := e.Message
	if e.Code != 0 {
		s = fmt.Sprintf("%s (code %d)", s, e.Code)
	}
	if e.Status != 0 {
		s = fmt.Sprintf("HTTP %d: %s", e.Status, s)
	}
	return s
}
