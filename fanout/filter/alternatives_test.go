package filter

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// satisfies reports whether a post has all that a conjunction asks for.
func satisfies(p *Post, c []Literal) bool {
	return !slices.ContainsFunc(c, func(l Literal) bool { return l.lit.holds(p) == l.not })
}

// checkAlternatives holds against one filter and post what Alternatives promises:
// they hold wherever the filter does, if exact nowhere else, and what a literal
// says of itself as a parameter finds the post too.
func checkAlternatives(t *testing.T, f *Filter, p *Post, most int) (matched bool) {
	t.Helper()
	a, ok := f.Alternatives(most)
	if !ok {
		return false
	}
	passes := p.Level >= a.Level
	if len(a.Languages) > 0 {
		passes = passes && slices.ContainsFunc(a.Languages, func(tag string) bool { return has(p.Features, kindLang.of(tag)) })
	}
	passes = passes && slices.ContainsFunc(a.Any, func(c []Literal) bool { return satisfies(p, c) })
	if matches := f.Match(p); matches && !passes || a.Exact && passes != matches {
		t.Fatalf("%q matches: %v, its alternatives %v (exact: %v): %v", f, matches, a.Any, a.Exact, passes)
	} else if !matches {
		return false
	}
	for _, c := range a.Any {
		for _, l := range c {
			if !l.not && l.lit.holds(p) {
				checkSaid(t, l, p)
			}
		}
	}
	return true
}

// checkSaid holds a literal of a post against the parameters it says it implies.
func checkSaid(t *testing.T, l Literal, p *Post) {
	t.Helper()
	v := url.Values{}
	terms := l.Terms(nil)
	if len(strings.Join(terms, " ")) <= maxPhrase {
		v.Set("track", strings.Join(terms, " "))
		for _, term := range terms {
			check := url.Values{"track": {term}}
			if f, err := Parse(check); err != nil || f.String() != "track="+escape.Replace(term) && len(terms) > 0 {
				t.Fatalf("%s implies the term %q, which track takes for %q, %v", l, term, f, err)
			} else if !f.Match(p) {
				t.Fatalf("%s is in a post, the term %q is not", l, term)
			}
		}
	}
	if id := l.User(); id != 0 {
		if f, _ := Parse(url.Values{"follow": {fmt.Sprint(id)}}); !f.Match(p) {
			t.Fatalf("%s is in a post, the user %d is not", l, id)
		}
	}
	if box, inside, ok := l.Area(); ok {
		if f, _ := Parse(url.Values{"locations": {box.String()}}); !f.Match(p) || inside && !p.Geo.Within(box) {
			t.Fatalf("%s is in a post, the box %v is not", l, box)
		}
	}
}

// withUsers makes whoever wrote a post, or is answered or reposted by it, somebody
// whom follow finds, as sources do.
func withUsers(p *Post) *Post {
	var users []uint64
	for i := range 8 {
		id := fmt.Sprint(i)
		if has(p.Features, kindFrom.of(id)) || has(p.Features, kindTo.of(id)) || has(p.Features, kindRetweetsOf.of(id)) {
			users = append(users, kindUser.of(id))
		}
	}
	p.Features = append(p.Features, users...)
	slices.Sort(p.Features)
	p.Features = slices.Compact(p.Features)
	return p
}

func TestAlternativesOfRandomFilters(t *testing.T) {
	matched, inexact := 0, 0
	for seed := range uint64(20) {
		w := newPairing(t, seed)
		for range 60 {
			f := w.filter()
			n := []int{2000, 2000, 3}[w.IntN(3)]
			if a, ok := f.Alternatives(n); ok && !a.Exact {
				inexact++
			}
			for range 40 {
				if p := w.post(); p != nil && checkAlternatives(t, f, withUsers(p), n) {
					matched++
				}
			}
		}
	}
	if matched < 3000 || inexact < 10 {
		t.Errorf("%d matches, %d filters cut short: this test shows little", matched, inexact)
	}
}

func TestAlternatives(t *testing.T) {
	for _, c := range []struct {
		filter string
		most   int
		want   string // conjunctions joined by " | "
		exact  bool
	}{
		{"", 10, "[]", true},
		{"language=en", 10, "[]", true},
		{"track=go lang,rust&follow=12&locations=1,2,3,4", 10, "[go lang] | [rust] | [follow=12] | [locations=1,2,3,4]", true},
		{"q=(go OR rust) -is:retweet", 10, "[go -is:retweet] | [-is:retweet rust]", true},
		{"follow=1,2&q=go OR rust", 10, "[go follow=1] | [rust follow=1] | [go follow=2] | [rust follow=2]", true},
		{"follow=1,2,3&q=go OR rust", 4, "[go] | [rust]", false},
		{"follow=1,2,3&q=go OR rust", 1, "", false},
		{"filter.a=go&filter.b=rust lang:en", 10, "[go] | [lang:en rust]", true},
	} {
		f, err := ParseString(c.filter)
		if err != nil {
			t.Fatal(err)
		}
		a, ok := f.Alternatives(c.most)
		var got []string
		for _, conj := range a.Any {
			got = append(got, fmt.Sprint(conj))
		}
		if said := strings.Join(got, " | "); !ok && c.want != "" || ok && said != c.want || a.Exact != c.exact && ok {
			t.Errorf("%q: %s, exact %v, %v; want %s", c.filter, said, a.Exact, ok, c.want)
		}
	}
}

// A rule that is too large to be multiplied out still has alternatives where a
// part of it is small enough.
func TestAlternativesOfWideRules(t *testing.T) {
	var groups []string
	for i := range 12 {
		groups = append(groups, fmt.Sprintf("(a%d OR b%d OR c%d)", i, i, i))
	}
	f, err := ParseRule("w0 OR (" + strings.Join(groups, " ") + ")")
	if err != nil {
		t.Fatal(err)
	}
	a, ok := f.Alternatives(30)
	if !ok || a.Exact || len(a.Any) < 4 || len(a.Any) > 30 {
		t.Fatalf("%v, exact %v, %v", a.Any, a.Exact, ok)
	}
	for _, text := range []string{"w0", "a0 a1 a2 a3 a4 a5 a6 a7 a8 a9 a10 a11", "b0 a1 c2 a3 a4 a5 a6 a7 a8 a9 a10 c11"} {
		if !checkAlternatives(t, f, postOf(text), 30) {
			t.Errorf("%q does not match", text)
		}
	}
}

// FuzzAlternatives: what Alternatives promises holds for any rule and text.
func FuzzAlternatives(f *testing.F) {
	f.Add(`go (rust OR "exact phrase") -is:retweet #tag·x`, "go exact phrase #tag·x")
	f.Add(`url:"https://example.com/a-b" OR url_contains:"le.com/a"`, "see https://example.com/a-b")
	f.Fuzz(func(t *testing.T, rule, text string) {
		parsed, err := ParseRule(rule)
		if err != nil {
			return
		}
		for _, p := range append(rulePosts(rule), postOf(text), withURL(text)) {
			checkAlternatives(t, parsed, withUsers(p), 64)
		}
	})
}
