package filter

import (
	"net/url"
	"strings"
	"testing"
)

// postOf makes a post of a text alone.
func postOf(text string) *Post {
	return build(func(b *Builder) { b.Text(text) })
}

// linkOf makes a post whose links are in its entities, as a stream sends it: the
// text has a shortened link only, the entity the real one and a shown one.
func linkOf(text string) *Post {
	return build(func(b *Builder) {
		for _, w := range strings.Fields(text) {
			if !strings.Contains(w, ".") || strings.HasSuffix(w, ".") {
				b.Text(w)
				continue
			}
			link := strings.TrimPrefix(w, "http://")
			b.Text("https://t.co/x7Gh2k")
			b.URL("http://" + link)
			b.URL(strings.TrimPrefix(link, "www."))
		}
	})
}

func build(fill func(*Builder)) *Post {
	var b Builder
	b.Reset(Key{Source: "test", ID: "1"})
	fill(&b)
	return b.Post()
}

func parseOne(t testing.TB, param, value string) *Filter {
	t.Helper()
	f, err := Parse(url.Values{param: {value}})
	if err != nil {
		t.Fatalf("%s=%s: %v", param, value, err)
	}
	return f
}

// The table by which the v1.1 documentation explains track. Its row for
// www.example.com/foobarbaz, which matches nothing, is in TestErrors.
var documented = []struct {
	track   string
	matches []string
	misses  []string
}{
	{"Twitter",
		[]string{"TWITTER", "twitter", `"Twitter"`, "twitter.", "#twitter", "@twitter", "http://twitter.com"},
		[]string{"TwitterTracker", "#newtwitter"}},
	{"Twitter's",
		[]string{"I like Twitter's new design"},
		[]string{"Someday I'd like to visit @Twitter's office"}},
	{"twitter api,twitter streaming",
		[]string{"The Twitter API is awesome", "The twitter streaming service is fast", "Twitter has a streaming API"},
		[]string{"I'm new to Twitter"}},
	{"example.com",
		[]string{"Someday I will visit example.com"},
		[]string{"There is no example.com/foobarbaz"}},
	{"example.com/foobarbaz",
		[]string{"example.com/foobarbaz", "www.example.com/foobarbaz"},
		[]string{"example.com"}},
	{"example com",
		[]string{"example.com", "www.example.com", "foo.example.com", "foo.example.com/bar",
			"I hope my startup isn't merely another example of a dot com boom!"},
		nil},
}

func TestDocumentedTable(t *testing.T) {
	for _, row := range documented {
		f := parseOne(t, "track", row.track)
		check := func(text string, want bool) {
			t.Helper()
			if got := f.Match(postOf(text)); got != want {
				t.Errorf("track=%s, text %q: match is %v, want %v", row.track, text, got, want)
			}
			if got := f.Match(linkOf(text)); got != want {
				t.Errorf("track=%s, links of %q as entities: match is %v, want %v", row.track, text, got, want)
			}
		}
		for _, text := range row.matches {
			check(text, true)
		}
		for _, text := range row.misses {
			check(text, false)
		}
	}
}

// Entities without any trace in the text, as in a text that was cut off.
func TestDocumentedEntities(t *testing.T) {
	f := parseOne(t, "track", "Twitter")
	for name, c := range map[string]struct {
		fill func(*Builder)
		want bool
	}{
		"hashtag":         {func(b *Builder) { b.Hashtag("Twitter") }, true},
		"longer hashtag":  {func(b *Builder) { b.Hashtag("newtwitter") }, false},
		"mention":         {func(b *Builder) { b.Mention("TWITTER") }, true},
		"cashtag":         {func(b *Builder) { b.Cashtag("twitter") }, true},
		"link":            {func(b *Builder) { b.URL("https://twitter.com/jun/status/20") }, true},
		"piece of a path": {func(b *Builder) { b.URL("https://news.example/why-twitter-cut-it?x=1") }, true},
		"language":        {func(b *Builder) { b.Lang("twitter") }, false},
		"author":          {func(b *Builder) { b.Author("twitter") }, false},
	} {
		if got := f.Match(build(c.fill)); got != c.want {
			t.Errorf("%s: match is %v, want %v", name, got, c.want)
		}
	}
}

