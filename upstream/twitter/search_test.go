package twitter_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/twitter"
	"aviary/upstream/twitter/sim"
)

// pipes is a listener whose connections are in memory.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, errors.New("refused")
	}
}

// against returns a Searcher for a handler; secrets may be changed between searches.
func against(t *testing.T, handler http.Handler, secrets *twitter.SearchCredentials) *twitter.Searcher {
	t.Helper()
	p := &pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	web := &http.Server{Handler: handler}
	go func() { _ = web.Serve(p) }()
	t.Cleanup(func() {
		_ = web.Close()
		time.Sleep(time.Second)
	})
	s, err := twitter.NewSearcher(twitter.SearchConfig{
		APIURL: "http://api.example/", UserAgent: "aviary/test", Dial: p.dial,
		Credentials: func() (twitter.SearchCredentials, error) { return *secrets, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func simulated(t *testing.T, cfg sim.Config, posts int) *sim.Server {
	t.Helper()
	fake := sim.New(cfg)
	t.Cleanup(func() { _ = fake.Close() })
	for i := range posts {
		fake.Post(sim.Draft{Text: fmt.Sprintf("touché a+b %d ", i) + strings.Repeat("long words ", 20)})
	}
	return fake
}

var four = twitter.Credentials(sim.DefaultCredentials)

func failure(t *testing.T, err error) *upstream.SearchError {
	t.Helper()
	var e *upstream.SearchError
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *SearchError", err)
	}
	return e
}

// A signed search whose parameters need escaping in every way.
func TestSearchSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := simulated(t, sim.Config{}, 5)
		s := against(t, fake, &twitter.SearchCredentials{Credentials: four})
		page, err := s.Search(t.Context(), upstream.Question{Q: `touché "a+b" OR #x -rust`, Lang: "en", ResultType: "recent", Until: "2030-01-01", Count: 3, SinceID: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Items) != 3 || !page.More || page.NextMaxID != page.Items[2].ID-1 {
			t.Fatalf("%+v", page)
		}
		for i, item := range page.Items {
			e := item.Event
			if e.Kind != fanout.KindPost || item.Popular || e.Sent.IsZero() || !strings.Contains(string(e.JSON), fmt.Sprintf(`a+b %d long words long words`, 4-i)) ||
				strings.Contains(string(e.JSON), "extended_tweet") || strings.ContainsAny(string(e.JSON), "\r\n") {
				t.Errorf("post %d: %s", i, e.JSON)
			}
			if compact, err := twitter.Dialect.Compact(nil, e.JSON); err != nil || !strings.Contains(string(compact), strings.Repeat("long words ", 19)) {
				t.Errorf("compact of %d: %s, %v", i, compact, err)
			}
		}
		if r := s.Rate(); !r.Known || r.Limit != 180 || r.Remaining != 179 || time.Until(r.Reset) < 14*time.Minute {
			t.Errorf("%+v", r)
		}
		last, err := s.Search(t.Context(), upstream.Question{Q: "touché", Count: 3, MaxID: page.NextMaxID})
		if err != nil || len(last.Items) != 2 || last.More {
			t.Errorf("%+v, %v", last, err)
		}
	})
}

// Key and secret alone: the token is fetched once for all, used as it is, and
// fetched again when it was revoked.
func TestSearchFetchesToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := simulated(t, sim.Config{}, 1)
		secrets := &twitter.SearchCredentials{Credentials: twitter.Credentials{ConsumerKey: four.ConsumerKey, ConsumerSecret: four.ConsumerSecret}}
		s := against(t, fake, secrets)
		search := func() error {
			_, err := s.Search(t.Context(), upstream.Question{Q: "touché"})
			return err
		}
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				if err := search(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := fake.Stats().Tokens; n != 1 {
			t.Errorf("%d tokens for twenty searches", n)
		}
		if r := s.Rate(); r.Limit != 450 || r.Remaining != 430 {
			t.Errorf("the budget is that of the user: %+v", r)
		}
		fake.RevokeBearer()
		if err := search(); err != nil || fake.Stats().Tokens != 2 {
			t.Errorf("after the token was revoked: %v, %d tokens", err, fake.Stats().Tokens)
		}
		secrets.ConsumerSecret = "wrong secret"
		e := failure(t, search())
		if e.Class != upstream.Fatal || e.Code != 99 || e.Status != 403 || !strings.Contains(e.Hint, "AVIARY_TWITTER_CONSUMER_SECRET") || strings.Contains(e.Error(), "wrong") {
			t.Errorf("a wrong secret: %v (%+v)", e, e)
		}
	})
}

