package x

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config says whom to ask and for what.
type Config struct {
	// APIURL is the server: "https://api.x.com".
	APIURL string
	// Bearer is called for each request, so that a fresh token needs no new Source.
	Bearer func() (string, error)

	// Predicates and RulesFile are what to ask for, together. The file is read at
	// each connect. With neither, the rules that are on the server are streamed.
	Predicates Predicates
	RulesFile  string

	// BackfillMinutes asks the upstream to send the last minutes again after an
	// outage, where the token may: 1 to 5. 0: not asked for.
	BackfillMinutes int
	// Spend counts what is read; nil: without a budget, in memory.
	Spend *Spend

	UserAgent string
	// Dial opens a connection; nil: a net.Dialer with 10 s, which asks DNS each time.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	Log  *slog.Logger // nil: slog.Default()
}

// Source streams the filtered stream. It implements upstream.Source and
// upstream.Troubled. One Stream runs at a time.
type Source struct {
	config Config
	api    *api
	rules  *rulebook
	slots  connections
	log    *slog.Logger

	mu    sync.Mutex
	seen  seen
	asked *[]Rule         // what Ask said; nil: what Config.Predicates say
	extra []Rule          // … besides
	told  map[string]bool // what is said once
}

// seen is what the source knows of what it delivered. Guarded by Source.mu.
type seen struct {
	newest uint64    // id of the newest post
	last   time.Time // of the last byte
	since  uint64    // posts after it may be missing, since an outage; 0: none
	first  uint64    // id of the first post of the stream that is open
	ids    ring      // lately delivered posts
}

// New returns a Source for the config. The error says which part of it is wrong.
func New(c Config) (*Source, error) {
	a, err := newAPI(c)
	if err != nil {
		return nil, err
	}
	if c.BackfillMinutes < 0 || c.BackfillMinutes > 5 {
		return nil, errors.New("the backfill is 0 to 5 minutes")
	}
	s := &Source{config: c, api: a, log: c.Log, told: map[string]bool{}}
	if s.log == nil {
		s.log = slog.Default()
	}
	if _, err := s.wanted(); err != nil {
		return nil, err
	}
	s.rules = &rulebook{api: a, log: s.log, want: s.wanted}
	s.slots = connections{api: a, log: s.log}
	return s, nil
}

func newAPI(c Config) (*api, error) {
	base, err := url.Parse(c.APIURL)
	switch {
	case err != nil || base.Host == "" || base.Scheme != "https" && base.Scheme != "http",
		base.User != nil || base.RawQuery != "" || base.Fragment != "":
		return nil, errors.New("the API URL must be the URL of a server, scheme and host only, such as https://api.x.com")
	case c.Bearer == nil:
		return nil, errors.New("the x source needs a bearer token")
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	}
	if c.Spend == nil {
		c.Spend, _ = NewSpend(0, "")
	}
	return &api{
		url: strings.TrimSuffix(base.String(), "/"), bearer: c.Bearer, userAgent: c.UserAgent, dial: c.Dial, budgets: newBudgets(), spend: c.Spend,
		transport: &http.Transport{
			DialContext:        c.Dial,
			DisableCompression: true, // gzip is asked for and undone here
			// On a kept connection that breaks, http.Transport sends a GET again by
			// itself: one more request than the budget knows of.
			DisableKeepAlives:      true,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
	}, nil
}

// wanted are the rules that the settings ask for, as they are now, and then the extra
// ones, as far as there is room.
func (s *Source) wanted() ([]Rule, error) {
	rules, err := s.predicted()
	if err != nil {
		return nil, err
	}
	if s.config.RulesFile != "" {
		more, err := ReadRules(s.config.RulesFile)
		if err != nil {
			return nil, err
		}
		rules = join(rules, more, len(rules)+len(more))
	}
	s.mu.Lock()
	extra := s.extra
	s.mu.Unlock()
	if len(extra) == 0 {
		return rules, nil
	}
	others, _ := s.Others()
	return join(rules, extra, s.Room()-others), nil
}

// join adds the rules that are not there yet, while there are fewer than most.
func join(rules, more []Rule, most int) []Rule {
	there := make(map[string]bool, len(rules)+len(more))
	for _, r := range rules {
		there[r.Value] = true
	}
	for _, r := range more {
		if !there[r.Value] && len(rules) < most {
			there[r.Value] = true
			rules = append(rules, r)
		}
	}
	return rules
}

// predicted are the rules that the predicates make.
func (s *Source) predicted() ([]Rule, error) {
	s.mu.Lock()
	asked := s.asked
	s.mu.Unlock()
	if asked != nil {
		return slices.Clone(*asked), nil
	}
	return Translate(s.config.Predicates)
}

// Trouble implements upstream.Troubled: rules that the upstream refused.
func (s *Source) Trouble() (text, hint string) { return s.rules.trouble() }

// Failures are the rules that the upstream refused when they were last brought in line.
func (s *Source) Failures() []Failure {
	s.rules.mu.Lock()
	defer s.rules.mu.Unlock()
	return append([]Failure(nil), s.rules.failures...)
}

// once says whether something is said for the first time.
func (s *Source) once(what string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := !s.told[what]
	s.told[what] = true
	return first
}
