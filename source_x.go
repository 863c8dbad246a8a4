package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/x"
)

// xConfig asks for what the settings say. The token is looked up at each request,
// so that a rotated one is used from the next on.
func (g *gateway) xConfig(s *settings) x.Config {
	return x.Config{
		APIURL:          strings.TrimSuffix(s.XAPIURL, "/"),
		Bearer:          func() (string, error) { return string(g.settings.Load().XBearerToken), nil },
		Predicates:      s.xPredicates(),
		RulesFile:       s.XRulesFile,
		BackfillMinutes: s.XBackfillMinutes,
		UserAgent:       "aviary/" + version,
		Dial:            g.p.dial,
		Log:             g.log,
	}
}

func (s *settings) xPredicates() x.Predicates {
	return x.Predicates{Track: s.Track, Follow: s.Follow, Locations: s.Locations, Language: s.Language, FilterLevel: s.FilterLevel}
}

// newXSource makes the source for API v2, its search, and what takes deleted posts
// out of the history. All of them share one budget of posts.
func (g *gateway) newXSource(s *settings) (*source, error) {
	config := g.xConfig(s)
	var err error
	if config.Spend, err = x.NewSpend(s.XPostBudget, s.spendFile()); err != nil {
		return nil, err
	}
	from, err := x.New(config)
	if err != nil {
		return nil, err
	}
	ladders := s.ladders()
	duties := func(ctx context.Context, h *fanout.Hub, publish func(*fanout.Event) bool) {
		d := x.Duties{Source: from, Held: h, Publish: publish, Ladders: ladders, StallTimeout: s.StallTimeout}
		d.Run(ctx)
	}
	return &source{Source: &xAsked{Source: from}, dialect: x.Dialect, search: from.Searcher(s.SearchWait), beside: duties, spend: config.Spend, close: func() { g.saveSpend(config.Spend) }}, nil
}

// spendFile is where the count of posts read outlives the process; "": nowhere.
func (s *settings) spendFile() string {
	if s.DataDir == "" {
		return ""
	}
	return filepath.Join(s.DataDir, "posts-read.json")
}

func (g *gateway) saveSpend(s *x.Spend) {
	if err := s.Save(); err != nil {
		g.log.Error("the next start may count too few", "error", err)
	}
}

// ladders are the back-off figures.
func (s *settings) ladders() upstream.Ladders {
	return upstream.Ladders{
		Network: s.BackoffNetwork, NetworkMax: s.BackoffNetworkMax,
		HTTP: s.BackoffHTTP, HTTPMax: s.BackoffHTTPMax,
		RateLimit: s.BackoffRateLimit, RateLimitMax: s.BackoffRateLimitMax,
	}
}

// checkX judges what the source x needs.
func (s *settings) checkX(found *problems) {
	if s.XBearerToken == "" && !found.about("X_BEARER_TOKEN") && !found.about("X_BEARER_TOKEN_FILE") {
		found.add("X_BEARER_TOKEN", "is missing, and %sSOURCE=x sends it with every request; set it, or %sX_BEARER_TOKEN_FILE to a file that holds it", prefix, prefix)
	}
	if s.StallTimeout < x.LeastStall && !found.about("STALL_TIMEOUT") {
		found.add("STALL_TIMEOUT", "is %v; X sends a keep-alive every %v, so it must be at least %v", s.StallTimeout, x.KeepAlive, x.LeastStall)
	}
	if s.XRulesFile != "" {
		if _, err := x.ReadRules(s.XRulesFile); err != nil {
			found.add("X_RULES_FILE", "%v", err)
		}
	}
	s.checkXPredicates(found)
}

// checkXPredicates says what of the predicates X cannot be asked for. What is wrong
// in any case was told already.
func (s *settings) checkXPredicates(found *problems) {
	for _, name := range []string{"TRACK", "FOLLOW", "LOCATIONS", "LANGUAGE", "FILTER_LEVEL"} {
		if found.about(name) {
			return
		}
	}
	if _, err := x.Translate(s.xPredicates()); err != nil {
		name, said := "TRACK", err.Error()
		for _, other := range []string{"LOCATIONS", "LANGUAGE", "FILTER_LEVEL"} {
			if strings.HasPrefix(said, other) {
				name, said = other, strings.TrimLeft(strings.TrimPrefix(said, other), ": ")
			}
		}
		found.add(name, "%s", fmt.Sprint(said))
	}
}