// A given token goes before the four; a wrong one is not fetched anew.
func TestSearchGivenToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := simulated(t, sim.Config{}, 1)
		secrets := &twitter.SearchCredentials{Credentials: four, Bearer: fake.BearerToken()}
		s := against(t, fake, secrets)
		if _, err := s.Search(t.Context(), upstream.Question{Q: "touché"}); err != nil || s.Rate().Limit != 450 {
			t.Errorf("%v, %+v", err, s.Rate())
		}
		fake.RevokeBearer()
		_, err := s.Search(t.Context(), upstream.Question{Q: "touché"})
		if e := failure(t, err); e.Code != 89 || !strings.Contains(e.Hint, "AVIARY_TWITTER_BEARER_TOKEN") || fake.Stats().Tokens != 0 {
			t.Errorf("%v; %s", e, e.Hint)
		}
		secrets.Bearer = "" // other credentials have a budget of their own
		if _, err := s.Search(t.Context(), upstream.Question{Q: "touché"}); err != nil || s.Rate().Remaining != 179 {
			t.Errorf("%v, %+v", err, s.Rate())
		}
		for _, c := range []twitter.SearchCredentials{{}, {Credentials: twitter.Credentials{ConsumerKey: "k"}},
			{Credentials: twitter.Credentials{ConsumerKey: "k", ConsumerSecret: "s", AccessToken: "t"}}} {
			*secrets = c
			_, err := s.Search(t.Context(), upstream.Question{Q: "touché"})
			if e := failure(t, err); e.Class != upstream.Fatal || !strings.Contains(e.Message, "is empty") {
				t.Errorf("%+v: %v", c, e)
			}
			if err := s.Turn(t.Context()); err == nil {
				t.Errorf("%+v: a turn", c)
			}
		}
	})
}

// What oauth2/token may answer instead of a token.
func TestSearchTokenAnswers(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		class  upstream.Class
		says   string
	}{
		"wrong type": {200, `{"token_type":"mac","access_token":"A"}`, upstream.Fatal, "no bearer token"},
		"unfit":      {200, `{"token_type":"bearer","access_token":"a\r\nX: y"}`, upstream.Fatal, "no bearer token"},
		"no token":   {200, `{"token_type":"bearer"}`, upstream.HTTP, "no access_token"},
		"html":       {200, `<h1>Hello</h1>`, upstream.HTTP, "no access_token"},
		"bare 403":   {403, ``, upstream.Fatal, "no bearer token"},
		"131":        {500, `{"errors":[{"code":131,"message":"Internal error"}]}`, upstream.HTTP, "Internal error"},
		"429":        {429, `{"errors":[{"code":88,"message":"Rate limit exceeded"}]}`, upstream.RateLimit, "Rate limit"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path != "/oauth2/token" {
						t.Errorf("went on to %s", r.URL)
					}
					if key, secret, ok := r.BasicAuth(); !ok || key != "k" || secret != "s%20t" {
						t.Errorf("Basic %s %s", key, secret)
					}
					w.WriteHeader(test.status)
					fmt.Fprint(w, test.body)
				}), &twitter.SearchCredentials{Credentials: twitter.Credentials{ConsumerKey: "k", ConsumerSecret: "s t"}})
				_, err := s.Search(t.Context(), upstream.Question{Q: "x"})
				if e := failure(t, err); e.Class != test.class || !strings.Contains(e.Message, test.says) || e.Hint == "" {
					t.Errorf("%v (%v): %s", e, e.Class, e.Hint)
				}
			})
		})
	}
}

// Turns are in order and apart; whoever leaves the queue takes none.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := against(t, http.NotFoundHandler(), &twitter.SearchCredentials{Bearer: "AAAA"})
		began := time.Now()
		took := make([]time.Duration, 6)
		var all sync.WaitGroup
		for i := range took {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), map[bool]time.Duration{true: time.Second, false: time.Hour}[i == 2])
				defer cancel()
				if err := s.Turn(ctx); err != nil {
					took[i] = -1
					return
				}
				took[i] = time.Since(began)
			})
			synctest.Wait()
		}
		all.Wait()
		if got := fmt.Sprint(took); got != "[0s 2s -1ns 4s 6s 8s]" {
			t.Error(got)
		}
	})
}

func TestNewSearcherRefuses(t *testing.T) {
	secrets := func() (twitter.SearchCredentials, error) { return twitter.SearchCredentials{}, nil }
	for _, u := range []string{"", "api.example", "ftp://a.example", "http://", "http://u:p@a.example", "http://a.example/?x=1"} {
		if _, err := twitter.NewSearcher(twitter.SearchConfig{APIURL: u, Credentials: secrets}); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: %v", u, err)
		}
	}
	if _, err := twitter.NewSearcher(twitter.SearchConfig{APIURL: "http://a.example"}); err == nil {
		t.Error("no credentials, no error")
	}
}

// What a page of 100 posts costs from the wire to events: request, signature,
// gzip, two walks over the JSON, one copy.
func BenchmarkSearch(b *testing.B) {
	fake := sim.New(sim.Config{SearchLimit: 1 << 30, Seed: 1})
	defer fake.Close()
	for range 100 {
		fake.Post(sim.Draft{Text: "alpha " + strings.Repeat("long words ", 20)})
	}
	web := httptest.NewServer(fake)
	defer web.Close()
	s, err := twitter.NewSearcher(twitter.SearchConfig{APIURL: web.URL,
		Credentials: func() (twitter.SearchCredentials, error) { return twitter.SearchCredentials{Credentials: four}, nil }})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if page, err := s.Search(b.Context(), upstream.Question{Q: "alpha", Count: 100}); err != nil || len(page.Items) != 100 {
			b.Fatal(err)
		}
	}
}
