package demand

import (
	"slices"
	"strings"

	"aviary/fanout/filter"
)

// cover finds the terms that bring the posts of a need. A term with words is
// looked up under one of them, the rarest among all terms, so that a need meets
// few others.
type cover struct {
	under map[string][]*term
	boxes []*term
	every bool // one of the terms brings every post
}

func newCover(terms []*term) *cover {
	c := &cover{under: map[string][]*term{}}
	often := map[string]int{}
	for _, t := range terms {
		for _, w := range t.words {
			often[w]++
		}
	}
	for _, t := range terms {
		switch {
		case t.kind == box:
			c.boxes = append(c.boxes, t)
		case len(t.words) == 0:
			c.every = true
		default:
			rarest := slices.MinFunc(t.words, func(a, b string) int { return often[a] - often[b] })
			c.under[rarest] = append(c.under[rarest], t)
		}
	}
	return c
}

// find calls hit with the terms that cover a need until hit returns false.
func (c *cover) find(n *need, hit func(*term) bool) {
	for _, w := range n.words {
		for _, t := range c.under[w] {
			if n.covered(t) && !hit(t) {
				return
			}
		}
	}
	for _, t := range c.boxes {
		if n.covered(t) && !hit(t) {
			return
		}
	}
}

// covers reports whether any term brings the posts of a need.
func (c *cover) covers(n *need) (found bool) {
	if c.every {
		return true
	}
	c.find(n, func(*term) bool {
		found = true
		return false
	})
	return found
}

// bars says what keeps an alternative from ever being satisfied by what the
// upstream brings, whatever it is asked for.
func (c *Config) bars(a *filter.Alternatives, literals []filter.Literal) cause {
	switch {
	case c.NoLevels && a.Level > filter.LevelNone:
		return byLevel
	case len(c.Languages) == 0:
		return nothing
	case len(a.Languages) > 0 && !slices.ContainsFunc(a.Languages, c.speaks):
		return byLanguage
	}
	unwanted := 0
	for _, l := range literals {
		if tag := l.Lang(); tag != "" && !c.speaks(tag) {
			return byRuleLanguage
		}
		if tag, ok := strings.CutPrefix(l.String(), "-lang:"); ok && slices.Contains(c.Languages, tag) {
			unwanted++
		}
	}
	if unwanted == len(c.Languages) {
		return byRuleLanguage
	}
	return nothing
}

// speaks reports whether posts in a language may come. The upstream may mean pt-BR
// too where it is asked for pt, so that what differs in the region only is not ruled
// out, nor is a language that has two codes.
func (c *Config) speaks(tag string) bool {
	return slices.ContainsFunc(c.Languages, func(own string) bool { return sameLanguage(own, tag) })
}

func sameLanguage(a, b string) bool { return baseOf(a) == baseOf(b) }

// baseOf returns a language without its region, and by its newer code.
func baseOf(tag string) string {
	base, _, _ := strings.Cut(strings.ToLower(tag), "-")
	if newer, ok := newerCodes[base]; ok {
		return newer
	}
	return base
}

var newerCodes = map[string]string{"in": "id", "iw": "he", "ji": "yi", "tl": "fil", "nb": "no", "nn": "no"}
