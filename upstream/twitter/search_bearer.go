package twitter

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/dghubble/oauth1"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// token is the bearer token of an account.
type token struct {
	busy chan struct{} // one slot: whoever is in it fetches, the others wait

	mu   sync.Mutex
	text string
}

func (t *token) get() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text
}

func (t *token) set(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = text
}

// forget drops a token that the server does not take any more, unless it has
// been replaced already.
func (t *token) forget(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.text == text {
		t.text = ""
	}
}

// bearer returns the account's token; it fetches one if there is none.
func (s *Searcher) bearer(ctx context.Context, a *account) (string, error) {
	if !a.fetches() {
		return a.secrets.Bearer, nil
	}
	if text := a.token.get(); text != "" {
		return text, nil
	}
	select {
	case a.token.busy <- struct{}{}:
	case <-ctx.Done():
		return "", a.failed(ctx.Err(), "")
	}
	defer func() { <-a.token.busy }()
	if text := a.token.get(); text != "" {
		return text, nil // somebody else has fetched it meanwhile
	}
	text, err := s.fetchToken(ctx, a)
	if err == nil {
		a.token.set(text)
	}
	return text, err
}

// fetchToken asks oauth2/token for the token of the key and the secret.
func (s *Searcher) fetchToken(ctx context.Context, a *account) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Basic "+a.secrets.basic())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	s.dress(req)
	answer, err := s.client().Do(req)
	if err != nil {
		return "", a.failed(err, "")
	}
	defer answer.Body.Close()
	raw, err := httpapi.ReadAll(answer)
	if err != nil {
		return "", a.failed(err, "")
	}
	if answer.StatusCode != http.StatusOK {
		return "", a.noToken(answer, raw)
	}
	var in struct {
		Type string `json:"token_type"`
		Text string `json:"access_token"`
	}
	if json.Unmarshal(raw, &in) != nil || in.Text == "" {
		return "", &upstream.SearchError{Class: upstream.HTTP, Status: answer.StatusCode, Message: "oauth2/token gave no access_token",
			Hint: "is AVIARY_TWITTER_API_URL right, and is there no portal or proxy on the way?"}
	}
	if !strings.EqualFold(in.Type, "bearer") || strings.ContainsFunc(in.Text, unfit) {
		return "", &upstream.SearchError{Class: upstream.Fatal, Status: http.StatusBadGateway, Message: "oauth2/token gave a token that is no bearer token",
			Hint: "is AVIARY_TWITTER_API_URL right?"}
	}
	return in.Text, nil
}

// unfit says that a character cannot be in a header.
func unfit(r rune) bool { return r <= ' ' || r >= 0x7f }

// noToken words the refusal of oauth2/token. Its 403 with code 99 is the one
// for a wrong key or secret.
func (a *account) noToken(answer *http.Response, raw []byte) error {
	err := a.refused(answer, raw, "", time.Now())
	var e *upstream.SearchError
	if errors.As(err, &e) {
		e.Message = "no bearer token: " + e.Message
		if e.Code == 0 && (e.Status == http.StatusForbidden || e.Status == http.StatusUnauthorized) {
			e.Hint = hintOfCode[99]
		}
	}
	return err
}

// percentEncode is RFC 3986's, as OAuth 1.0a and oauth2/token want it.
func percentEncode(s string) string { return oauth1.PercentEncode(s) }
