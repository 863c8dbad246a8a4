package filter

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A corpus makes the posts and filters of the index's benchmarks: words by Zipf's
// law, as languages have them, posts of 15 to 25 words, and filters as people
// write them, whose words come from the long tail of the same law: nobody tracks
// "the", nor what everybody says all day.
type corpus struct {
	*rand.Rand
	words   *rand.Zipf
	authors *rand.Zipf
	head    int // of 100 words in filters so many are from the head of the law
}

const (
	corpusWords = 500_000
	corpusHead  = 2000 // words of a rank below are the head: most of what is said
)

func newCorpus(head int) *corpus {
	c := &corpus{Rand: rand.New(rand.NewPCG(11, 12)), head: head}
	c.words = rand.NewZipf(c.Rand, 1.07, 2.7, corpusWords)
	c.authors = rand.NewZipf(c.Rand, 1.1, 20, 1_000_000)
	return c
}

// word returns the word of a rank: frequent ones are short.
func (c *corpus) word(rank uint64) string {
	const consonants, vowels = "bdfgklmnprstvz", "aeiou"
	var s []byte
	for n := rank; ; n = n/70 - 1 {
		s = append(s, consonants[n%14], vowels[n/14%5])
		if n < 70 {
			return string(s)
		}
	}
}

func (c *corpus) anyWord() string { return c.word(c.words.Uint64()) }

// term returns a word for a filter.
func (c *corpus) term() string {
	inHead := c.IntN(100) < c.head
	for {
		if rank := c.words.Uint64(); rank < corpusHead == inHead {
			return c.word(rank)
		}
	}
}

var corpusLangs = strings.Fields("en en en en en en en en ja ja ja ja es es es pt pt ar ko fr tr de ru")

func (c *corpus) lang() string { return corpusLangs[c.IntN(len(corpusLangs))] }

// spot is somewhere in one of 300 towns.
func (c *corpus) spot() (lon, lat float64) {
	town := c.IntN(300)
	return float64(town*37%340) - 170 + c.Float64(), float64(town*17%120) - 50 + c.Float64()
}

// tweet is a post before it is taken apart.
type tweet struct {
	id, author, name, lang, text string
	tags, mentions, urls         []string
	reply, photo                 bool
	followers                    int64
	geo                          Box // with four zeros: none
}

func (c *corpus) tweet(i int) *tweet {
	t := &tweet{id: fmt.Sprint(1192021332537626111 + i), lang: c.lang(), followers: int64(c.authors.Uint64())}
	t.author, t.name = c.author()
	text := strings.Builder{}
	for n := range 15 + c.IntN(11) {
		word := c.anyWord()
		switch {
		case n == 0:
			word = strings.ToUpper(word[:1]) + word[1:]
		case c.IntN(14) == 0:
			t.tags = append(t.tags, word)
			word = "#" + word
		case c.IntN(20) == 0:
			_, name := c.author()
			t.mentions = append(t.mentions, name)
			word = "@" + name
		case c.IntN(12) == 0:
			word += ","
		}
		text.WriteString(word + " ")
	}
	if c.IntN(3) == 0 {
		t.urls = []string{"https://" + c.anyWord() + ".example/" + c.anyWord() + "/" + c.anyWord()}
		text.WriteString("https://t.co/a1B2c3D4e5")
	}
	t.text = text.String()
	t.reply, t.photo = c.IntN(4) == 0, c.IntN(5) == 0
	if c.IntN(30) == 0 {
		lon, lat := c.spot()
		side := []float64{0, 0.1, 0.3, 5}[c.IntN(4)]
		t.geo = Box{lon, lat, lon + side, lat + side}
	}
	return t
}

func (c *corpus) author() (id, name string) {
	n := c.authors.Uint64()
	return fmt.Sprint(1000 + n), c.word(n+7) + "_" + fmt.Sprint(n%10)
}

// build tells the builder all that a dialect would.
func (t *tweet) build(b *Builder) {
	b.Reset(Key{"twitter", t.id})
	b.Author(t.author)
	b.From(t.author, t.name)
	b.Text(t.text)
	for _, s := range t.tags {
		b.Hashtag(s)
	}
	for _, s := range t.mentions {
		b.Mention(s)
	}
	for _, s := range t.urls {
		b.URL(s)
	}
	b.Lang(t.lang)
	b.Level("low")
	if t.reply {
		b.Is("reply")
	}
	if t.photo {
		b.Has("media")
		b.Has("images")
	}
	b.Counts(t.followers, 100, 1000, 1)
	if t.geo != (Box{}) {
		b.Area(t.geo)
	}
}

func (c *corpus) tweets(n int) []*tweet {
	tweets := make([]*tweet, n)
	for i := range tweets {
		tweets[i] = c.tweet(i)
	}
	return tweets
}

func (t *tweet) post() *Post {
	var b Builder
	t.build(&b)
	return b.Post()
}

// track is one to five phrases of one to three words.
func (c *corpus) track() string {
	var phrases []string
	for range 1 + c.IntN(5) {
		var words []string
		for range 1 + c.IntN(3) {
			words = append(words, c.term())
		}
		phrases = append(phrases, strings.Join(words, " "))
	}
	return "track=" + strings.Join(phrases, ",")
}

// query returns one filter in the form of String: of a hundred 60 track, 12 follow,
// 5 have boxes, 13 track in a language, 10 are rules.
func (c *corpus) query() string {
	switch n := c.IntN(100); {
	case n < 60:
		return c.track()
	case n < 72:
		var ids []string
		for range 1 + c.IntN(10) {
			ids = append(ids, fmt.Sprint(1000+c.Uint64N(1_000_000)))
		}
		return "follow=" + strings.Join(ids, ",")
	case n < 77:
		lon, lat := c.spot()
		side := 0.05 + c.Float64()
		return fmt.Sprintf("locations=%.4f,%.4f,%.4f,%.4f", lon, lat, lon+side, lat+side)
	case n < 90:
		return c.track() + "&language=" + c.lang()
	}
	return "q=" + strings.NewReplacer("#", "%23").Replace(c.rule())
}

// rule is a boolean rule.
func (c *corpus) rule() string {
	a, b, d := c.term(), c.term(), c.term()
	_, name := c.author()
	switch c.IntN(6) {
	case 0:
		return fmt.Sprintf("(%s OR %s) %s -is:reply", a, b, d)
	case 1:
		return fmt.Sprintf("\"%s %s\" lang:%s", a, b, c.lang())
	case 2:
		return fmt.Sprintf("from:%s OR (%s has:images)", name, a)
	case 3:
		return fmt.Sprintf("#%s (lang:en OR lang:de) -%s", a, b)
	case 4:
		return fmt.Sprintf("%s %s min_followers:500", a, b)
	}
	return fmt.Sprintf("(%s OR #%s OR @%s) (has:links OR has:media)", a, b, name)
}

// filters returns n different filters.
func (c *corpus) filters(n int) []*Filter {
	seen := make(map[string]bool, n)
	filters := make([]*Filter, 0, n)
	for len(filters) < n {
		q := c.query()
		f, err := ParseString(q)
		if err != nil {
			panic(q + ": " + err.Error())
		}
		if !seen[f.String()] {
			seen[f.String()] = true
			filters = append(filters, f)
		}
	}
	return filters
}
