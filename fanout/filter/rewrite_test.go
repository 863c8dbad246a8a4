package filter

import (
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// formula is a condition for these tests: a term, or others joined. It is written
// as a rule by its own means and evaluated by its own means.
type formula struct {
	op   byte // 't', '&', '|'
	not  bool
	term string
	kids []formula
}

func (f formula) holds(true_ map[string]bool) bool {
	v := f.op == '&'
	switch f.op {
	case 't':
		v = true_[f.term]
	case '&':
		for _, k := range f.kids {
			v = v && k.holds(true_)
		}
	default:
		for _, k := range f.kids {
			v = v || k.holds(true_)
		}
	}
	return v != f.not
}

// rule writes f, with some parentheses more than it needs.
func (f formula) rule(rnd *rand.Rand) string {
	var s string
	switch f.op {
	case 't':
		if s = f.term; rnd.IntN(3) == 0 {
			s = strings.ToUpper(s[:1]) + s[1:]
		}
	default:
		var parts []string
		for _, k := range f.kids {
			part := k.rule(rnd)
			if k.op == '|' && !k.not {
				part = "(" + part + ")"
			}
			parts = append(parts, part)
		}
		s = strings.Join(parts, map[byte]string{'&': " ", '|': " OR "}[f.op])
		if f.not {
			s = "(" + s + ")"
		}
	}
	if f.not {
		return "-" + s
	}
	if rnd.IntN(4) == 0 && strings.Count(s, "(") < MaxDepth/2 {
		return "(" + s + ")"
	}
	return s
}

func randomFormula(rnd *rand.Rand, terms []string, leaves int) formula {
	if leaves <= 1 {
		return formula{op: 't', term: terms[rnd.IntN(len(terms))], not: rnd.IntN(4) == 0}
	}
	f := formula{op: "&|"[rnd.IntN(2)], not: rnd.IntN(6) == 0}
	for leaves > 0 {
		n := 1 + rnd.IntN(leaves)
		f.kids = append(f.kids, randomFormula(rnd, terms, n))
		leaves -= n
	}
	return f
}

// rewritten returns a formula that says the same.
func rewritten(rnd *rand.Rand, f formula) formula {
	if f.size() > 200 {
		return f
	}
	f.kids = slices.Clone(f.kids)
	for i := range f.kids {
		f.kids[i] = rewritten(rnd, f.kids[i])
	}
	rnd.Shuffle(len(f.kids), func(i, j int) { f.kids[i], f.kids[j] = f.kids[j], f.kids[i] })
	switch rnd.IntN(6) {
	case 0: // x: x x, x OR x
		return formula{op: "&|"[rnd.IntN(2)], kids: []formula{f, f}}
	case 1: // De Morgan
		if f.op == 't' {
			return f
		}
		g := formula{op: '&' + '|' - f.op, not: !f.not}
		for _, k := range f.kids {
			k.not = !k.not
			g.kids = append(g.kids, k)
		}
		return g
	case 2: // a (b OR c): (a b) OR (a c), and the other way round
		if len(f.kids) != 2 || f.kids[1].op == 't' || f.kids[1].not || f.kids[1].op == f.op {
			return f
		}
		g := formula{op: f.kids[1].op, not: f.not}
		for _, k := range f.kids[1].kids {
			g.kids = append(g.kids, formula{op: f.op, kids: []formula{f.kids[0], k}})
		}
		return g
	case 3: // a b c: a (b c)
		if len(f.kids) > 2 {
			f.kids = []formula{f.kids[0], {op: f.op, kids: f.kids[1:]}}
		}
	case 4: // a: a (a OR b)
		return formula{op: '&', kids: []formula{f, {op: '|', kids: []formula{f, {op: 't', term: "zebra"}}}}}
	}
	return f
}

// However a condition of four words is written, its text is the same, and no other
// condition has it: compared with what it says of all sixteen posts.
func TestOneText(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	terms := []string{"ant", "bee", "cat", "dog"}
	var posts [16]*Post
	var true_ [16]map[string]bool
	for i := range posts {
		true_[i] = map[string]bool{}
		posts[i] = build(func(b *Builder) {
			for k, term := range terms {
				if i>>k&1 != 0 {
					b.Text(term)
					true_[i][term] = true
				}
			}
		})
	}
	textOf, tableOf := map[uint16]string{}, map[string]uint16{}
	for range 10_000 {
		f := randomFormula(rnd, terms, 1+rnd.IntN(14))
		filter, err := ParseRule(f.rule(rnd))
		table := uint16(0)
		for i := range posts {
			if f.holds(true_[i]) {
				table |= 1 << i
			}
		}
		// What lets the post through that holds nothing at all is no valid rule.
		if valid := table&1 == 0 && table != 0; valid != (err == nil) {
			t.Fatalf("%s: %v", f.rule(rnd), err)
		}
		if err != nil {
			continue
		}
		for i, p := range posts {
			if filter.Match(p) != f.holds(true_[i]) {
				t.Fatalf("%s as %s: a post of %v", f.rule(rnd), filter, true_[i])
			}
		}
		text := filter.String()
		if was, known := textOf[table]; known && was != text {
			t.Fatalf("one condition has two texts:\n%s\n%s", was, text)
		}
		if was, known := tableOf[text]; known && was != table {
			t.Fatalf("two conditions have one text: %s", text)
		}
		textOf[table], tableOf[text] = text, table
		if again, err := ParseString(text); err != nil || again.String() != text || len(again.nodes) != len(filter.nodes) {
			t.Fatalf("%s parses to %s, %v", text, again, err)
		}
	}
	if len(textOf) < 400 {
		t.Errorf("only %d conditions: this test shows little", len(textOf))
	}
}

// The same for larger rules of all kinds of operators, rewritten at random.
func TestRewritten(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	terms := []string{"ant", "bee", "#cat", "@dog", "$elk", "fox", "\"gnu hen\"", "from:ibis", "is:retweet", "has:links", "lang:en", "lang:de", "url:jay", "sample:7"}
	valid, wide := 0, 0
	for range 3000 {
		f := randomFormula(rnd, terms[:len(terms)-1], 2+rnd.IntN(14))
		one, err := ParseRule(f.rule(rnd))
		g := f
		for range 1 + rnd.IntN(3) {
			if h := rewritten(rnd, g); h.size() < 100 {
				g = h
			}
		}
		written := g.rule(rnd)
		other, again := ParseRule(written)
		if again != nil && (strings.Contains(again.Error(), "limit") || err == nil && strings.Contains(again.Error(), "stand alone")) {
			continue // grown too large; "zebra" makes a rule valid that was not, never the other way round
		}
		if (err == nil) != (again == nil) {
			t.Fatalf("%v\n%s: %v\n%s: %v", f, f.rule(rnd), err, written, again)
		}
		if err != nil {
			continue
		}
		valid++
		if one.String() != other.String() {
			if c, _ := parseString(one.String()); c.rule != nil && c.rule.wide {
				wide++
				continue
			}
			t.Fatalf("%s\nand rewritten, %s\nare\n%s\n%s", f.rule(rnd), written, one, other)
		}
	}
	if valid < 500 || wide > valid/10 {
		t.Errorf("%d valid, %d of them too large: this test shows little", valid, wide)
	}
	t.Log(valid, wide)
}

func (f formula) size() int {
	if f.op == 't' {
		return 1
	}
	n := 0
	for _, k := range f.kids {
		n += k.size()
	}
	return n
}

// Whatever is moved from q to other parameters, a filter lets through what all of
// its parameters do, and its text parses to itself.
func TestCombined(t *testing.T) {
	rnd := newRand(7)
	pick := func(from ...string) string { return from[rnd.IntN(len(from))] }
	terms := []string{"a", "b", "c", "#a", "lang:en", "lang:de", "is:retweet", "from:a"}
	matches := 0
	for range 3000 {
		v := url.Values{
			"track":        {pick("", "", "a", "a b,c", "b,#a", "a.b,a")},
			"follow":       {pick("", "", "", "7")},
			"language":     {pick("", "", "en", "en,de")},
			"filter_level": {pick("", "", "low")},
			"q":            {randomFormula(rnd, terms, 1+rnd.IntN(7)).rule(rnd)},
		}
		if rnd.IntN(3) == 0 {
			v["filter.x"], v["filter.y"] = []string{"a OR b"}, []string{"c is:retweet"}
		}
		whole, err := Parse(v)
		if err != nil {
			continue
		}
		var parts []*Filter
		for _, names := range [][]string{{"track", "follow"}, {"language"}, {"filter_level"}, {"q"}, {"filter.x", "filter.y"}} {
			part := url.Values{}
			for _, name := range names {
				if v.Has(name) {
					part[name] = v[name]
				}
			}
			f, err := Parse(part)
			if err != nil {
				t.Fatal(part, err)
			}
			parts = append(parts, f)
		}
		if again, err := ParseString(whole.String()); err != nil || again.String() != whole.String() {
			t.Fatalf("%v is\n%s, and that\n%s, %v", v, whole, again, err)
		}
		for range 10 {
			p := build(func(b *Builder) {
				b.Text(pick("a b", "a.b", "b c", "a", "c", "b") + " " + pick("", "#a", "b", "c"))
				b.Lang(pick("en", "de", "fr"))
				b.Level(pick("none", "low"))
				b.Author(pick("7", "8"))
				if rnd.IntN(2) == 0 {
					b.Is("retweet")
					b.From("1", "a")
				}
			})
			want := !slices.ContainsFunc(parts, func(f *Filter) bool { return !f.Match(p) })
			if whole.Match(p) != want {
				t.Fatalf("%v as %s: %v, want %v", v, whole, !want, want)
			}
			if want {
				matches++
			}
		}
	}
	if matches < 1000 {
		t.Errorf("only %d matches: this test shows little", matches)
	}
}

func newRand(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, n)) }
