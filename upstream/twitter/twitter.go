package twitter

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/dghubble/oauth1"
)

// Credentials are the four secrets of OAuth 1.0a: of the app and of the user
// in whose name it reads.
type Credentials struct {
	ConsumerKey, ConsumerSecret string
	AccessToken, AccessSecret   string
}

// missing names the first part that is empty.
func (c Credentials) missing() string {
	switch "" {
	case c.ConsumerKey:
		return "consumer key"
	case c.ConsumerSecret:
		return "consumer secret"
	case c.AccessToken:
		return "access token"
	case c.AccessSecret:
		return "access secret"
	}
	return ""
}

// Config says what to connect to and what to ask for.
type Config struct {
	// StreamURL is the server: "https://stream.twitter.com".
	StreamURL string
	// Credentials is called at each connect, so that fresh secrets need no new Source.
	Credentials func() (Credentials, error)

	// The predicates as the API takes them: comma lists. Without the first
	// three the public sample is asked for.
	Track, Follow, Locations, Language, FilterLevel string

	UserAgent string
	// Dial opens a connection; nil: a net.Dialer with 10 s, which asks DNS each time.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// Source streams one v1.1 endpoint. It has no state between streams.
type Source struct {
	config Config
	url    string // of the endpoint
	form   url.Values
	noncer oauth1.Noncer
}

// New returns a Source for the config. The error says which part of it is wrong.
func New(c Config) (*Source, error) {
	base, err := url.Parse(c.StreamURL)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http":
		return nil, errors.New("the stream URL must be the http or https URL of a server, such as https://stream.twitter.com")
	case base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("the stream URL must be the URL of a server, without user, query or fragment")
	case c.Credentials == nil:
		return nil, errors.New("the twitter source needs credentials")
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	s := &Source{config: c, form: c.form(), noncer: oauth1.HexNoncer{}}
	path := "/1.1/statuses/filter.json"
	if s.sample() {
		path = "/1.1/statuses/sample.json"
	}
	s.url = strings.TrimSuffix(base.String(), "/") + path
	return s, nil
}

// sample says whether there is nothing to filter by.
func (s *Source) sample() bool {
	return !s.form.Has("track") && !s.form.Has("follow") && !s.form.Has("locations")
}

// form holds the parameters of the request.
func (c *Config) form() url.Values {
	v := url.Values{"stall_warnings": {"true"}}
	for name, value := range map[string]string{
		"track": c.Track, "follow": c.Follow, "locations": c.Locations,
		"language": c.Language, "filter_level": c.FilterLevel,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// request makes the request, not yet signed. The exact content type matters:
// oauth1 signs the form only under it.
func (s *Source) request(ctx context.Context) (*http.Request, error) {
	method, address, body := http.MethodPost, s.url, s.form.Encode()
	if s.sample() {
		method, address, body = http.MethodGet, s.url+"?"+body, ""
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		req.Body, req.ContentLength = nil, 0
	}
	req.Header.Set("Accept-Encoding", "gzip")
	if s.config.UserAgent != "" {
		req.Header.Set("User-Agent", s.config.UserAgent)
	}
	return req, nil
}

// signer returns a client that signs, over the given transport. It is made for
// one request: oauth1 has no way to change the credentials of a client. It
// follows no redirect, which would be signed for the new host, and has no
// timeout, which would end the stream.
func signer(c Credentials, noncer oauth1.Noncer, base http.RoundTripper) *http.Client {
	config := oauth1.NewConfig(c.ConsumerKey, c.ConsumerSecret)
	config.Noncer = noncer // set here: oauth1 would write it itself, unguarded
	client := config.Client(context.Background(), oauth1.NewToken(c.AccessToken, c.AccessSecret))
	client.Transport.(*oauth1.Transport).Base = base
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return client
}
