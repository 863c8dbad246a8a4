package x

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"aviary/fanout/filter"
)

// Predicates are what to ask for in the words of v1.1: comma lists, as the
// settings have them.
type Predicates struct{ Track, Follow, Locations, Language, FilterLevel string }

// Translate writes predicates as rules of the filtered stream:
//
//	track=a b,c    (a b) OR c
//	follow=1       from:1 OR retweets_of:1 OR to:1
//	locations      bounding_box: tiles, as each may be under 25 miles wide and high
//	language=en    (…) lang:en, in every rule
//
// Alternatives are packed into as few rules as their length allows. Three things
// differ from v1.1: a place has to lie wholly inside one tile, words are split at
// punctuation, and a reply that only begins with a followed user's name is not
// found. What X cannot say at all is an error.
func Translate(p Predicates) ([]Rule, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	langs := languages(p.Language)
	tail := ""
	if len(langs) == 1 {
		tail = " " + langs[0]
	} else if len(langs) > 1 {
		tail = " (" + strings.Join(langs, " OR ") + ")"
	}
	var all []Rule
	for _, part := range []struct {
		tag  string
		make func() ([]string, error)
	}{
		{"track", func() ([]string, error) { return phrases(p.Track) }},
		{"follow", func() ([]string, error) { return followed(p.Follow), nil }},
		{"locations", func() ([]string, error) { return boxes(p.Locations) }},
	} {
		alternatives, err := part.make()
		if err != nil {
			return nil, err
		}
		rules, err := pack(part.tag, alternatives, tail)
		if err != nil {
			return nil, err
		}
		all = append(all, rules...)
	}
	switch {
	case len(all) == 0 && tail != "":
		return nil, fmt.Errorf("LANGUAGE alone is no rule for X: set TRACK, FOLLOW or LOCATIONS too")
	case len(all) > MaxRules:
		return nil, fmt.Errorf("TRACK, FOLLOW and LOCATIONS make %d rules, X takes %d", len(all), MaxRules)
	}
	return all, nil
}

// check holds the predicates to the language they are written in.
func (p *Predicates) check() error {
	if level := p.FilterLevel; level != "" && level != "none" {
		return fmt.Errorf("FILTER_LEVEL=%s: posts of X have no filter level", level)
	}
	values := url.Values{}
	for name, v := range map[string]string{"track": p.Track, "follow": p.Follow, "locations": p.Locations, "language": p.Language} {
		if v != "" {
			values.Set(name, v)
		}
	}
	_, err := filter.Parse(values)
	return err
}

// languages writes the lang: operators. X knows languages without regions.
func languages(list string) (operators []string) {
	for _, code := range split(list) {
		code, _, _ = strings.Cut(strings.ToLower(code), "-")
		operators = append(operators, "lang:"+code)
	}
	return operators
}

func split(list string) (items []string) {
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// phrases writes track: all words of a phrase, in any order.
func phrases(track string) (alternatives []string, err error) {
	for _, phrase := range split(track) {
		words := strings.Fields(phrase)
		for i, w := range words {
			words[i] = term(w)
		}
		one := strings.Join(words, " ")
		if len(words) > 1 {
			one = "(" + one + ")"
		}
		alternatives = append(alternatives, one)
	}
	return alternatives, nil
}

// term writes one word. A tag, a name or a cashtag is itself; a word with any
// other sign in it is quoted, so that no sign is an operator, and found as the
// tokens it consists of, in a row.
func term(word string) string {
	name := word
	if strings.ContainsRune("#@$", rune(word[0])) && len(word) > 1 {
		name = word[1:]
	}
	plain := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }
	if strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) || word == "OR" || word == "AND" || word == "NOT" {
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`
	}
	return word
}

func followed(list string) (alternatives []string) {
	for _, id := range split(list) {
		alternatives = append(alternatives, "from:"+id, "retweets_of:"+id, "to:"+id)
	}
	return alternatives
}

// pack joins alternatives with OR, as many as fit in a rule with the tail.
func pack(tag string, alternatives []string, tail string) ([]Rule, error) {
	const or = " OR "
	room := MaxRuleLength - utf8.RuneCountInString(tail)
	if tail != "" {
		room -= 2 // the parentheses
	}
	var rules []Rule
	for len(alternatives) > 0 {
		n, length := 0, -len(or)
		for n < len(alternatives) && length+len(or)+utf8.RuneCountInString(alternatives[n]) <= room {
			length += len(or) + utf8.RuneCountInString(alternatives[n])
			n++
		}
		if n == 0 {
			return nil, fmt.Errorf("with the languages %.40q is longer than the %d characters of a rule of X", alternatives[0], MaxRuleLength)
		}
		value := strings.Join(alternatives[:n], or)
		if tail != "" && n > 1 {
			value = "(" + value + ")"
		}
		rules = append(rules, Rule{Value: value + tail, Tag: tag + "-" + strconv.Itoa(len(rules)+1)})
		alternatives = alternatives[n:]
	}
	return rules, nil
}