func TestTrack(t *testing.T) {
	for _, c := range []struct {
		track, text string
		want        bool
	}{
		// the sentences of the documentation
		{"hello", "hello world", true},
		{"hello", "my brother says hello.", true},
		{"touché", "touche", false},
		{"touche", "touché", false},
		{"TOUCHÉ", "touche\u0301!", true}, // NFC

		// terms are found anywhere, a phrase whole or not at all
		{"world hello", "Hello, world", true},
		{"hello world", "hello there", false},
		{"nothing,hello", "hello", true},

		// whole words and bare tokens
		{"mother-in-law", "my mother-in-law's here", false},
		{"mother-in-law", `("Mother-In-Law")`, true},
		{"mother law", "mother-in-law", true},
		{"don't", "I DON'T know…", true},
		{"snake_case", "snake_case!", true},
		{"snake", "snake_case", false},
		{"c++", "I like C++.", true},
		{"c++", "c", false},
		{"c", "c++", true},
		{"<3", "all my &lt;3 to you", true},
		{"at&t", "AT&amp;T's masts", false},
		{"at&t", "(AT&amp;T)", true},
		{"amp", "R&amp;D", false},
		{"x&lt", "X&amp;LT;", true}, // undone once, not twice
		{"🔭", "look 🔭", true},
		{"🔭", "look 🔭🔭", true},
		{"🔭", "hi🔭", true},
		{"🔭", "@kestrel🔭✨", true},
		{"🔭🔭", "look 🔭", false},
		{"🔭✨", "look 🔭✨!", true},
		{"👩", "👩‍🚀", false},
		{"❤️", "you ❤️!", true},
		{"#wing", "#wing✈️", true},

		// entities
		{"#golang", "I write #GoLang, mostly", true},
		{"#golang", "I write golang", false},
		{"#golang", "#golangs", false},
		{"#golang", "(#golang)", true},
		{"#gol", "cut off at #gol…", false},
		{"@kestrel", ".@kestrel: look", true},
		{"@kestrel", "mail me at kestrel@kestrel", false},
		{"@kestrel", "\u2066@kestrel\u2069", true},
		{"$BRK.A", "bought $brk.a, sold", true},
		{"$ABC", "ABC", false},
		{"abc", "$ABC", true},
		{"5.99", "only $5.99!", true},
		{"#東京", "今日は ＃東京", true},

		// links
		{"http://example.com/", "see example.com", true},
		{"example.com/a", "(https://www.Example.com/A/)", true},
		{"example.com/a_(b)", "http://example.com/a_(b) is it", true},
		{"example.com/a_(b)", "(see http://example.com/a_(b))", true},
		{"example.com/a_(b", "(see http://example.com/a_(b))", true},
		{"example.com/a", "<http://example.com/a>", true},
		{"example.com", "🔥example.com", true},
		{"example.com", "mail@example.com", false},

		// case folding beyond ASCII
		{"STRASSE", "die Straße", true},
		{"οδος", "ΟΔΟΣ", true},
		{"istanbul", "İSTANBUL", true},
		{"ısparta", "isparta", false},
		{"москва", "МОСКВА!", true},
		{"việt", "VIỆT NAM", true},

		// languages without spaces: a run of letters is one token
		{"코로나", "코로나 확진", true},
		{"코로나", "코로나19 확진", false},
		{"天文台", "古い天文台", false},
		{"天文台", "「天文台」です", true},
		{"天文台", "#天文台 です", true},
		{"天文台", "古い、天文台。", true},
	} {
		if got := parseOne(t, "track", c.track).Match(postOf(c.text)); got != c.want {
			t.Errorf("track=%s, text %q: match is %v, want %v", c.track, c.text, got, c.want)
		}
	}
}

// A link entity keeps the punctuation at its end, other words do not.
func TestLinkEntity(t *testing.T) {
	p := build(func(b *Builder) {
		b.URL("https://wiki.example/wiki/Go_(game)")
		b.URL(" HTTP://WWW.Shouting.example// ")
	})
	for track, want := range map[string]bool{
		"wiki.example/wiki/go_(game)":         true,
		"https://wiki.example/wiki/Go_(game)": true,
		"shouting.example":                    true,
		"wiki.example":                        false,
		"wiki":                                true,
		"game go_":                            true,
	} {
		if got := parseOne(t, "track", track).Match(p); got != want {
			t.Errorf("track=%s: match is %v, want %v", track, got, want)
		}
	}
}

func TestFollow(t *testing.T) {
	f := parseOne(t, "follow", "12, 0034")
	for name, c := range map[string]struct {
		fill func(*Builder)
		want bool
	}{
		"written by":     {func(b *Builder) { b.Author("12") }, true},
		"reply to":       {func(b *Builder) { b.Author("9"); b.Concerns("34") }, true},
		"repost of":      {func(b *Builder) { b.Author("9"); b.Concerns("12"); b.Ref("7") }, true},
		"somebody else":  {func(b *Builder) { b.Author("123"); b.Concerns("1") }, false},
		"nobody":         {func(b *Builder) { b.Author("") }, false},
		"the word 12":    {func(b *Builder) { b.Text("12 34"); b.Mention("12"); b.Hashtag("34") }, false},
		"a post's id":    {func(b *Builder) { b.Ref("12") }, false},
		"padded is none": {func(b *Builder) { b.Author("0034") }, false},
	} {
		if got := f.Match(build(c.fill)); got != c.want {
			t.Errorf("%s: match is %v, want %v", name, got, c.want)
		}
	}
}

