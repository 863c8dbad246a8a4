package main

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"

	"aviary/fanout/filter"
	"aviary/upstream"
	"aviary/upstream/demand"
	"aviary/upstream/twitter"
	"aviary/upstream/x"
)

// predicates are what the operator asks the upstream for, as the settings have it.
type predicates struct {
	Track       string `json:"track,omitempty"`
	Follow      string `json:"follow,omitempty"`
	Locations   string `json:"locations,omitempty"`
	Language    string `json:"language,omitempty"`
	FilterLevel string `json:"filter_level,omitempty"`
}

func (s *settings) predicates() predicates {
	return predicates{s.Track, s.Follow, s.Locations, s.Language, s.FilterLevel}
}

// content is the filter of track, follow and locations; nil: there are none.
func (p predicates) content() (*filter.Filter, error) {
	v := url.Values{}
	for name, value := range map[string]string{"track": p.Track, "follow": p.Follow, "locations": p.Locations} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if len(v) == 0 {
		return nil, nil
	}
	return filter.Parse(v)
}

// with are the predicates and what clients ask for beside.
func (p predicates) with(a demand.Ask) predicates {
	if len(a.Phrases)+len(a.IDs)+len(a.Boxes) > 0 {
		p.Track, p.Follow, p.Locations = a.Track(p.Track), a.Follow(p.Follow), a.Locations(p.Locations)
	}
	return p
}

// wish is all that the upstream is asked for at one time.
type wish struct {
	own   predicates
	force *demand.Force
}

// An asked source can be asked for something else while the program runs.
type asked interface {
	// set says what the next stream asks for; an error: that is not possible.
	set(a wish) error
	// apply makes a stream that is open ask for it too, now or soon.
	apply(ctx context.Context) error
	// inForce is what the stream that is open, or was last, asked for.
	inForce() wish
}

// v1Asked makes a new source for each stream: sources of v1.1 have no state. It
// implements upstream.Source and asked.
type v1Asked struct {
	make      func(predicates) (upstream.Source, error)
	switchNow func() // opens a stream in the place of the one that is open; set before the first apply
	streams   func() // called when another ask is in force

	mu        sync.Mutex
	next, now wish
}

// newV1Asked makes sources of the config, but for its predicates.
func newV1Asked(c twitter.Config, first predicates) (*v1Asked, error) {
	v := &v1Asked{make: func(p predicates) (upstream.Source, error) {
		c := c
		c.Track, c.Follow, c.Locations, c.Language, c.FilterLevel = p.Track, p.Follow, p.Locations, p.Language, p.FilterLevel
		return twitter.New(c)
	}}
	_, err := v.make(first)
	return v, err
}

func (v *v1Asked) set(a wish) error {
	if _, err := v.make(a.own.with(a.force.Asked())); err != nil {
		return err
	}
	v.mu.Lock()
	v.next = a
	v.mu.Unlock()
	return nil
}

func (v *v1Asked) apply(context.Context) error {
	v.switchNow()
	return nil
}

func (v *v1Asked) inForce() wish {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// Stream implements upstream.Source.
func (v *v1Asked) Stream(ctx context.Context, to upstream.Sink) error {
	v.mu.Lock()
	a := v.next
	v.mu.Unlock()
	from, err := v.make(a.own.with(a.force.Asked()))
	if err != nil {
		return &upstream.Error{Class: upstream.Fatal, Clean: true, Err: err, Hint: "ask for something else with PUT /upstream/filter"}
	}
	return from.Stream(ctx, &firstBytes{Sink: to, came: func() {
		v.mu.Lock()
		v.now = a
		v.mu.Unlock()
		v.streams()
	}})
}

// firstBytes notes when a stream brings something. One goroutine uses it.
type firstBytes struct {
	upstream.Sink
	came func()
}

// Alive implements upstream.Sink.
func (f *firstBytes) Alive(n int) {
	if f.came != nil {
		f.came()
		f.came = nil
	}
	f.Sink.Alive(n)
}

// xAsked edits the rules of X while its stream goes on.
type xAsked struct {
	*x.Source

	mu        sync.Mutex
	next, now wish
}

func (v *xAsked) set(a wish) error {
	p := x.Predicates{Track: a.own.Track, Follow: a.own.Follow, Locations: a.own.Locations, Language: a.own.Language, FilterLevel: a.own.FilterLevel}
	if err := v.Ask(p, a.force.Asked().Rules); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.next = a
	if v.now.force == nil {
		v.now = a
	}
	return nil
}

func (v *xAsked) apply(ctx context.Context) error {
	v.mu.Lock()
	a := v.next
	v.mu.Unlock()
	if err := v.Settle(ctx); err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = a
	return nil
}

func (v *xAsked) inForce() wish {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// demandConfig is what the planner needs to know of the upstream and of what the
// operator asks for.
func (s *settings) demandConfig(p predicates, from *source) (demand.Config, error) {
	c := demand.Config{}
	own, err := p.content()
	if err != nil {
		return c, err
	}
	c.Changes, c.Window = max(1, s.ConnectLimit-2), s.ConnectWindow // one for the first stream, one for a lost one
	if p.FilterLevel != "" && p.FilterLevel != "none" || p.Language != "" {
		if _, err := filter.Parse(p.narrowing()); err != nil {
			return c, err
		}
	}
	for _, tag := range words(p.Language) {
		c.Languages = append(c.Languages, strings.ToLower(tag))
	}
	if s.Source == "x" {
		return c, s.xDemandConfig(&c, p, own, from)
	}
	if own != nil {
		c.Own = append(c.Own, own)
	}
	return c, nil
}

// narrowing are the parameters that narrow everything.
func (p predicates) narrowing() url.Values {
	v := url.Values{}
	for name, value := range map[string]string{"language": p.Language, "filter_level": p.FilterLevel} {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v
}

// xDemandConfig: rules of a file are not narrowed by LANGUAGE, and those that
// others keep on the server bring what nobody here knows.
func (s *settings) xDemandConfig(c *demand.Config, p predicates, own *filter.Filter, from *source) error {
	c.API, c.NoLevels, c.Tiles = demand.X, true, x.Tiles
	c.Changes, c.Window = xChanges, xWindow
	if s.XRulesFile != "" {
		c.Languages, c.OwnElse = nil, true
	}
	if own == nil {
		c.OwnElse = true
		return nil
	}
	c.Own = append(c.Own, own)
	if source, ok := from.Source.(*xAsked); ok {
		c.OwnRules = source.Own(x.Predicates{Track: p.Track, Follow: p.Follow, Locations: p.Locations, Language: p.Language})
	}
	return nil
}

var errAsksNothing = errors.New("the upstream must be asked for something: give track, follow or locations")
