package filter

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzParse: no input is too odd to be refused in order. What is accepted has a
// canonical form that parses to itself and matches the same posts, and the order
// and case in which a filter is written do not matter.
func FuzzParse(f *testing.F) {
	f.Add("Twitter's,#go b A", "3,12", "-74,40,-73,41", "en,pt-BR", "low", "a #go b Twitter's")
	f.Fuzz(func(t *testing.T, track, follow, locations, language, level, text string) {
		v := url.Values{"track": {track}, "follow": {follow}, "locations": {locations}, "language": {language}, "filter_level": {level}}
		filter, err := Parse(v)
		if err != nil {
			checkError(t, v, err)
			return
		}
		again, err := ParseString(filter.String())
		if err != nil {
			t.Fatalf("canonical form %q of %q: %v", filter, v, err)
		}
		if again.String() != filter.String() {
			t.Fatalf("canonical form of %q is %q, of that %q", v, filter, again)
		}
		turned, err := Parse(reversed(v))
		if err != nil || turned.String() != filter.String() {
			t.Fatalf("%q reversed is %q, %v; want %q", v, turned, err, filter)
		}
		for _, p := range []*Post{postOf(text), postOf(track), withURL(text), placed(text), nil} {
			if again.Match(p) != filter.Match(p) || turned.Match(p) != filter.Match(p) {
				t.Fatalf("%q and its canonical form do not match alike", filter)
			}
		}
	})
}

func checkError(t *testing.T, v url.Values, err error) {
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%q: %T is not an *Error", v, err)
	}
	// The position may be just behind the end, where something is missing.
	if n := utf8.RuneCountInString(v.Get(e.Param)); !slices.Contains(Params(), e.Param) || e.Pos < 0 || e.Pos > n {
		t.Fatalf("%q: position %d of %q", v, e.Pos, e.Param)
	}
	if e.Near != "" && e.Param != "locations" {
		if _, err := Parse(url.Values{e.Param: {e.Near}}); err != nil {
			t.Fatalf("%q: the nearest right word: %v", v, err)
		}
	}
	if strings.ContainsFunc(e.Error(), func(r rune) bool { return r < ' ' || r == '\u2028' }) || len(e.Error()) > 1000 {
		t.Fatalf("unfit for a log: %q", e)
	}
}

// reversed turns the order of all lists, boxes kept whole, and shouts ASCII.
func reversed(v url.Values) url.Values {
	turned := url.Values{}
	for param, values := range v {
		var units []string
		list := strings.Split(values[0], ",")
		size := 1
		if param == "locations" {
			size = 4
		}
		for unit := range slices.Chunk(list, size) {
			units = append(units, strings.Join(unit, ","))
		}
		slices.Reverse(units)
		s := strings.Join(units, ",")
		if param == "track" {
			s = strings.Map(func(r rune) rune {
				if 'a' <= r && r <= 'z' {
					r -= 'a' - 'A'
				}
				return r
			}, s)
		}
		turned[param] = []string{s}
	}
	return turned
}

func withURL(s string) *Post { return build(func(b *Builder) { b.URL(s) }) }
func placed(s string) *Post {
	return build(func(b *Builder) { b.Text(s); b.Lang("en"); b.Author("3"); b.Point(-73.5, 40.5); b.Level("low") })
}

// FuzzBuilder: no text is too odd. Features are sorted and distinct, and the
// words of a text, tried as terms, find it: an independent reading of the rules.
func FuzzBuilder(f *testing.F) {
	f.Add("I like Twitter's new design, (see http://www.example.com/) #go @me's $ABC &lt;3")
	f.Fuzz(func(t *testing.T, text string) {
		var b Builder
		for range 2 { // a builder that has been used makes the same
			b.Reset(Key{"test", "1"})
			b.Text(text)
			b.URL(text)
			b.Hashtag(text)
		}
		p := b.Post()
		if !slices.IsSorted(p.Features) || len(slices.Compact(slices.Clone(p.Features))) != len(p.Features) {
			t.Fatal("features are not sorted or not distinct")
		}
		fresh := build(func(b *Builder) { b.Text(text); b.URL(text); b.Hashtag(text) })
		if !slices.Equal(fresh.Features, p.Features) {
			t.Fatal("a used builder makes other features")
		}
		p = postOf(text)
		checkOrder(t, text, p)
		undone := strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(text)
		for _, word := range strings.Fields(undone) {
			if strings.ContainsAny(word, ",#@$＃＠＄") { // no term holds a comma; what a sign makes of a word is more, or less, than it
				continue
			}
			filter, err := Parse(url.Values{"track": {word}})
			if err == nil && !filter.Match(p) {
				t.Fatalf("text %q is not found by its word %q", text, word)
			}
		}
	})
}

// checkOrder: the order is that of the tokens, found the plain way, and all of
// them are features.
func checkOrder(t *testing.T, text string, p *Post) {
	halves := map[uint32]bool{}
	for _, h := range p.Features {
		halves[uint32(h)] = true
	}
	tokens := slowTokens(text)
	if len(tokens) != len(p.Order) {
		t.Fatalf("text %q has %d tokens in order, want %q", text, len(p.Order), tokens)
	}
	for i, token := range tokens {
		if p.Order[i] != uint32(kindToken.of(token)) || !halves[p.Order[i]] {
			t.Fatalf("text %q: token %d is not %q, or no feature", text, i, token)
		}
	}
	for link := range strings.Lines(p.Links) {
		if link == "\n" || !strings.HasSuffix(link, "\n") || !strings.Contains(link, ".") {
			t.Fatalf("text %q: link %q", text, link)
		}
		for _, token := range slowTokens(link) {
			if !has(p.Features, kindToken.of(token)) {
				t.Fatalf("text %q: %q of the link %q is no feature", text, token, link)
			}
		}
	}
}