func TestLocations(t *testing.T) {
	const sanFrancisco, newYork = "-122.75,36.8,-121.75,37.8", "-74,40,-73,41"
	point := func(lon, lat float64) func(*Builder) { return func(b *Builder) { b.Point(lon, lat) } }
	area := func(w, s, e, n float64) func(*Builder) { return func(b *Builder) { b.Area(Box{w, s, e, n}) } }
	for _, c := range []struct {
		name, boxes string
		fill        func(*Builder)
		want        bool
	}{
		{"inside", sanFrancisco, point(-122.4, 37.7), true},
		{"in the second", sanFrancisco + "," + newYork, point(-73.9, 40.7), true},
		{"outside", sanFrancisco, point(-73.9, 40.7), false},
		{"latitude first", newYork, point(40.7, -73.9), false},
		{"on the corner", newYork, point(-74, 40), true},
		{"on the border", newYork, point(-73, 40.5), true},
		{"just beyond", newYork, point(-72.9999, 40.5), false},
		{"no place", newYork, func(*Builder) {}, false},
		{"no place, whole world", "-180,-90,180,90", func(*Builder) {}, false},
		{"whole world", "-180,-90,180,90", point(180, -90), true},
		{"null island", "0,0,0,0", point(0, 0), true},
		{"area inside", newYork, area(-73.9, 40.1, -73.8, 40.2), true},
		{"area around", newYork, area(-125, 25, -67, 49), true},
		{"area overlaps a corner", newYork, area(-73.5, 40.5, -72, 42), true},
		{"area crosses like a plus", newYork, area(-80, 40.4, -60, 40.6), true},
		{"area touches", newYork, area(-73, 41, -72, 42), true},
		{"area beside", newYork, area(-72, 40, -71, 41), false},
		{"area above", newYork, area(-74, 42, -73, 43), false},
		{"degenerate area", newYork, area(-73.5, 40.5, -73.5, 40.6), true},
		{"point before area", newYork, func(b *Builder) { b.Point(0, 0); b.Area(Box{-74, 40, -73, 41}) }, false},
		{"point after area", newYork, func(b *Builder) { b.Area(Box{-74, 40, -73, 41}); b.Point(0, 0) }, false},
		{"not on earth", "-180,-90,180,90", func(b *Builder) { b.Point(181, 0); b.Point(0, nan); b.Area(Box{nan, 0, 1, 1}) }, false},
		{"corners swapped", newYork, area(-73.8, 40.2, -73.9, 40.1), false},
	} {
		if got := parseOne(t, "locations", c.boxes).Match(build(c.fill)); got != c.want {
			t.Errorf("%s: match is %v, want %v", c.name, got, c.want)
		}
	}
}

// (track OR follow OR locations) AND language AND filter_level.
func TestCombination(t *testing.T) {
	goPost := func(b *Builder) { b.Text("go") }
	byAuthor := func(b *Builder) { b.Author("12") }
	inBox := func(b *Builder) { b.Point(1, 1) }
	with := func(fill func(*Builder), lang, level string) func(*Builder) {
		return func(b *Builder) { fill(b); b.Lang(lang); b.Level(level) }
	}
	for _, c := range []struct {
		query string
		fill  func(*Builder)
		want  bool
	}{
		{"", func(*Builder) {}, true},
		{"track=go&follow=12&locations=0,0,2,2", goPost, true},
		{"track=go&follow=12&locations=0,0,2,2", byAuthor, true},
		{"track=go&follow=12&locations=0,0,2,2", inBox, true},
		{"track=go&follow=12&locations=0,0,2,2", func(b *Builder) { b.Text("gone") }, false},
		{"track=go&language=en", with(goPost, "en", ""), true},
		{"track=go&language=EN,pt-br", with(goPost, "pt-BR", ""), true},
		{"track=go&language=en", with(goPost, "de", ""), false},
		{"track=go&language=en", goPost, false},
		{"track=go&language=en", with(byAuthor, "en", ""), false},
		{"language=en", with(byAuthor, "EN", ""), true},
		{"language=en", func(b *Builder) { b.Text("en"); b.Lang("de") }, false},
		{"track=go&filter_level=low", with(goPost, "en", "low"), true},
		{"track=go&filter_level=low", with(goPost, "en", "medium"), true},
		{"track=go&filter_level=medium", with(goPost, "en", "low"), false},
		{"track=go&filter_level=low", goPost, false}, // none given counts as none
		{"track=go&filter_level=low", with(goPost, "en", "odd"), false},
		{"track=go&filter_level=none", goPost, true},
		{"filter_level=low", with(byAuthor, "", "Low"), true},
		{"language=en&filter_level=low", with(byAuthor, "en", "none"), false},
	} {
		f, err := ParseString(c.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Match(build(c.fill)); got != c.want {
			t.Errorf("%s: match is %v, want %v", c.query, got, c.want)
		}
	}
}

func TestEmpty(t *testing.T) {
	var none *Filter
	empty, err := Parse(url.Values{"track": {""}, "follow": {"", ""}, "count": {"5"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*Filter{none, empty, {}} {
		if !f.Empty() || f.String() != "" || !f.Match(postOf("anything")) || !f.Match(nil) {
			t.Errorf("%#v is not the filter for every post", f)
		}
	}
	for _, query := range []string{"language=en", "filter_level=low", "follow=1"} {
		if f, err := ParseString(query); err != nil || f.Empty() || f.Match(nil) {
			t.Errorf("%s: %v, or it counts as empty", query, err)
		}
	}
}
