package compat

import (
	"net/url"

	"aviary/fanout/filter"
)

// parseRule reads a rule in X's language.
//
// MERGE: becomes filter.ParseRule once the language is in this tree; until then a
// rule is what track makes of its words.
var parseRule = func(value string) (*filter.Filter, error) { return filter.Parse(url.Values{"track": {value}}) }
