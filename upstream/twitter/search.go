package twitter

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dghubble/oauth1"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// SearchConfig says whom a Searcher asks.
type SearchConfig struct {
	// APIURL is the server: "https://api.twitter.com".
	APIURL string
	// Credentials is called for each search, so that fresh secrets need no new
	// Searcher. Others than before begin with a budget of their own.
	Credentials func() (SearchCredentials, error)
	// Wait is the time from the start of one turn to the next; 0: what the budget
	// sustains, 5 s with OAuth 1.0a and 2 s with a bearer token.
	Wait time.Duration

	UserAgent string
	// Dial opens a connection; nil: a net.Dialer with 10 s.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// query is the question as the API takes it. The extended mode is always asked
// for: the other one cuts texts.
func query(q *upstream.Question) string {
	v := url.Values{"q": {q.Q}, "tweet_mode": {"extended"}}
	for name, value := range map[string]string{"lang": q.Lang, "result_type": q.ResultType, "until": q.Until} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if q.Count > 0 {
		v.Set("count", strconv.Itoa(q.Count))
	}
	for name, id := range map[string]uint64{"since_id": q.SinceID, "max_id": q.MaxID} {
		if id > 0 {
			v.Set(name, strconv.FormatUint(id, 10))
		}
	}
	return v.Encode()
}

// Figures of a search.
const (
	searchTimeout = 15 * time.Second // of one request, from dialling to its last byte
	waitUser      = 5 * time.Second  // 900 s / 180 requests
	waitApp       = 2 * time.Second  // 900 s / 450
	limitUser     = 180
	limitApp      = 450
)

// Searcher asks search/tweets.json. It keeps the budget and the pace of the
// credentials it uses. Its methods are safe for concurrent use.
type Searcher struct {
	config    SearchConfig
	url       string // of the API, without a slash at its end
	noncer    oauth1.Noncer
	transport *http.Transport

	mu      sync.Mutex
	account *account // of the credentials used last
}

// NewSearcher returns a Searcher. It keeps nothing open between searches.
func NewSearcher(c SearchConfig) (*Searcher, error) {
	base, err := url.Parse(c.APIURL)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http",
		base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("the API URL must be the URL of a server, scheme and host only, such as https://api.twitter.com")
	case c.Credentials == nil:
		return nil, errors.New("search needs credentials")
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	return &Searcher{
		config: c, url: strings.TrimSuffix(base.String(), "/"), noncer: oauth1.HexNoncer{},
		transport: &http.Transport{
			DialContext:        c.Dial,
			DisableCompression: true, // gzip is asked for and undone here
			// On a kept connection that breaks, http.Transport sends a GET again by
			// itself: the same signature with the same nonce, which is refused, and
			// one more request than the budget knows of.
			DisableKeepAlives:      true,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}, nil
}

// Turn waits until it is the caller's turn to begin a request and takes it.
// Turns are given in the order they are asked for, at least the wait apart,
// over all callers of one set of credentials. Whoever walks many pages takes one
// for each.
func (s *Searcher) Turn(ctx context.Context) error {
	a, err := s.use()
	if err != nil {
		return err
	}
	wait := s.config.Wait
	if wait <= 0 {
		wait = waitUser
		if a.app {
			wait = waitApp
		}
	}
	return a.pace.Wait(ctx, wait)
}

// Rate is the budget as it is known now.
func (s *Searcher) Rate() upstream.Rate {
	s.mu.Lock()
	a := s.account
	s.mu.Unlock()
	if a == nil {
		return upstream.Rate{}
	}
	return a.budget.Rate(time.Now())
}

// BudgetNote implements upstream.Budgeted.
func (s *Searcher) BudgetNote() (whose string, n upstream.BudgetNote) {
	s.mu.Lock()
	a := s.account
	s.mu.Unlock()
	if a == nil {
		return "", n
	}
	return a.whose(), a.budget.Note(time.Now())
}

// HeedBudget implements upstream.Budgeted. What is told of other credentials is no
// concern of these.
func (s *Searcher) HeedBudget(whose string, n upstream.BudgetNote) {
	if a, err := s.use(); err == nil && a.whose() == whose {
		a.budget.Heed(n, time.Now())
	}
}

// Search asks for one page, once: whoever wants retries makes them. The error
// is a *upstream.SearchError, or ctx's. While the budget is used up no request goes
// out and the error says until when.
func (s *Searcher) Search(ctx context.Context, q upstream.Question) (*upstream.Page, error) {
	a, err := s.use()
	if err != nil {
		return nil, err
	}
	page, err := s.ask(ctx, a, q)
	var known *upstream.SearchError
	if a.fetches() && errors.As(err, &known) && known.Code == 89 {
		page, err = s.ask(ctx, a, q) // with a fresh token: ask has forgotten this one
	}
	return page, err
}

// ask makes one request.
func (s *Searcher) ask(ctx context.Context, a *account, q upstream.Question) (*upstream.Page, error) {
	bounded, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	var bearer string
	if a.app {
		var err error
		if bearer, err = s.bearer(bounded, a); err != nil {
			return nil, s.ended(ctx, err)
		}
	}
	if err := a.budget.Learn(bounded); err != nil {
		return nil, s.ended(ctx, a.failed(err, bearer))
	}
	if until, ok := a.budget.Take(time.Now()); !ok {
		return nil, spent(until)
	}
	answer, sent, err := s.send(bounded, a, bearer, q)
	if err != nil {
		a.budget.Lost(sent)
		return nil, s.ended(ctx, a.failed(err, bearer))
	}
	defer answer.Body.Close()
	now := time.Now()
	a.budget.Answered(answer, now)
	raw, err := httpapi.ReadAll(answer)
	if err != nil {
		return nil, s.ended(ctx, a.failed(err, bearer))
	}
	page, err := a.judge(answer, raw, q.Count, bearer, now)
	var known *upstream.SearchError
	if errors.As(err, &known) && known.Code == 89 {
		a.token.forget(bearer)
	}
	return page, err
}

// ended is ctx's error if that is why a request failed.
func (s *Searcher) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// send sends the request. sent says that it may have reached the server.
func (s *Searcher) send(ctx context.Context, a *account, bearer string, q upstream.Question) (answer *http.Response, sent bool, err error) {
	var wrote atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { wrote.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/1.1/search/tweets.json?"+query(&q), nil)
	if err != nil {
		return nil, false, err
	}
	client := s.client()
	if a.app {
		req.Header.Set("Authorization", "Bearer "+bearer)
	} else {
		client = signer(a.secrets.Credentials, s.noncer, s.transport)
	}
	s.dress(req)
	answer, err = client.Do(req)
	return answer, wrote.Load(), err
}

// client sends what needs no signature. It follows no redirect, which would
// carry the credentials to another host.
func (s *Searcher) client() *http.Client {
	return &http.Client{Transport: s.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// dress sets the headers of every request.
func (s *Searcher) dress(req *http.Request) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "gzip")
	if s.config.UserAgent != "" {
		req.Header.Set("User-Agent", s.config.UserAgent)
	}
}
