package sim

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

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

// compileRule reads a rule: words, "phrases", #tags, @names, $cashtags, from:, to:,
// retweets_of:, lang:, is:, has:, bounding_box:, joined by spaces (and), OR, -
// (not) and parentheses.
func compileRule(text string) (matcher, error) {
	p := &ruleParser{rest: text}
	m, standalone, err := p.either()
	switch {
	case err != nil:
		return nil, err
	case strings.TrimSpace(p.rest) != "":
		return nil, fmt.Errorf("no viable alternative at input %q", p.rest)
	case !standalone:
		return nil, errors.New("the rule must contain at least one standalone operator that is not negated")
	}
	return m, nil
}

// ruleParser walks over a rule.
type ruleParser struct {
	rest  string
	depth int
}

func (p *ruleParser) space() { p.rest = strings.TrimLeft(p.rest, " ") }

// either reads alternatives. standalone: each of them has something to look for.
func (p *ruleParser) either() (matcher, bool, error) {
	m, standalone, err := p.all()
	for err == nil {
		p.space()
		rest, is := strings.CutPrefix(p.rest, "OR ")
		if !is {
			break
		}
		p.rest = rest
		var next matcher
		var alone bool
		next, alone, err = p.all()
		first := m
		m, standalone = func(x *post) bool { return first(x) || next(x) }, standalone && alone
	}
	return m, standalone, err
}

// all reads what must all hold.
func (p *ruleParser) all() (m matcher, standalone bool, err error) {
	for {
		p.space()
		if p.rest == "" || p.rest[0] == ')' || strings.HasPrefix(p.rest, "OR ") {
			if m == nil {
				return nil, false, errors.New("no viable alternative at input: an operand is missing")
			}
			return m, standalone, nil
		}
		next, alone, err := p.operand()
		if err != nil {
			return nil, false, err
		}
		if standalone = standalone || alone; m == nil {
			m = next
			continue
		}
		first := m
		m = func(x *post) bool { return first(x) && next(x) }
	}
}

func (p *ruleParser) operand() (matcher, bool, error) {
	if rest, not := strings.CutPrefix(p.rest, "-"); not {
		p.rest = rest
		m, _, err := p.operand()
		if err != nil {
			return nil, false, err
		}
		return func(x *post) bool { return !m(x) }, false, nil
	}
	if rest, is := strings.CutPrefix(p.rest, "("); is {
		if p.depth++; p.depth > 100 {
			return nil, false, errors.New("too deep")
		}
		p.rest = rest
		m, alone, err := p.either()
		if err != nil {
			return nil, false, err
		}
		if p.rest, is = strings.CutPrefix(p.rest, ")"); !is {
			return nil, false, errors.New("missing ')' at the end of the rule")
		}
		p.depth--
		return m, alone, nil
	}
	return p.leaf()
}

// leaf reads a word, a phrase or an operator with its value.
func (p *ruleParser) leaf() (matcher, bool, error) {
	if p.rest[0] == '"' {
		quoted, err := strconv.QuotedPrefix(p.rest)
		if err != nil {
			return nil, false, errors.New("a quote has no end")
		}
		p.rest = p.rest[len(quoted):]
		text, _ := strconv.Unquote(quoted)
		return words(strings.ToLower(text)), true, nil
	}
	end := strings.IndexAny(p.rest, " )")
	if at := strings.Index(p.rest, ":["); at >= 0 && (end < 0 || at < end) {
		if end = strings.IndexByte(p.rest, ']') + 1; end == 0 {
			return nil, false, errors.New("a bracket has no end")
		}
	}
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	name, value, is := strings.Cut(word, ":")
	if !is {
		return words(word), true, nil
	}
	return operator(name, strings.Trim(value, `"`))
}

// words finds words, tags and names as track does; punctuation divides.
func words(text string) matcher {
	phrase := strings.Map(func(r rune) rune {
		if r == '.' || r == ',' || r == '/' || r == '-' || r == '\'' || r == ':' || r == '&' || r == '?' || r == '!' {
			return ' '
		}
		return r
	}, text)
	f, err := filter.Parse(url.Values{"track": {phrase}})
	if err != nil {
		return func(*post) bool { return false }
	}
	return func(p *post) bool { view := p.look(); return view != nil && f.Match(view) }
}

func operator(name, value string) (matcher, bool, error) {
	if value == "" {
		return nil, false, fmt.Errorf("%s: needs a value", name)
	}
	who := func(u *user) bool {
		return u != nil && (strconv.FormatUint(u.id, 10) == value || strings.EqualFold(u.screen, value))
	}
	switch name {
	case "from":
		return func(p *post) bool { return who(p.user) }, true, nil
	case "to":
		return func(p *post) bool { return who(p.replyUser) }, true, nil
	case "retweets_of":
		return func(p *post) bool { return p.repost != nil && who(p.repost.user) }, true, nil
	case "lang":
		return func(p *post) bool { return strings.EqualFold(p.lang, value) }, false, nil
	case "is":
		return map[string]matcher{
			"retweet": func(p *post) bool { return p.repost != nil }, "reply": func(p *post) bool { return p.replyID != 0 },
			"quote": func(p *post) bool { return p.quoted != 0 }, "verified": func(p *post) bool { return p.user.verified },
			"nullcast": func(*post) bool { return false },
		}[value], false, known(name, value, "retweet", "reply", "quote", "verified", "nullcast")
	case "has":
		has := func(a, b entityKind) matcher { return func(p *post) bool { return p.text.has(a, b) } }
		return map[string]matcher{
			"hashtags": has(hashtag, hashtag), "cashtags": has(cashtag, cashtag), "mentions": has(mention, mention), "links": has(link, medium),
			"media": has(medium, medium), "images": has(medium, medium), "geo": func(p *post) bool { return p.place != nil || p.point != nil },
		}[value], false, known(name, value, "hashtags", "cashtags", "mentions", "links", "media", "images", "geo")
	case "bounding_box":
		return boundingBox(value)
	}
	return nil, false, fmt.Errorf("Reference to invalid operator '%s'. Operator is not available in current product or product packaging", name)
}

func known(name, value string, all ...string) error {
	for _, v := range all {
		if v == value {
			return nil
		}
	}
	return fmt.Errorf("invalid value '%s' for operator '%s'", value, name)
}

// boundingBox finds posts whose place lies wholly inside.
func boundingBox(value string) (matcher, bool, error) {
	var b [4]float64
	corners := strings.Fields(strings.Trim(value, "[]"))
	if len(corners) != 4 {
		return nil, false, errors.New("bounding_box: needs [west south east north]")
	}
	for i, s := range corners {
		var err error
		if b[i], err = strconv.ParseFloat(s, 64); err != nil {
			return nil, false, errors.New("bounding_box: needs four numbers")
		}
	}
	if b[0] >= b[2] || b[1] >= b[3] || b[3]-b[1] > 25/68.7 {
		return nil, false, errors.New("bounding_box: the sides must be under 25 miles")
	}
	return func(p *post) bool {
		view := p.look()
		return view != nil && view.HasGeo && view.Geo.West >= b[0] && view.Geo.South >= b[1] && view.Geo.East <= b[2] && view.Geo.North <= b[3]
	}, true, nil
}
