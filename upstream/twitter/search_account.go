package twitter

import (
	"fmt"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// SearchCredentials are what searches can be asked with. A bearer token goes
// before everything: it has the larger budget (450 requests in 15 minutes, one in
// 2 s). Without one, all four of OAuth 1.0a sign for their user (180, one in 5 s).
// With the consumer key and secret alone a bearer token is fetched.
type SearchCredentials struct {
	Credentials
	Bearer string // used as it is: the escapes in it are part of it
}

// account is one set of credentials and what its use has cost.
type account struct {
	secrets SearchCredentials
	app     bool // by bearer token, given or fetched
	budget  httpapi.Budget
	pace    *httpapi.Pace
	token   token
}

// use returns the account of the credentials of this moment.
func (s *Searcher) use() (*account, error) {
	secrets, err := s.config.Credentials()
	if err == nil {
		err = secrets.enough()
	}
	if err != nil {
		return nil, &upstream.SearchError{Class: upstream.Fatal, Message: "no credentials: " + err.Error(),
			Hint: "set AVIARY_TWITTER_BEARER_TOKEN, or the four AVIARY_TWITTER_… secrets of OAuth 1.0a"}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.account == nil || s.account.secrets != secrets {
		s.account = newAccount(secrets)
	}
	return s.account, nil
}

func newAccount(secrets SearchCredentials) *account {
	a := &account{secrets: secrets, app: secrets.Bearer != "" || secrets.AccessToken == "" && secrets.AccessSecret == ""}
	a.budget.Published = limitUser
	if a.app {
		a.budget.Published = limitApp
	}
	a.pace = httpapi.NewPace()
	a.token.busy = make(chan struct{}, 1)
	a.token.text = secrets.Bearer
	return a
}

// whose names whom the budget belongs to, without telling a secret: the app, or
// its user.
func (a *account) whose() string {
	if a.app {
		return httpapi.Digest("twitter", a.secrets.Bearer, a.secrets.ConsumerKey)
	}
	return httpapi.Digest("twitter", a.secrets.ConsumerKey, a.secrets.AccessToken)
}

// enough says which part is missing of what would do.
func (c SearchCredentials) enough() error {
	if c.Bearer != "" {
		return nil
	}
	part := c.missing()
	if part == "" || c.ConsumerKey != "" && c.ConsumerSecret != "" && c.AccessToken == "" && c.AccessSecret == "" {
		return nil
	}
	return fmt.Errorf("the %s is empty", part)
}

// fetches says that the bearer token is ours to fetch.
func (a *account) fetches() bool { return a.app && a.secrets.Bearer == "" }
