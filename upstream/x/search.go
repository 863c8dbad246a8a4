package x

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// Searcher asks recent search, the posts of the last seven days. It implements
// upstream.Searcher; what it reads counts against the same Spend as the stream.
//
// A Question is in the words of v1.1 search. lang becomes an operator, until the end
// of the day before, max_id the exclusive until_id. A page is followed by the
// next_token that came with it, if it is asked for soon; else, or when the token is
// not taken any more, by until_id, which leads to the same posts.
type Searcher struct {
	api  *api
	wait time.Duration
	pace *httpapi.Pace

	mu     sync.Mutex
	tokens map[upstream.Question]follow // by the question for the next page
}

// follow is how a page is followed.
type follow struct {
	token string
	until string // until_id of the request that the token continues
	at    time.Time
}

// Figures of search.
const (
	waitSearch = 2 * time.Second // 900 s / 450 requests
	minResults = 10
	maxResults = 100
	maxTokens  = 1000
	tokenLife  = 10 * time.Minute
	maxEmpty   = 3 // empty pages with a next_token that one search follows
)

// NewSearcher returns a Searcher for the config, of which the predicates and
// RulesFile are not used. wait is the time from one turn to the next; 0: what the
// budget sustains.
func NewSearcher(c Config, wait time.Duration) (*Searcher, error) {
	a, err := newAPI(c)
	if err != nil {
		return nil, err
	}
	return newSearcher(a, wait), nil
}

// Searcher returns a Searcher that shares the source's token, budgets and Spend.
func (s *Source) Searcher(wait time.Duration) *Searcher { return newSearcher(s.api, wait) }

func newSearcher(a *api, wait time.Duration) *Searcher {
	if wait <= 0 {
		wait = waitSearch
	}
	return &Searcher{api: a, wait: wait, pace: httpapi.NewPace(), tokens: map[upstream.Question]follow{}}
}

// Turn implements upstream.Searcher.
func (s *Searcher) Turn(ctx context.Context) error { return s.pace.Wait(ctx, s.wait) }

// Rate implements upstream.Searcher.
func (s *Searcher) Rate() upstream.Rate { return s.api.budgets.search.Rate(time.Now()) }

// BudgetNote implements upstream.Budgeted.
func (s *Searcher) BudgetNote() (whose string, n upstream.BudgetNote) {
	token, err := s.api.bearer()
	if err != nil {
		return "", n
	}
	return httpapi.Digest(Name, token), s.api.budgets.search.Note(time.Now())
}

// HeedBudget implements upstream.Budgeted.
func (s *Searcher) HeedBudget(whose string, n upstream.BudgetNote) {
	if token, err := s.api.bearer(); err == nil && httpapi.Digest(Name, token) == whose {
		s.api.budgets.search.Heed(n, time.Now())
	}
}

// Search implements upstream.Searcher.
func (s *Searcher) Search(ctx context.Context, q upstream.Question) (*upstream.Page, error) {
	if err := s.api.spend.room(s.count(q)); err != nil {
		return nil, searchError(err)
	}
	query, until := s.query(q, time.Now())
	next, known := s.followed(q)
	if known {
		query.Set("next_token", next.token)
		query.Del("until_id")
		if until = next.until; until != "" {
			query.Set("until_id", until)
		}
	}
	page, raw, err := s.ask(ctx, query)
	var refusedToken *upstream.Error
	if known && errors.As(err, &refusedToken) && refusedToken.Class == upstream.Fatal && isBadRequest(raw) {
		query, until = s.query(q, time.Now()) // the token has grown old
		page, _, err = s.ask(ctx, query)
	}
	for n := 0; err == nil && len(page.Data) == 0 && page.Meta.Next != "" && n < maxEmpty; n++ {
		query.Set("next_token", page.Meta.Next)
		page, _, err = s.ask(ctx, query)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, searchError(err)
	}
	return s.page(q, page, until), nil
}

// count is how many results to ask for.
func (s *Searcher) count(q upstream.Question) int {
	if q.Count == 0 {
		return 15 // as v1.1
	}
	return min(max(q.Count, minResults), maxResults)
}

