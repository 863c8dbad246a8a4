package demand

import (
	"slices"
	"strings"
	"unicode/utf8"

	"aviary/fanout/filter"
)

// maxAlternatives is how many alternatives of one filter are looked at: those of
// the largest filter that its parameters allow.
const maxAlternatives = 400 + 5000 + 25

// A need is one alternative of a filter: its posts come if one of the terms that
// bring them is asked for.
type need struct {
	name  string       // by which equal needs of different filters are one
	words []string     // sorted: every post of the need is brought by a term whose words are among them
	boxes []filter.Box // … or by a box that holds one of these
	term  *term        // what is to be asked for
}

// covered reports whether a term brings all posts of the need.
func (n *need) covered(t *term) bool {
	if t.kind != box {
		return subset(t.words, n.words)
	}
	return slices.ContainsFunc(n.boxes, func(b filter.Box) bool { return b.Within(t.box) })
}

// A reading is a filter as the upstream would have to be asked for it.
type reading struct {
	needs  []*need
	loose  []string // alternatives that no term brings, as people read them
	barred []string // alternatives that the upstream's languages or level rule out
	broad  bool     // asks for every post there is, whatever that may be

	// Of a crowd: its needs but for what the operator's terms bring, in the place of needs.
	counted []*counted
}

// size is what it counts for among all that are kept.
func (r *reading) size() int {
	return 1 + len(r.needs) + len(r.counted) + len(r.loose) + len(r.barred)
}

// read works out what a filter needs. It depends on nothing but the filter and
// the config.
func (c *Config) read(f *filter.Filter) *reading {
	r := &reading{}
	a, ok := f.Alternatives(maxAlternatives)
	if !ok {
		r.loose = append(r.loose, "the filter has too many alternatives")
		return r
	}
	known := map[string]bool{}
	for _, literals := range a.Any {
		own := languagesOf(literals, nil)
		switch {
		case len(own) > 0 && len(a.Languages) > 0 && !slices.Contains(a.Languages, own[0]):
			continue // a post has one language: nothing is both
		case !wants(literals):
			r.broad = true
			continue
		case c.bars(&a, literals) != nothing:
			r.barred = append(r.barred, alternative(literals))
			continue
		}
		n := c.need(literals, a.Languages)
		if n == nil {
			r.loose = append(r.loose, alternative(literals))
		} else if !known[n.name] {
			known[n.name] = true
			r.needs = append(r.needs, n)
		}
	}
	return r
}

// wants reports whether an alternative asks for anything beside languages and what
// must not be there: else it is content with whatever posts there are.
func wants(literals []filter.Literal) bool {
	return slices.ContainsFunc(literals, func(l filter.Literal) bool { return !l.Negated() && l.Lang() == "" && !l.IsSample() })
}

// alternative writes literals for people.
func alternative(literals []filter.Literal) string {
	words := make([]string, len(literals))
	for i, l := range literals {
		words[i] = l.String()
	}
	return strings.Join(words, " ")
}

// need translates one alternative; nil if nothing can be asked for that brings its
// posts.
func (c *Config) need(literals []filter.Literal, languages []string) *need {
	n := &need{}
	if c.API == X {
		c.xNeed(n, literals, languages)
	} else {
		v1Need(n, literals)
	}
	if n.term == nil {
		return nil
	}
	slices.Sort(n.words)
	n.words = slices.Compact(n.words)
	n.name = n.term.name() + "\n" + strings.Join(n.words, " ")
	for _, b := range n.boxes {
		n.name += "\n" + b.String()
	}
	return n
}

