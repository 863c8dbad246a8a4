package upstream

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aviary/fanout"
)

// Searcher asks a source's API for posts of the past. It keeps the budget and
// the pace of its credentials. Its methods are safe for concurrent use.
type Searcher interface {
	// Search asks for one page, once: whoever wants retries makes them. The error
	// is a *SearchError, or ctx's.
	Search(ctx context.Context, q Question) (*Page, error)
	// Turn waits until it is the caller's turn to begin a request and takes it.
	// Turns are given in the order they are asked for. Whoever walks many pages
	// takes one for each. The error is as of Search.
	Turn(ctx context.Context) error
	// Rate is the budget as it is known now.
	Rate() Rate
}

// Budgeted is a Searcher whose budget other processes with the same credentials
// spend from, too: they tell each other what they know. Safe for concurrent use.
type Budgeted interface {
	// BudgetNote is what the others should know; whose stands for the credentials and
	// tells nothing of them. "": nothing is known yet.
	BudgetNote() (whose string, n BudgetNote)
	// HeedBudget takes what another process told of its budget.
	HeedBudget(whose string, n BudgetNote)
}

// BudgetNote is what is known of a rate limit window.
type BudgetNote struct {
	Known   bool      `json:"known"` // the server has told Limit, Left, Window and Reset
	Limit   int       `json:"limit"`
	Left    int       `json:"left"`    // without the requests under way
	Window  int64     `json:"window"`  // its end by the server's clock, Unix seconds
	Reset   time.Time `json:"reset"`   // its end by ours
	Blocked time.Time `json:"blocked"` // no request before: after a 429; zero: any time
}

// Tops says that n holds something that who knows old should hear: a later window, a
// lower remainder of the same one, or a longer wait. Of two notes at most one tops the
// other in each of these, so that processes that repeat what is news to others end.
func (n BudgetNote) Tops(old BudgetNote) bool {
	if n.Blocked.After(old.Blocked) {
		return true
	}
	return n.Known && (!old.Known || n.Window > old.Window || n.Window == old.Window && n.Left < old.Left)
}

// Question is one request for a page, in the words of v1.1 search. Zero fields are
// not asked for.
type Question struct {
	Q, Lang, ResultType, Until string
	Count                      int
	SinceID, MaxID             uint64 // exclusive, inclusive
}

// Page is one page of search results.
type Page struct {
	Items []Item // as the server ordered them
	// More says that the server has older posts, or does not say that it has none.
	More bool
	// Named: the server named the next page.
	Named bool
	// NextMaxID is where the server itself would go on; 0: it does not say.
	NextMaxID uint64
}

// Item is one entry of a page.
type Item struct {
	Event   *fanout.Event // its JSON on one line; Kind and Post are set if it is a post
	ID      uint64        // 0: it is no post, or its id is no number
	Popular bool          // put here for its popularity, not for its time
}

// Rate is a budget: what the x-rate-limit headers say.
type Rate struct {
	Known     bool // some answer has told
	Limit     int  // requests in a window
	Remaining int  // of them, right now
	Reset     time.Time
}

// SearchError is why a search brought no page.
type SearchError struct {
	// Class is what to do: Network and HTTP pass, ask again later; RateLimit, not
	// before Until; Fatal stays until somebody acts.
	Class   Class
	Status  int       // of the answer; 0: there was none
	Code    int       // the API's own; 0: it named none
	Message string    // what the server said, on one clean line without secrets
	Hint    string    // what can be done
	Until   time.Time // of a RateLimit
}

// Error returns the failure in words, without the hint.
func (e *SearchError) Error() string {
	s := e.Message
	if e.Code != 0 {
		s = fmt.Sprintf("%s (code %d)", s, e.Code)
	}
	if e.Status != 0 {
		s = strings.TrimSuffix(fmt.Sprintf("HTTP %d%s: %s", e.Status, StatusName(e.Status), s), ": ")
	}
	return s
}

// StatusName is the usual name of an HTTP status, in brackets and with a space in
// front; "" if it has none.
func StatusName(code int) string {
	name := http.StatusText(code)
	if code == 420 {
		name = "Enhance Your Calm"
	}
	if name == "" {
		return ""
	}
	return " (" + name + ")"
}
