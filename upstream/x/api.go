package x

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// The endpoints.
const (
	streamPath      = "/2/tweets/search/stream"
	rulesPath       = "/2/tweets/search/stream/rules"
	searchPath      = "/2/tweets/search/recent"
	lookupPath      = "/2/tweets"
	connectionsPath = "/2/connections"
)

// callTimeout bounds one request that is no stream, from dialling to its last byte.
const callTimeout = 15 * time.Second

// budgets are the requests that the API documents for 15 minutes, by endpoint. They
// are kept by our own count, whatever the headers say, and belong to the token.
type budgets struct {
	stream, rulesGet, rulesPost, search, lookup, connections, compliance httpapi.Budget
}

const window = 15 * time.Minute

func newBudgets() *budgets {
	of := func(n int) httpapi.Budget { return httpapi.Budget{Published: n, Per: window} }
	return &budgets{stream: of(50), rulesGet: of(450), rulesPost: of(100), search: of(450), lookup: of(3500), connections: of(25), compliance: of(100)}
}

// api speaks to the server for everybody in this package. Safe for concurrent use.
type api struct {
	url       string // without a slash at its end
	bearer    func() (string, error)
	userAgent string
	dial      func(ctx context.Context, network, addr string) (net.Conn, error)
	transport *http.Transport
	budgets   *budgets
	spend     *Spend
}

// token is the bearer token of the moment, and the veil over it.
func (a *api) token() (string, *httpapi.Veil, error) {
	token, err := a.bearer()
	v := new(httpapi.Veil)
	v.Hide(token)
	if plain, e := url.PathUnescape(token); e == nil {
		v.Hide(plain)
	}
	if err == nil && token == "" {
		err = errors.New("the bearer token is empty")
	}
	if err != nil {
		return "", v, &upstream.Error{Class: upstream.Fatal, Err: errors.New("no credentials: " + v.Quote(err.Error(), httpapi.MaxSummary)),
			Hint: "set AVIARY_X_BEARER_TOKEN (or _FILE) to the bearer token of an app, then reconnect"}
	}
	for _, c := range []byte(token) {
		if c <= ' ' || c >= 0x7f {
			return "", v, &upstream.Error{Class: upstream.Fatal, Err: errors.New("the bearer token holds a character that cannot be sent"),
				Hint: "check AVIARY_X_BEARER_TOKEN for stray characters, then reconnect"}
		}
	}
	return token, v, nil
}

// request makes a request; a body is sent as JSON.
func (a *api) request(ctx context.Context, token, method, path string, query url.Values, body any) (*http.Request, error) {
	var content io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(raw)
	}
	address := a.url + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, content)
	if err != nil {
		return nil, &upstream.Error{Class: upstream.Fatal, Err: errors.New("the request cannot be made"), Hint: "check AVIARY_X_API_URL"}
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept-Encoding", "gzip")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if a.userAgent != "" {
		r.Header.Set("User-Agent", a.userAgent)
	}
	return r, nil
}

// take takes a request from a budget.
func take(b *httpapi.Budget) error {
	until, ok := b.Take(time.Now())
	if ok {
		return nil
	}
	return &upstream.Error{Class: upstream.RateLimit, NotBefore: until, Clean: true, Err: errors.New("the requests that the upstream allows in 15 minutes are used up"),
		Hint: "it waits by itself until " + until.UTC().Format(time.RFC3339)}
}

// call makes one request and returns its whole answer. Any status but 2xx is an
// *upstream.Error that tells no secret; the body is returned even then.
func (a *api) call(ctx context.Context, b *httpapi.Budget, method, path string, query url.Values, body any) ([]byte, error) {
	token, veil, err := a.token()
	if err != nil {
		return nil, err
	}
	if err := take(b); err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	r, err := a.request(bounded, token, method, path, query, body)
	if err != nil {
		b.Lost(false)
		return nil, veil.Seal(err)
	}
	answer, err := a.client(a.transport).Do(r)
	if err != nil {
		b.Lost(true)
		return nil, a.failed(ctx, veil, err)
	}
	defer answer.Body.Close()
	now := time.Now()
	b.Answered(answer, now)
	raw, err := httpapi.ReadAll(answer)
	if err != nil {
		return nil, a.failed(ctx, veil, err)
	}
	if answer.StatusCode == http.StatusOK || answer.StatusCode == http.StatusCreated {
		if err := Valid(raw); err != nil {
			return nil, veil.Seal(&upstream.Error{Class: upstream.HTTP, Err: errors.New("the answer is no JSON: " + veil.Quote(says(raw), httpapi.MaxSummary)),
				Hint: "is AVIARY_X_API_URL right, and is there no portal or proxy on the way?"})
		}
		return raw, nil
	}
	e := refused(veil, answer, raw, now)
	if answer.StatusCode == http.StatusTooManyRequests {
		if until := b.Limited(answer, now); e.NotBefore.IsZero() {
			e.NotBefore = until
		}
	}
	return raw, veil.Seal(e)
}

// client follows no redirect, which would carry the token to another host.
func (a *api) client(t http.RoundTripper) *http.Client {
	return &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// failed is a request without an answer, or with half of one.
func (a *api) failed(ctx context.Context, v *httpapi.Veil, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return v.Seal(&upstream.Error{Class: upstream.Network, Err: errors.New("no whole answer came: " + v.Quote(err.Error(), httpapi.MaxSummary)),
		Hint: "the network, DNS or the upstream is down, or AVIARY_X_API_URL is wrong; it is tried again by itself"})
}