// query is the question as v2 takes it, and the until_id in it.
func (s *Searcher) query(q upstream.Question, now time.Time) (v url.Values, until string) {
	v = fields()
	text := q.Q
	if q.Lang != "" {
		if strings.Contains(text, " OR ") {
			text = "(" + text + ")"
		}
		text += " " + languages(q.Lang)[0]
	}
	v.Set("query", text)
	v.Set("max_results", strconv.Itoa(s.count(q)))
	if q.ResultType == "popular" {
		v.Set("sort_order", "relevancy")
	} else {
		v.Set("sort_order", "recency")
	}
	if day, err := time.Parse(time.DateOnly, q.Until); err == nil && day.Before(now.Add(-searchLag)) {
		v.Set("end_time", day.Format(time.RFC3339))
	}
	if q.SinceID > 0 {
		v.Set("since_id", decimal(q.SinceID))
	}
	if q.MaxID > 0 && q.MaxID+1 > 0 {
		until = decimal(q.MaxID + 1)
		v.Set("until_id", until)
	}
	return v, until
}

// ask makes one request and reads the page.
func (s *Searcher) ask(ctx context.Context, query url.Values) (*answerPage, []byte, error) {
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := s.api.budgets.search.Learn(bounded); err != nil {
		return nil, nil, &upstream.Error{Class: upstream.Network, Err: errors.New("no answer came in time")}
	}
	raw, err := s.api.call(ctx, &s.api.budgets.search, http.MethodGet, searchPath, query, nil)
	if err != nil {
		return nil, raw, err
	}
	page := new(answerPage)
	if json.Unmarshal(raw, page) != nil {
		return nil, nil, &upstream.Error{Class: upstream.HTTP, Err: errors.New("the page cannot be read"), Hint: "is AVIARY_X_API_URL right?"}
	}
	if len(page.Data) == 0 && page.Meta == (answerPage{}).Meta && len(page.Errors) > 0 {
		return nil, raw, &upstream.Error{Class: upstream.HTTP, Err: errors.New(oneLine(says(raw))), Hint: "the upstream is in trouble; try again later"}
	}
	return page, raw, nil
}

// page makes the answer to a question and remembers how it is followed.
func (s *Searcher) page(q upstream.Question, in *answerPage, until string) *upstream.Page {
	to := &upstream.Page{Named: in.Meta.Next != "", More: in.Meta.Next != ""}
	lowest := uint64(0)
	for _, e := range in.split(false) {
		s.api.spend.Read(e.Post.Key.ID)
		id := number(e)
		item := upstream.Item{Event: e, ID: id, Popular: q.ResultType == "popular"}
		if q.Count > 0 && len(to.Items) == q.Count { // v2 gives ten at least
			to.More, to.Named = true, true
			in.Meta.Next = ""
			break
		}
		to.Items = append(to.Items, item)
		if lowest == 0 || id < lowest {
			lowest = id
		}
	}
	if lowest > 0 {
		to.NextMaxID = lowest - 1
	}
	if to.More = to.More && len(to.Items) > 0; in.Meta.Next != "" && lowest > 0 {
		key := q
		key.MaxID = lowest - 1
		s.remember(key, follow{in.Meta.Next, until, time.Now()})
	}
	return to
}

func (s *Searcher) remember(key upstream.Question, f follow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tokens) >= maxTokens {
		for k, old := range s.tokens {
			if f.at.Sub(old.at) > tokenLife {
				delete(s.tokens, k)
			}
		}
		if len(s.tokens) >= maxTokens {
			clear(s.tokens) // until_id leads on as well
		}
	}
	s.tokens[key] = f
}

// followed is how the page before was to be followed, if that is known.
func (s *Searcher) followed(q upstream.Question) (follow, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.tokens[q]
	return f, ok && time.Since(f.at) <= tokenLife
}

// searchError is a failure in the words of a search.
func searchError(err error) error {
	var e *upstream.Error
	if !errors.As(err, &e) {
		return err
	}
	to := &upstream.SearchError{Class: e.Class, Message: e.Error(), Hint: e.Hint, Until: e.NotBefore}
	var answer *answerError
	if errors.As(e.Err, &answer) {
		to.Status, to.Message = answer.status, answer.said
	}
	return to
}
