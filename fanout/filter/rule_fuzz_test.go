package filter

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// holds is the plain reading of a condition as it was written, without any of
// the rewriting: what filters are held against.
func (e *expr) holds(p *Post) bool {
	var v bool
	switch {
	case e.isLiteral():
		v = e.lit.holds(p)
	case e.op == opAnd:
		v = !slices.ContainsFunc(e.kids, func(k expr) bool { return !k.holds(p) })
	default:
		v = slices.ContainsFunc(e.kids, func(k expr) bool { return k.holds(p) })
	}
	return v != e.not
}

// checkRule holds all that is promised of a rule against it.
func checkRule(t *testing.T, rule string, posts []*Post) {
	t.Helper()
	f, _, err := Understand(url.Values{"filter.a": {rule}})
	if err != nil {
		checkRuleError(t, rule, err)
		return
	}
	again, err := ParseString(f.String())
	if err != nil {
		t.Fatalf("canonical form %q of %q: %v", f, rule, err)
	}
	if again.String() != f.String() {
		t.Fatalf("canonical form of %q is\n%q, of that\n%q", rule, f, again)
	}
	q, err := ParseRule(rule)
	if err != nil {
		t.Fatalf("%q is right as filter.NAME and wrong as q: %v", rule, err)
	}
	if again, err := ParseString(q.String()); err != nil || again.String() != q.String() {
		t.Fatalf("canonical form of %q is\n%q, of that\n%q, %v", rule, q, again, err)
	}
	p := ruleParser{param: "q", s: rule}
	written, wrong := p.rule()
	if wrong != nil {
		t.Fatal(wrong)
	}
	x := NewIndex[*Filter]()
	for _, f := range []*Filter{f, again, q} {
		x.Add(f, f)
	}
	for _, post := range posts {
		want := written.holds(post)
		if f.Match(post) != want || again.Match(post) != want || q.Match(post) != want {
			t.Fatalf("%q lets a post through: %v; %q: %v; %q: %v", rule, want, f, f.Match(post), q, q.Match(post))
		}
		n := 0
		if x.Match(post, func(*Filter) { n++ }); want != (n == 3) || !want != (n == 0) {
			t.Fatalf("%q: the index finds %d of 3 alike, the filters match: %v", rule, n, want)
		}
		if e := q.Explain(post); e.Matches != want || len(e.Branches) == 0 {
			t.Fatalf("%q is explained by %+v, it matches: %v", rule, e, want)
		}
	}
	if texts := f.texts(); len(texts) != len(f.nodes) || len(f.Terms()) == 0 {
		t.Fatalf("%q: %d texts of %d nodes", rule, len(texts), len(f.nodes))
	}
}

func checkRuleError(t *testing.T, rule string, err error) {
	t.Helper()
	e, ok := err.(*Error)
	if !ok || e.Param != "filter.a" || e.Pos < -1 || e.Pos > utf8.RuneCountInString(rule) {
		t.Fatalf("%q: error %#v", rule, err)
	}
	if strings.ContainsFunc(e.Error(), func(r rune) bool { return r < ' ' || r == '\u2028' }) || len(e.Error()) > 2*MaxRule {
		t.Fatalf("unfit for a log: %q", e)
	}
}

// rulePosts are posts on which a rule may succeed or fail.
func rulePosts(rule string) []*Post {
	return []*Post{
		build(func(*Builder) {}),
		postOf(rule),
		build(func(b *Builder) { b.Text(rule); b.URL(rule); b.Hashtag(rule); b.Lang("en"); b.Is("retweet") }),
		build(func(b *Builder) {
			b.Text("go cat dog \U0001F52D #go @kestrel $abc a b")
			b.From("1", "kestrel")
			b.Lang("de")
			b.Point(-105.2, 40)
			b.Counts(600, 5, 5, 5)
		}),
	}
}

// FuzzRule: no rule is too odd to be refused in order. One that is accepted lets
// the posts through that it would as it is written, by itself and in the index,
// and its canonical form parses to itself.
func FuzzRule(f *testing.F) {
	for _, rule := range []string{
		`go (rust OR "exact phrase") -is:retweet lang:en`, `"a b"~3 -(cat dog) sample:10`,
		`from:kestrel url:"https://example.com/a-b" point_radius:[-105.27 40 5mi] followers_count:500..999`,
	} {
		f.Add(rule)
	}
	f.Fuzz(func(t *testing.T, rule string) { checkRule(t, rule, rulePosts(rule)) })
}

// The same with rules that are right as a rule, and posts of the same few words.
func TestRandomRules(t *testing.T) {
	rnd := newRand(5)
	terms := strings.Fields(`a b c #a @b $c "a_b" url:a from:b is:retweet has:links lang:en lang:de "a_b"~2 -is:nullcast sample:50 🔭`)
	for i := range terms {
		terms[i] = strings.ReplaceAll(terms[i], "_", " ")
	}
	matches := 0
	for range 1500 {
		rule := randomFormula(rnd, terms, 1+rnd.IntN(10)).rule(rnd)
		var posts []*Post
		for range 6 {
			posts = append(posts, build(func(b *Builder) {
				b.key.ID = string(rune('a' + rnd.IntN(26)))
				for range 1 + rnd.IntN(2) {
					words := []string{"a", "b", "c", "#a", "@b", "$c", "🔭"}
					rnd.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
					b.Text(strings.Join(words[:rnd.IntN(6)], " "))
				}
				b.Lang([]string{"en", "de", "fr"}[rnd.IntN(3)])
				if rnd.IntN(2) == 0 {
					b.Is("retweet")
					b.From("7", "b")
				}
				if rnd.IntN(2) == 0 {
					b.URL("https://a.example/b")
					b.Has("links")
				}
			}))
		}
		checkRule(t, rule, posts)
		if f, err := ParseRule(rule); err == nil {
			for _, p := range posts {
				if f.Match(p) {
					matches++
				}
			}
		}
	}
	if matches < 500 {
		t.Errorf("only %d matches: this test shows little", matches)
	}
}
