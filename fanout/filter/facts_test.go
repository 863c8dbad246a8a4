package filter

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Every fact is found as its kind, folded, and as no other.
func TestFacts(t *testing.T) {
	for name, c := range map[string]struct {
		fill func(*Builder)
		want map[kind][]string
	}{
		"from":        {func(b *Builder) { b.From("42", "Gull_Watch") }, map[kind][]string{kindFrom: {"42", "gull_watch"}}},
		"from, no id": {func(b *Builder) { b.From("", "Gull") }, map[kind][]string{kindFrom: {"gull"}}},
		"to":          {func(b *Builder) { b.To("42", "Gull") }, map[kind][]string{kindTo: {"42", "gull"}}},
		"retweets of": {func(b *Builder) { b.RetweetsOf("42", "Gull") }, map[kind][]string{kindRetweetsOf: {"42", "gull"}}},
		"ids":         {func(b *Builder) { b.Conversation("1"); b.InReplyTo("2"); b.RetweetOf("3") }, map[kind][]string{kindConversation: {"1"}, kindInReplyTo: {"2"}, kindRetweetOf: {"3"}}},
		"nothing": {func(b *Builder) {
			b.From("", "")
			b.Conversation("")
			b.Country("")
			b.Source("")
			b.Bio("")
			b.Place("")
		}, nil},
		"profile":      {func(b *Builder) { b.Bio("Ships &amp; Gulls"); b.BioName("Ann ⚓"); b.BioLocation("Port, EX") }, map[kind][]string{kindBio: {"ships", "gulls"}, kindBioName: {"ann"}, kindBioLocation: {"port", "ex"}}},
		"place":        {func(b *Builder) { b.Place("01A9", "São Paulo", "São Paulo, BR"); b.Country("BR") }, map[kind][]string{kindPlace: {"01a9", "são", "paulo", "br"}, kindCountry: {"br"}}},
		"source":       {func(b *Builder) { b.Source(" Night Desk &amp; Co ") }, map[kind][]string{kindSource: {"night desk & co"}}},
		"is":           {func(b *Builder) { b.Is("retweet"); b.Is("verified") }, map[kind][]string{kindIs: {"retweet", "verified"}}},
		"has":          {func(b *Builder) { b.Has("media"); b.Has("images") }, map[kind][]string{kindHas: {"media", "images"}}},
		"has hashtags": {func(b *Builder) { b.Text("#go") }, map[kind][]string{kindToken: {"go"}, kindHashtag: {"go"}, kindHas: {"hashtags"}, kindWord: nil}},
		"has mentions": {func(b *Builder) { b.Mention("Gull") }, map[kind][]string{kindToken: {"gull"}, kindMention: {"gull"}, kindHas: {"mentions"}}},
		"has cashtags": {func(b *Builder) { b.Cashtag("GULL") }, map[kind][]string{kindToken: {"gull"}, kindCashtag: {"gull"}, kindHas: {"cashtags"}}},
		"has links":    {func(b *Builder) { b.URL("http://a.org") }, map[kind][]string{kindToken: {"http", "a", "org"}, kindWord: {"a.org"}, kindHas: {"links"}}},
		"own link":     {func(b *Builder) { b.OwnURL("http://a.org") }, map[kind][]string{kindToken: {"http", "a", "org"}, kindWord: {"a.org"}}},
		"has geo":      {func(b *Builder) { b.Point(1, 2) }, map[kind][]string{kindHas: {"geo"}}},
	} {
		var want []uint64
		for k, words := range c.want {
			for _, w := range words {
				want = append(want, k.of(w))
			}
		}
		slices.Sort(want)
		if p := build(c.fill); !slices.Equal(p.Features, want) {
			t.Errorf("%s: features %x, want %x", name, p.Features, want)
		}
	}
}

func TestCounts(t *testing.T) {
	for in, want := range map[[4]int64][4]uint32{
		{0, 1, 2, 3}:                       {0, 1, 2, 3},
		{-1, 5, -9, 0}:                     {NoCount, 5, NoCount, 0},
		{1 << 40, int64(NoCount), 4e9, -1}: {NoCount - 1, NoCount - 1, 4e9, NoCount},
	} {
		if p := build(func(b *Builder) { b.Counts(in[0], in[1], in[2], in[3]) }); p.Counts != want {
			t.Errorf("counts %v are %v, want %v", in, p.Counts, want)
		}
	}
	if p := build(func(*Builder) {}); p.Counts != unknown {
		t.Errorf("of a post that says nothing: %v", p.Counts)
	}
}

// inOrder is what Post.Order should be: the tokens of fields, 0 between two.
func inOrder(k kind, fields ...string) (order []uint32) {
	for _, f := range fields {
		if len(order) > 0 && f != "" {
			order = append(order, 0)
		}
		for _, token := range strings.Fields(f) {
			order = append(order, uint32(k.of(token)))
		}
	}
	return order
}

