package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream"
	"aviary/upstream/file"
	"aviary/upstream/twitter"
	"aviary/upstream/twitter/sim"
	"aviary/upstream/x"
)

// source is the configured upstream.Source and what it needs besides.
type source struct {
	upstream.Source
	dialect *fanout.Dialect
	search  upstream.Searcher // nil: it cannot be searched
	beside  beside            // nil: nothing
	spend   *x.Spend          // posts read of a budget; nil: none is counted
	close   func()            // closes what newSource started
}

// beside runs while the stream of a source does.
type beside func(ctx context.Context, h *fanout.Hub, publish func(*fanout.Event) bool)

// simTrack is a word that simulated posts hold often.
var simTrack, _, _ = strings.Cut(sim.DefaultTrack, ",")

// newSource makes the source that the settings name.
func (g *gateway) newSource(s *settings) (*source, error) {
	if s.Role == roleEdge {
		return g.newEdgeSource(s)
	}
	switch s.Source {
	case "file":
		return newFileSource(s)
	case "twitter":
		from, err := newV1Asked(g.twitterConfig(s), s.predicates())
		if err != nil {
			return nil, err
		}
		search, err := twitter.NewSearcher(g.searchConfig(s))
		if err != nil {
			return nil, err
		}
		return &source{Source: from, dialect: twitter.Dialect, search: search, close: func() {}}, nil
	case "x":
		return g.newXSource(s)
	}
	return g.newSimSource(s)
}

// newEdgeSource makes what a node needs of the source that never opens its stream:
// its dialect, and its search if the credentials for that are there.
func (g *gateway) newEdgeSource(s *settings) (*source, error) {
	switch {
	case s.Source == "x" && s.XBearerToken != "":
		return g.newXSource(s)
	case s.Source == "x":
		return &source{dialect: x.Dialect, close: func() {}}, nil
	case s.Source == "twitter" && (s.TwitterBearerToken != "" || s.TwitterConsumerKey != "" && s.TwitterConsumerSecret != ""):
		search, err := twitter.NewSearcher(g.searchConfig(s))
		return &source{dialect: twitter.Dialect, search: search, close: func() {}}, err
	}
	return &source{dialect: twitter.Dialect, close: func() {}}, nil
}

// twitterConfig asks for what the settings say. The credentials are looked up
// at each connect, so that a rotated secret is used from the next one on.
func (g *gateway) twitterConfig(s *settings) twitter.Config {
	return twitter.Config{
		StreamURL: strings.TrimSuffix(s.TwitterStreamURL, "/"),
		Credentials: func() (twitter.Credentials, error) {
			s := g.settings.Load()
			return twitter.Credentials{
				ConsumerKey: string(s.TwitterConsumerKey), ConsumerSecret: string(s.TwitterConsumerSecret),
				AccessToken: string(s.TwitterAccessToken), AccessSecret: string(s.TwitterAccessSecret),
			}, nil
		},
		Track: s.Track, Follow: s.Follow, Locations: s.Locations, Language: s.Language, FilterLevel: s.FilterLevel,
		UserAgent: "aviary/" + version,
		Dial:      g.p.dial,
	}
}

// newSimSource starts the simulator on a loopback port of its own and points
// the Twitter source at it: real HTTP, signatures, gzip and framing.
func (g *gateway) newSimSource(s *settings) (*source, error) {
	listener, err := g.p.listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the simulator cannot listen on loopback: %w", err)
	}
	fake := sim.New(sim.Config{Rate: sim.DefaultRate, Seed: simSeed})
	web := &http.Server{Handler: fake, ReadHeaderTimeout: 10 * time.Second}
	go func() { g.ended("the simulator", web.Serve(listener)) }()
	closeAll := func() {
		_ = fake.Close()
		_ = web.Close()
	}
	config := g.twitterConfig(s)
	config.StreamURL = "http://" + listener.Addr().String()
	config.Credentials = func() (twitter.Credentials, error) { return twitter.Credentials(sim.DefaultCredentials), nil }
	from, err := newV1Asked(config, s.predicates())
	if err != nil {
		closeAll()
		return nil, err
	}
	asking := g.searchConfig(s)
	asking.APIURL = config.StreamURL
	asking.Credentials = func() (twitter.SearchCredentials, error) {
		return twitter.SearchCredentials{Credentials: twitter.Credentials(sim.DefaultCredentials)}, nil
	}
	search, err := twitter.NewSearcher(asking)
	if err != nil {
		closeAll()
		return nil, err
	}
	return &source{Source: from, dialect: twitter.Dialect, search: search, close: closeAll}, nil
}

// simSeed picks the simulated population and its topics.
const simSeed = 1

func newFileSource(s *settings) (*source, error) {
	pace, err := file.ParsePace(s.FileRate)
	if err != nil {
		return nil, err
	}
	capture, err := file.New(file.Config{Path: s.File, Pace: pace, Loop: s.FileLoop, Decode: twitter.Decode})
	if err != nil {
		return nil, err
	}
	wanted, err := filter.Parse(s.filterParams())
	if err != nil {
		return nil, err
	}
	from := upstream.Source(capture)
	if !wanted.Empty() || s.Language != "" || s.FilterLevel != "" {
		from = narrowed{from, wanted}
	}
	return &source{Source: from, dialect: twitter.Dialect, close: func() {}}, nil
}

// narrowed passes on only the posts that match: a capture is narrowed by TRACK
// and its kind as the live stream would have been.
type narrowed struct {
	upstream.Source
	wanted *filter.Filter
}

// Stream implements upstream.Source.
func (n narrowed) Stream(ctx context.Context, to upstream.Sink) error {
	return n.Source.Stream(ctx, narrowedSink{to, n.wanted})
}

type narrowedSink struct {
	upstream.Sink
	wanted *filter.Filter
}

// Emit implements upstream.Sink.
func (n narrowedSink) Emit(e *fanout.Event) {
	if e.Kind != fanout.KindPost || n.wanted.Match(e.Post) {
		n.Sink.Emit(e)
	}
}
