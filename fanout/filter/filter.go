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
	text string // canonical

	// The content, any of which is enough. Users and phrases of one term are
	// the same thing here: a feature that the post must have.
	any   []uint64   // sorted
	all   [][]uint64 // phrases of several terms
	boxes []Box

	langs []uint64 // sorted; none: any language
	level Level
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
	if p == nil || p.Level < f.level || len(f.langs) > 0 && !meet(f.langs, p.Features) {
		return false
	}
	return f.matchContent(p)
}

func (f *Filter) matchContent(p *Post) bool {
	if len(f.any)+len(f.all)+len(f.boxes) == 0 || meet(f.any, p.Features) {
		return true
	}
	for _, phrase := range f.all {
		if hasAll(p.Features, phrase) {
			return true
		}
	}
	if p.HasGeo {
		for _, box := range f.boxes {
			if box.overlaps(p.Geo) {
				return true
			}
		}
	}
	return false
}

func hasAll(sorted, wanted []uint64) bool {
	for _, h := range wanted {
		if !has(sorted, h) {
			return false
		}
	}
	return true
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
	f := &Filter{text: p.text(), boxes: p.boxes, level: p.level}
	for _, phrase := range p.phrases {
		features := make([]uint64, len(phrase))
		for i, t := range phrase {
			features[i] = t.feature
		}
		if len(features) == 1 {
			f.any = append(f.any, features[0])
		} else {
			f.all = append(f.all, features)
		}
	}
	var buf []byte
	for _, id := range p.users {
		buf = strconv.AppendUint(buf[:0], id, 10)
		f.any = append(f.any, kindUser.ofBytes(buf))
	}
	for _, tag := range p.langs {
		f.langs = append(f.langs, kindLang.of(tag))
	}
	slices.Sort(f.any)
	slices.Sort(f.langs)
	return f
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
