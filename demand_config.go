package main

import (
	"net/url"
	"strings"

	"aviary/fanout/filter"
	"aviary/upstream/demand"
	"aviary/upstream/x"
)

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
		err := s.xDemandConfig(&c, p, own, from)
		return c, err
	}
	if own != nil {
		c.Own = append(c.Own, own)
	}
	c.OwnUse = demand.Limits{Phrases: items(p.Track), IDs: items(p.Follow), Boxes: (items(p.Locations) + 3) / 4}
	return c, nil
}

// items is how long a comma list is.
func items(list string) int {
	if list == "" {
		return 0
	}
	return 1 + strings.Count(list, ",")
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

// xDemandConfig: rules of a file, and those that others keep on the server, bring
// posts beside, which LANGUAGE does not narrow.
func (s *settings) xDemandConfig(c *demand.Config, p predicates, own *filter.Filter, from *source) error {
	c.API, c.NoLevels, c.Tiles = demand.X, true, x.Tiles
	c.Changes, c.Window = xChanges, xWindow
	c.OwnElse = s.XRulesFile != "" || own == nil
	if own != nil {
		c.Own = append(c.Own, own)
	}
	if source, ok := from.Source.(*xAsked); ok {
		others, known := source.Others()
		c.OwnElse = c.OwnElse || others > 0 || !known
		c.OwnUse.Rules = others + source.Own(p.ofX())
		c.Limits.Rules = source.Room()
	}
	return nil
}
