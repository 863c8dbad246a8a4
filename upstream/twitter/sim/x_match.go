package sim

import (
	"aviary/fanout/filter"
	"aviary/upstream/twitter"
)

// matcher says whether a post matches a rule.
type matcher func(*post) bool

// look returns the post as filters look at it; nil if it cannot be.
func (p *post) look() *filter.Post {
	if p.view == nil && p.raw != nil {
		p.view, _ = twitter.Dialect.Post(p.raw)
	}
	return p.view
}

// compileRule reads a rule as the gateway does.
func compileRule(text string) (matcher, error) {
	f, err := filter.ParseRule(text)
	if err != nil {
		return nil, err
	}
	return func(p *post) bool {
		view := p.look()
		return view != nil && f.Match(view)
	}, nil
}
