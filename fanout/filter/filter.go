package filter

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Filter is what one client wants to see. It never changes and may be used by
// many goroutines. Two filters that ask for the same have the same String,
// however they were written. A nil *Filter is the filter for every post.
type Filter struct {
	text    string // canonical
	nodes   []node // the condition; none: every post
	details []detail
	named   []named // the rules of filter.NAME, by name; they are subtrees of nodes
}

// named is a rule with a name.
type named struct {
	name string
	at   uint32 // its subtree in nodes
}

// String returns the filter's canonical form, a URL query for people to read:
// "track=api twitter,golang&follow=12&language=en". Only what would make it
// ambiguous is percent-encoded (% & + ; and, for the address bar's sake, #).
// url.ParseQuery and Parse, or ParseString, make the same filter of it. The
// filter for every post is "".
func (f *Filter) String() string {
	if f == nil {
		return ""
	}
	return f.text
}

// Empty reports whether the filter lets every post through.
func (f *Filter) Empty() bool { return f.String() == "" }

// Match reports whether the filter lets the post through:
// (track OR follow OR locations) AND language AND filter_level. A nil post, one
// that could not be read, matches the filter for every post only.
func (f *Filter) Match(p *Post) bool {
	if f.Empty() {
		return true
	}
	return p != nil && f.eval(0, p)
}

// parsed is a filter on its way from parameters to a Filter.
type parsed struct {
	phrases [][]term
	users   []uint64
	boxes   []Box
	langs   []string
	level   Level
}

func (p *parsed) filter() *Filter {
	p.normalise()
	f := &Filter{text: p.text()}
	f.all(
		func() { f.any(p.content(f)...) },
		func() { f.any(p.languages(f)...) },
		func() {
			if p.level > LevelNone {
				f.leaf(opLevel, detail{lo: uint32(p.level)})
			}
		},
	)
	return f
}

// content returns what adds track, follow and locations, any of which is enough.
func (p *parsed) content(f *Filter) (add []func()) {
	for _, phrase := range p.phrases {
		var terms []func()
		for _, t := range phrase {
			terms = append(terms, func() { f.feature(t.feature) })
		}
		add = append(add, func() { f.all(terms...) })
	}
	for _, id := range p.users {
		add = append(add, func() { f.feature(kindUser.of(strconv.FormatUint(id, 10))) })
	}
	for _, box := range p.boxes {
		add = append(add, func() { f.leaf(opOverlaps, detail{box: box}) })
	}
	return add
}

func (p *parsed) languages(f *Filter) (add []func()) {
	for _, tag := range p.langs {
		add = append(add, func() { f.feature(kindLang.of(tag)) })
	}
	return add
}

// normalise puts everything in order and drops what is there twice.
func (p *parsed) normalise() {
	byText := func(a, b []term) int {
		return slices.CompareFunc(a, b, func(a, b term) int { return cmp.Compare(a.text, b.text) })
	}
	slices.SortFunc(p.phrases, byText)
	p.phrases = slices.CompactFunc(p.phrases, func(a, b []term) bool { return byText(a, b) == 0 })
	slices.Sort(p.users)
	p.users = slices.Compact(p.users)
	slices.SortFunc(p.boxes, compareBoxes)
	p.boxes = slices.Compact(p.boxes)
	slices.Sort(p.langs)
	p.langs = slices.Compact(p.langs)
}

// text writes the canonical form.
func (p *parsed) text() string {
	var out []byte
	list := func(param string, n int, add func(i int)) {
		for i := range n {
			switch {
			case i > 0:
				out = append(out, ',')
			case len(out) > 0:
				out = append(out, '&')
				fallthrough
			default:
				out = append(append(out, param...), '=')
			}
			add(i)
		}
	}
	list("track", len(p.phrases), func(i int) { out = append(out, escape.Replace(phraseText(p.phrases[i]))...) })
	list("follow", len(p.users), func(i int) { out = strconv.AppendUint(out, p.users[i], 10) })
	list("locations", len(p.boxes), func(i int) { out = p.boxes[i].appendTo(out) })
	list("language", len(p.langs), func(i int) { out = append(out, p.langs[i]...) })
	list("filter_level", min(int(p.level), 1), func(int) { out = append(out, p.level.String()...) })
	return string(out)
}

// escape guards what is special in a URL query; no other parameter can hold it.
var escape = strings.NewReplacer("%", "%25", "&", "%26", "+", "%2B", ";", "%3B", "#", "%23")
