package main

import (
	"context"
	"errors"
	"strings"

	"aviary/server"
	"aviary/upstream"
	"aviary/upstream/twitter"
)

// searchConfig asks the REST API with the secrets of the moment.
func (g *gateway) searchConfig(s *settings) twitter.SearchConfig {
	return twitter.SearchConfig{
		APIURL: strings.TrimSuffix(s.TwitterAPIURL, "/"),
		Credentials: func() (twitter.SearchCredentials, error) {
			s := g.settings.Load()
			return twitter.SearchCredentials{
				Credentials: twitter.Credentials{
					ConsumerKey: string(s.TwitterConsumerKey), ConsumerSecret: string(s.TwitterConsumerSecret),
					AccessToken: string(s.TwitterAccessToken), AccessSecret: string(s.TwitterAccessSecret),
				},
				Bearer: string(s.TwitterBearerToken),
			}, nil
		},
		Wait:      s.SearchWait,
		UserAgent: "aviary/" + version,
		Dial:      g.p.dial,
	}
}

// searchOptions tells the server how the source is searched.
func (g *gateway) searchOptions(s *settings, o *server.Options) {
	if g.source.search == nil {
		return
	}
	o.Search = searcher{g.source.search, g.cluster.spent}
	o.SearchCache = s.SearchCache
	if c := g.cluster; c.bus != nil && c.bus.Answers() != nil {
		o.SearchShared = answers{c.bus.Answers()}
	}
	o.SearchBackoff, o.SearchBackoffMax = s.BackoffHTTP, s.BackoffHTTPMax
}

// searcher is a source's search in the server's words: the two do not
// know each other.
type searcher struct {
	from  upstream.Searcher
	spent func() // a request was made
}

// Search implements server.Searcher.
func (t searcher) Search(ctx context.Context, q server.SearchQuestion) (*server.SearchPage, error) {
	defer t.spent()
	found, err := t.from.Search(ctx, upstream.Question(q))
	if err != nil {
		return nil, searchError(err)
	}
	page := &server.SearchPage{More: found.More, Named: found.Named, NextMaxID: found.NextMaxID, Items: make([]server.SearchItem, len(found.Items))}
	for i, item := range found.Items {
		page.Items[i] = server.SearchItem(item)
	}
	return page, nil
}

// Turn implements server.Searcher.
func (t searcher) Turn(ctx context.Context) error { return searchError(t.from.Turn(ctx)) }

// Rate implements server.Searcher.
func (t searcher) Rate() server.SearchRate { return server.SearchRate(t.from.Rate()) }

// searchError translates an error; others stay as they are.
func searchError(err error) error {
	var e *upstream.SearchError
	if !errors.As(err, &e) {
		return err
	}
	to := &server.SearchError{Status: e.Status, Code: e.Code, Message: e.Message, Hint: e.Hint, Until: e.Until}
	switch e.Class {
	case upstream.RateLimit:
		to.Failure = server.SearchLimited
	case upstream.Fatal:
		to.Failure = server.SearchRefused
	}
	return to
}
