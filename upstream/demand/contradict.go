package demand

import (
	"slices"
	"strings"

	"aviary/fanout/filter"
)

// A cause is why no post that the upstream brings can pass a filter.
type cause uint8

const (
	nothing        cause = iota // it can, for all that is certain
	byLevel                     // posts of the source have no filter level
	byLanguage                  // the parameter language asks for others than come
	byRuleLanguage              // a rule does
	byNegation                  // the upstream is asked for what must not be there
	byPlace                     // the upstream is asked for another place
)

// param is the parameter that is to be changed.
func (c cause) param() string {
	return [...]string{"", "filter_level", "language", "q", "q", "locations"}[c]
}

// contradiction says what keeps a post from having all of two conjunctions, the
// upstream's and a client's, if that is certain. Two users are never a
// contradiction, as one may answer the other, nor are two words.
func contradiction(upstream, client []filter.Literal) cause {
	switch {
	case opposed(upstream, client) || opposed(client, upstream):
		return byNegation
	case apart(upstream, client) || apart(client, upstream):
		return byPlace
	}
	return nothing
}

// opposed reports whether something that a asks for, or what follows from that, is
// what b must not have.
func opposed(a, b []filter.Literal) bool {
	var held []string
	for _, l := range a {
		if !l.Negated() {
			held = l.Terms(append(held, l.String()))
		}
	}
	return slices.ContainsFunc(b, func(l filter.Literal) bool {
		return l.Negated() && slices.Contains(held, strings.TrimPrefix(l.String(), "-"))
	})
}

// otherLanguages reports whether two conjunctions, each with the languages that are
// asked for beside it, have none in common.
func otherLanguages(a []filter.Literal, as []string, b []filter.Literal, bs []string) bool {
	as, bs = languagesOf(a, as), languagesOf(b, bs)
	return len(as) > 0 && len(bs) > 0 && !slices.ContainsFunc(as, func(x string) bool {
		return slices.ContainsFunc(bs, func(y string) bool { return sameLanguage(x, y) })
	})
}

// languagesOf returns the languages any of which a post with the literals has.
func languagesOf(literals []filter.Literal, beside []string) []string {
	for _, l := range literals {
		if tag := l.Lang(); tag != "" {
			return []string{tag}
		}
	}
	return beside
}

// apart reports whether a asks for a place and b for what cannot be there: a post
// that lies wholly elsewhere, a repost, which has no place, or one without a place.
func apart(a, b []filter.Literal) bool {
	for _, x := range a {
		if !x.ForPlaces() {
			continue
		}
		here, within, isArea := x.Area()
		for _, y := range b {
			there, inside, ok := y.Area()
			switch {
			case y.ForReposts(), y.String() == "-has:geo":
				return true
			case isArea && ok && (within || inside) && !here.Overlaps(there):
				return true
			}
		}
	}
	return false
}
