package main

import (
	"context"
	"errors"
	"net/url"

	"aviary/fanout/filter"
	"aviary/upstream/demand"
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

// same reports whether both ask for the same.
func (w wish) same(o wish) bool { return w.own == o.own && w.force.Asks(o.force) }

// An asked source can be asked for something else while the program runs.
type asked interface {
	// check says why something cannot be asked for.
	check(a wish) error
	// set says what the next stream asks for; an error: that is not possible.
	set(a wish) error
	// apply makes a stream that is open ask for it too, now or soon.
	apply(ctx context.Context) error
	// inForce is what the stream that is open, or was last, asked for.
	inForce() wish
	// refused is what was taken in for clients and the upstream does not take, as far as
	// it was not returned before.
	refused() demand.Ask
	// accept notes that a wish is in force: the one that is, without what was refused.
	accept(a wish)
}

var (
	errAsksNothing = errors.New("the upstream must be asked for something: give track, follow or locations")
	errNobodyAsks  = errors.New("this node is an edge, and it has not heard of a node that holds the upstream: ask one of those")
)
