package twitter

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/tidwall/gjson"

	"aviary/upstream"
)

// fixture reads a synthetic message.
func fixture(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.TrimSpace(b)
}

// BenchmarkSplitDecode is what a 3 KB post costs from the socket's bytes to an
// event ready to publish: split, normalised, checked, and its filter features made.
func BenchmarkSplitDecode(b *testing.B) {
	for _, name := range []string{"post.json", "repost.json"} {
		b.Run(name, func(b *testing.B) {
			line := append(fixture(b, name), '\r', '\n')
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			frames := upstream.NewFrames(&endless{line: line}, upstream.FramingStream)
			for b.Loop() {
				m, err := frames.Next()
				if err != nil {
					b.Fatal(err)
				}
				if _, err := Decode(m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// endless is a stream of the same line for ever.
type endless struct {
	line []byte
	at   int
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c := copy(p[n:], e.line[e.at:])
		n, e.at = n+c, (e.at+c)%len(e.line)
	}
	return n, nil
}

// BenchmarkWalk is the part that this package's JSON reader has in it, against
// other ways to check a post and read the same fields: they are why the reader
// exists.
func BenchmarkWalk(b *testing.B) {
	post := fixture(b, "post.json")
	b.Run("reader", func(b *testing.B) {
		var r reader
		for b.Loop() {
			r.Reset(post)
			if r.Skip(); !r.End() {
				b.Fatal("not valid")
			}
		}
	})
	b.Run("gjson-valid", func(b *testing.B) {
		for b.Loop() {
			if !gjson.ValidBytes(post) {
				b.Fatal("not valid")
			}
		}
	})
	b.Run("gjson-valid-and-walk", func(b *testing.B) {
		for b.Loop() {
			if !gjson.ValidBytes(post) {
				b.Fatal("not valid")
			}
			walkGJSON(gjson.ParseBytes(post), 0)
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		for b.Loop() {
			var p partial
			if err := json.Unmarshal(post, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// walkGJSON visits what decoding visits.
func walkGJSON(v gjson.Result, depth int) {
	v.ForEach(func(key, value gjson.Result) bool {
		switch key.String() {
		case "id_str", "text", "full_text", "screen_name", "expanded_url", "display_url", "lang":
			_ = value.String()
		case "user", "entities", "extended_entities", "extended_tweet", "retweeted_status", "quoted_status",
			"urls", "media", "hashtags", "user_mentions", "symbols", "place", "bounding_box":
			walkGJSON(value, depth+1)
		case "":
			walkGJSON(value, depth+1)
		}
		return true
	})
}

type partialEntities struct {
	URLs, Media []struct {
		Expanded string `json:"expanded_url"`
		Display  string `json:"display_url"`
	}
	Hashtags, Symbols []struct{ Text string }
	Mentions          []struct {
		Name    string `json:"screen_name"`
		ID      string `json:"id_str"`
		Indices []int
	} `json:"user_mentions"`
}

type partial struct {
	ID   string `json:"id_str"`
	Text string
	Full string `json:"full_text"`
	Lang string
	User struct {
		ID string `json:"id_str"`
	}
	Entities partialEntities
	More     partialEntities `json:"extended_entities"`
	Extended *partial        `json:"extended_tweet"`
	Repost   *partial        `json:"retweeted_status"`
	Quote    *partial        `json:"quoted_status"`
	Place    *struct {
		Box struct{ Coordinates [][][]float64 } `json:"bounding_box"`
	}
}

// BenchmarkCompact is the compact form of a post; it is made once per post, and
// only if somebody reads it.
func BenchmarkCompact(b *testing.B) {
	post := fixture(b, "post.json")
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := appendCompact(dst, post); err != nil {
			b.Fatal(err)
		}
	}
}
