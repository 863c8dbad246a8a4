package filter

import (
	"fmt"
	"net/url"
	"testing"
)

// The posts of these benchmarks hold what a stream message of some 3 KB holds:
// a repost with its cut outer text, the whole inner one and its entities.
var benchTexts = map[string][2]string{
	"latin": {
		"RT @kestrel_watch: The old observatory reopens on Saturday &amp; we're bringing telescopes, coffee and a very patient cat. Come early, it's…",
		"The old observatory reopens on Saturday &amp; we're bringing telescopes, coffee and a very patient cat. Come early, it's a small dome! Tickets: https://t.co/a1B2c3D4e5 #stargazing #observatory @dome_friends 🔭✨ (kids' corner opens at 17:30, rain or shine.)",
	},
	"cyrillic": {
		"RT @kestrel_watch: Старая обсерватория снова открывается в субботу: телескопы, кофе и очень терпеливый кот. Приходите пораньше, купол…",
		"Старая обсерватория снова открывается в субботу: телескопы, кофе и очень терпеливый кот. Приходите пораньше, купол небольшой! Билеты: https://t.co/a1B2c3D4e5 #звёзды #обсерватория @dome_friends 🔭✨ (детский уголок с 17:30, в любую погоду.)",
	},
	"japanese": {
		"RT @kestrel_watch: 古い天文台が土曜日に再開します。望遠鏡とコーヒー、そしてとても我慢強い猫も来ます。早めにお越しください、ドームは小さいので…",
		"古い天文台が土曜日に再開します。望遠鏡とコーヒー、そしてとても我慢強い猫も来ます。早めにお越しください、ドームは小さいので！チケット： https://t.co/a1B2c3D4e5 #天体観測 #天文台 @dome_friends 🔭✨（キッズコーナーは17時30分から、雨天決行）",
	},
}

func fillBench(b *Builder, texts [2]string) {
	b.Reset(Key{"twitter", "1192021332537626111"})
	b.Author("42")
	b.Concerns("1234567890")
	b.Ref("1192021332537620000")
	b.Text(texts[0])
	b.Text(texts[1])
	b.URL("https://observatory.example/visit/saturday-opening?utm_source=stream")
	b.URL("observatory.example/visit/saturday…")
	b.Hashtag("stargazing")
	b.Hashtag("observatory")
	b.Mention("kestrel_watch")
	b.Mention("dome_friends")
	b.Lang("en")
	b.Level("low")
}

// BenchmarkBuilder shows what a post costs once, before any lock is taken: some
// 2.5 µs where letters are ASCII, up to twice that where they are two bytes
// each, and four allocations that are the post's own.
func BenchmarkBuilder(b *testing.B) {
	for name, texts := range benchTexts {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var builder Builder
			for b.Loop() {
				fillBench(&builder, texts)
				builder.Post()
			}
		})
	}
}

// BenchmarkFill is BenchmarkBuilder for a post that is matched on the spot: it
// allocates nothing. One text, without its cut copy, is half of it.
func BenchmarkFill(b *testing.B) {
	for name, texts := range benchTexts {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			var builder Builder
			var p Post
			for b.Loop() {
				fillBench(&builder, texts)
				builder.Fill(&p)
			}
		})
	}
	b.Run("text", func(b *testing.B) {
		var builder Builder
		var p Post
		for b.Loop() {
			builder.Reset(Key{"twitter", "1192021332537626111"})
			builder.Text(benchTexts["latin"][1])
			builder.Fill(&p)
		}
	})
}

func benchPost(name string) *Post {
	var b Builder
	fillBench(&b, benchTexts[name])
	return b.Post()
}

// BenchmarkMatch shows that a filter's size hardly matters: the smaller side is
// looked up in the larger one.
func BenchmarkMatch(b *testing.B) {
	long := ""
	for i := range 400 {
		long += fmt.Sprintf(",word%d", i)
	}
	ids := ""
	for i := range 5000 {
		ids += fmt.Sprintf(",%d", 1_000_000+i)
	}
	p := benchPost("latin")
	for _, c := range []struct {
		name string
		v    url.Values
	}{
		{"word", url.Values{"track": {"golang"}}},
		{"phrase", url.Values{"track": {"telescopes tickets absent"}}},
		{"400 words", url.Values{"track": {long[1:]}}},
		{"5000 ids", url.Values{"follow": {ids[1:]}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			f, err := Parse(c.v)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if f.Match(p) {
					b.Fatal("it should not match")
				}
			}
		})
	}
}

// BenchmarkParse shows what a new client with the largest follow list costs.
func BenchmarkParse(b *testing.B) {
	ids := ""
	for i := range 5000 {
		ids += fmt.Sprintf(",%d", 1_000_000+i)
	}
	v := url.Values{"track": {"golang,http2 push,#sse"}, "follow": {ids[1:]}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(v); err != nil {
			b.Fatal(err)
		}
	}
}