// Tokens stand as they do in the text, signs and punctuation aside, whatever its
// script and direction.
func TestOrder(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "",
		"… !?":                               "",
		"hello @Gull, #go-pher":              "hello gull go pher",
		"one two one":                        "one two one",
		"see https://a.org/b-c?d now":        "see https a org b c d now",
		"R&amp;D &lt;3":                      "r d 3",
		"ΟΔΟΣ Straße İZMİR":                  "οδοσ strasse izmir",
		"cafe\u0301 olé":                     "café olé",
		"古い天文台が、再開。":                         "古い天文台が 再開",
		"한국 말, 한국말":                          "한국 말 한국말",
		"שלום, עולם! abc":                    "שלום עולם abc",
		"السماء «صافية» ١٢":                  "السماء صافية ١٢",
		"नमस्ते दुनिया":                      "नमस्ते दुनिया",
		"ท้องฟ้า ใส":                         "ท้องฟ้า ใส",
		"🔭✨go🔭go":                            "go go",
		"a\u200bb\u00adc":                    "a b c",
		"exactly_sixteen_ seventeen_letters": "exactly_sixteen_ seventeen_letters",
		strings.Repeat("ab, é ", 40):         strings.Repeat("ab é ", 40),
	} {
		if p := postOf(text); !slices.Equal(p.Order, inOrder(kindToken, want)) {
			t.Errorf("%q: order %x, want that of %q: %x", text, p.Order, want, inOrder(kindToken, want))
		}
	}
	p := build(func(b *Builder) {
		b.Text("one two")
		b.Text("...")
		b.Hashtag("tag")
		b.URL("http://a.org")
		b.Text("two three")
	})
	if want := inOrder(kindToken, "one two", "two three"); !slices.Equal(p.Order, want) {
		t.Errorf("two texts: %x, want %x", p.Order, want)
	}
	p = build(func(b *Builder) { b.Bio("a b"); b.Place("id", "c d") })
	if want := slices.Concat(inOrder(kindBio, "a b"), []uint32{0}, inOrder(kindPlace, "c d")); !slices.Equal(p.Order, want) {
		t.Errorf("a bio and a place: %x, want %x", p.Order, want)
	}
}

// A shown form that is the beginning of the link says nothing new.
func TestLinks(t *testing.T) {
	p := build(func(b *Builder) {
		b.Text("See https://t.co/aB3 and gull.org")
		b.URL("https://www.News.org/harbour/lights-go-out")
		b.URL("news.org/harbour/lig…")
		b.URL("ws.org/harbour") // part of the letters, not of the link
		b.URL("news.org/other…")
	})
	want := "https://t.co/ab3\ngull.org\nhttps://www.news.org/harbour/lights-go-out\nws.org/harbour\nnews.org/other\n"
	if p.Links != want {
		t.Errorf("links\n%swant\n%s", p.Links, want)
	}
	for token, in := range map[string]bool{"harbour": true, "lights": true, "lig": false, "ws": true, "other": true} {
		if has(p.Features, kindToken.of(token)) != in {
			t.Errorf("token %s: %v, want %v", token, !in, in)
		}
	}
}

// What a link is made of are tokens even where the text around it writes no spaces.
func TestLinkAmongLetters(t *testing.T) {
	p := postOf("天文台dome.orgです")
	for _, token := range []string{"天文台dome", "orgです", "dome", "org"} {
		if !has(p.Features, kindToken.of(token)) {
			t.Errorf("no token %s", token)
		}
	}
	if want := inOrder(kindToken, "天文台dome orgです"); !slices.Equal(p.Order, want) {
		t.Errorf("order %x, want %x", p.Order, want)
	}
}

// What Fill makes is what Post makes, without memory of its own.
func TestFill(t *testing.T) {
	var b Builder
	var p Post
	for name, texts := range benchTexts {
		fillBench(&b, texts)
		b.Bio("Gulls & ships")
		b.Counts(1, 2, 3, 4)
		b.Fill(&p)
		if post := b.Post(); !reflect.DeepEqual(post, &p) {
			t.Errorf("%s: filled %+v, made %+v", name, &p, post)
		}
		if n := testing.AllocsPerRun(100, func() { fillBench(&b, texts); b.Fill(&p) }); n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// The three ways to hash are one.
func TestHash(t *testing.T) {
	long := strings.Repeat("harbour", 8)
	for n := range len(long) {
		s := long[:n]
		open := []byte("x" + long + strings.Repeat("y", padding))
		want := kindWord.of(s)
		if kindWord.ofBytes([]byte(s)) != want || kindWord.ofToken(open, 1, 1+n) != want {
			t.Errorf("the hashes of %q differ", s)
		}
		if kindToken.of(s) == want || kindWord.of(s+"\x00") == want || kindWord.of("z"+s) == want {
			t.Errorf("the hash of %q is not its own", s)
		}
	}
}

// No text takes more than a time that grows with its length: a message may be a
// megabyte of what is nearly a link, or an entity, over and over. What is
// quadratic in any of these takes minutes.
func TestOddTexts(t *testing.T) {
	for _, unit := range []string{
		"a.", "é.", "a_b.", "中a.b", "中a.co", "..", "a-", "0123456789abcdef.", "x@a.co", "a.co ", "a.co/", "a.co?!",
		"a.co/!!(", "a.co/(b", "a.co/((", "http://a.", "http://a.中.", "a.#", "a.co#", "a#", "#1", "@a", "$a", "&amp;", "\xff", "e\u0301", "\u0301",
	} {
		const size = 64 << 10
		if p := postOf(strings.Repeat(unit, size/len(unit))); len(p.Links) > maxLinks {
			t.Errorf("%q: %d bytes of links", unit, len(p.Links))
		}
	}
}

// slowTokens divides a text the plain way.
func slowTokens(text string) []string {
	text = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">").Replace(text)
	folded := norm.NFC.String(fold(strings.ToValidUTF8(text, "\ufffd")))
	return strings.FieldsFunc(folded, func(r rune) bool {
		word := r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
		return !word || r == 0xfe0e || r == 0xfe0f
	})
}