// v1Need asks for the user, else for a phrase of all words, else for the box: in
// the order of how much room there is, and of how much else would come.
func v1Need(n *need, literals []filter.Literal) {
	var users []uint64
	for _, l := range literals {
		n.words = l.Terms(n.words)
		if id := l.User(); id != 0 {
			users = append(users, id)
		}
		if b, _, ok := l.Area(); ok {
			n.boxes = append(n.boxes, b)
		}
	}
	slices.Sort(n.words)
	n.words = slices.Compact(n.words)
	switch {
	case len(users) > 0:
		n.term = userTerm(slices.Min(users))
	case len(n.words) > 0:
		n.term = phraseTerm(n.words)
	}
	for _, id := range users {
		n.words = append(n.words, userTerm(id).words...)
	}
	if n.term == nil && len(n.boxes) > 0 {
		n.term = boxTerm(slices.MinFunc(n.boxes, filter.CompareBoxes))
	}
}

// xNeed asks with the alternative itself, as far as it fits in a rule: what must
// not be there and what the rule is narrowed by last.
func (c *Config) xNeed(n *need, literals []filter.Literal, languages []string) {
	var alone, beside []string
	for _, l := range literals {
		text, ok := c.operand(l)
		switch {
		case !ok:
		case l.StandsAlone() || l.User() != 0 || !l.InRule() && !l.Negated():
			alone = append(alone, text)
		default:
			beside = append(beside, text)
		}
		if id := l.User(); id != 0 {
			n.words = append(n.words, userRule(id))
		}
		if text := l.String(); text[0] == '"' {
			n.words = l.Terms(n.words)
		}
	}
	slices.Sort(beside)
	slices.Reverse(beside) // what is negated begins with "-" and comes last
	tail := ""             // what narrows all rules, if this one is not narrowed that way already
	switch {
	case len(languagesOf(literals, nil)) > 0:
	case len(languages) > 0:
		beside = append([]string{anyLanguage(languages)}, beside...)
	case len(c.Languages) > 0:
		tail = " " + anyLanguage(c.Languages)
	}
	n.words = append(append(n.words, alone...), beside...)
	var words []string
	room := c.Limits.RuleLength + 1 - len(tail)
	for i, w := range append(alone, beside...) {
		length := utf8.RuneCountInString(w) + 1
		if i >= len(alone) && len(words) == 0 {
			return // a rule needs something that may stand alone
		}
		if length <= room {
			words = append(words, w)
			room -= length
		}
	}
	if len(words) == 0 {
		return
	}
	// What may stand alone is in front, so that people see it first.
	n.term = &term{kind: rule, text: strings.Join(words, " ") + tail}
	slices.Sort(words)
	n.term.words = slices.Compact(words)
}

// operand writes a literal as a part of a rule; false if a rule cannot say it.
func (c *Config) operand(l filter.Literal) (string, bool) {
	area, inside, isArea := l.Area()
	switch {
	case l.IsSample(): // it would count for nothing else but be no use: clients have their own
		return "", false
	case l.InRule():
		return l.String(), true
	case l.Negated():
		return "", false
	case l.User() != 0:
		return userRule(l.User()), true
	case isArea && !inside && c.Tiles != nil:
		tiles, err := c.Tiles(area)
		if err != nil || len(tiles) == 0 {
			return "", false
		}
		return group(tiles), true
	case l.InTrack(): // a word with punctuation: its tokens in a row
		return `"` + strings.NewReplacer(`\`, ` `, `"`, ` `).Replace(l.String()) + `"`, true
	}
	return "", false
}

// userRule is what follow means in X's language.
func userRule(id uint64) string {
	text := userTerm(id).text
	return "(from:" + text + " OR retweets_of:" + text + " OR to:" + text + ")"
}

// anyLanguage is a group of languages; X knows them without regions.
func anyLanguage(languages []string) string {
	var operands []string
	for _, tag := range languages {
		base, _, _ := strings.Cut(tag, "-")
		if operand := "lang:" + base; !slices.Contains(operands, operand) {
			operands = append(operands, operand)
		}
	}
	slices.Sort(operands)
	return group(operands)
}

func group(operands []string) string {
	if len(operands) == 1 {
		return operands[0]
	}
	return "(" + strings.Join(operands, " OR ") + ")"
}
