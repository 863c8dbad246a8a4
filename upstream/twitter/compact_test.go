package twitter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"aviary/upstream/compact"
)

func TestCompact(t *testing.T) {
	const user = `"user":{"id":3,"id_str":"3","screen_name":"ann_x","name":"Ann \"A\" Example","profile_image_url_https":"https://img.example/a.jpg","verified":true}`
	const author = `"author":{"id_str":"3","username":"ann_x","name":"Ann \"A\" Example","avatar":"https://img.example/a.jpg","verified":true},"url":"https://twitter.com/ann_x/status/9"`
	for _, c := range []struct{ name, in, want string }{
		{"least", `{"id":9}`, `{"id_str":"9","url":"https://twitter.com/i/status/9","source":"twitter"}`},
		{"id_str is right", `{"id":9000000000000000000,"id_str":"9000000000000000001"}`, `{"id_str":"9000000000000000001","url":"https://twitter.com/i/status/9000000000000000001","source":"twitter"}`},
		{"plain", `{"id_str":"9","created_at":"Wed Nov 06 10:37:41 +0000 2019","text":"a &lt;b&gt; &amp;amp; c","lang":"en",` + user + `,"possibly_sensitive":true,"withheld_in_countries":["DE","AR"]}`,
			`{"id_str":"9","created_at":"2019-11-06T10:37:41.000Z","text":"a <b> &amp; c","lang":"en",` + author + `,"sensitive":true,"withheld_in":["DE","AR"],"source":"twitter"}`},
		{"milliseconds", `{"id":9,"created_at":"Wed Nov 06 10:37:41 +0000 2019","timestamp_ms":"1573036661418"}`,
			`{"id_str":"9","created_at":"2019-11-06T10:37:41.418Z","url":"https://twitter.com/i/status/9","source":"twitter"}`},
		{"extended", `{"id":9,"text":"cut… https://t.co/c","truncated":true,"entities":{"hashtags":[{"text":"a"}],"urls":[{"url":"https://t.co/c","expanded_url":"https://twitter.com/i/web/status/9","display_url":"x"}]},
			"extended_tweet":{"full_text":"the whole #a #b https://t.co/d","entities":{"hashtags":[{"text":"a"},{"text":"b"}],"urls":[{"url":"https://t.co/d","expanded_url":"https://d.example/","display_url":"d.example"}],"user_mentions":[{"screen_name":"m","id":7,"id_str":"7"}]}}}`,
			`{"id_str":"9","text":"the whole #a #b https://t.co/d","url":"https://twitter.com/i/status/9","hashtags":["a","b"],"mentions":[{"id_str":"7","username":"m"}],"urls":[{"url":"https://t.co/d","expanded":"https://d.example/","display":"d.example"}],"source":"twitter"}`},
		{"full_text", `{"id":9,"full_text":"whole","text":"cut"}`, `{"id_str":"9","text":"whole","url":"https://twitter.com/i/status/9","source":"twitter"}`},
		{"media", `{"id":9,"entities":{"media":[{"type":"photo","media_url_https":"https://img.example/1.jpg"}]},"extended_entities":{"media":[{"type":"photo","media_url_https":"https://img.example/1.jpg","ext_alt_text":"a cat"},
			{"type":"video","media_url_https":"https://img.example/2.jpg","video_info":{"variants":[{"content_type":"application/x-mpegURL","url":"https://v.example/2.m3u8"},{"bitrate":256000,"content_type":"video/mp4","url":"https://v.example/lo.mp4"},{"bitrate":832000,"content_type":"video/mp4","url":"https://v.example/hi.mp4"}]}}]}}`,
			`{"id_str":"9","url":"https://twitter.com/i/status/9","media":[{"type":"photo","url":"https://img.example/1.jpg","alt":"a cat"},{"type":"video","url":"https://v.example/hi.mp4"}],"source":"twitter"}`},
		{"reply", `{"id":9,"in_reply_to_status_id":8,"in_reply_to_status_id_str":"8","in_reply_to_screen_name":"bob"}`,
			`{"id_str":"9","url":"https://twitter.com/i/status/9","reply_to":{"id_str":"8","username":"bob"},"source":"twitter"}`},
		{"repost", `{"id":9,"text":"RT @bob: the who…","place":{"full_name":"Nowhere"},"entities":{"user_mentions":[{"screen_name":"bob","id_str":"4"}]},"retweeted_status":{"id":8,"text":"the who… ","user":{"id":4,"screen_name":"bob"},"extended_tweet":{"full_text":"the whole","entities":{"hashtags":[{"text":"x"}]}}}}`,
			`{"id_str":"9","text":"RT @bob: the whole","url":"https://twitter.com/i/status/9","hashtags":["x"],"mentions":[{"id_str":"4","username":"bob"}],"repost_of":{"id_str":"8","text":"the whole","author":{"id_str":"4","username":"bob"},"url":"https://twitter.com/bob/status/8","hashtags":["x"],"source":"twitter"},"source":"twitter"}`},
		{"ids of the other type", `{"id":"9","user":{"id":"3"},"in_reply_to_status_id":"8","quoted_status_id_str":7,"timestamp_ms":1573036661418}`,
			`{"id_str":"9","created_at":"2019-11-06T10:37:41.418Z","author":{"id_str":"3"},"url":"https://twitter.com/i/status/9","reply_to":{"id_str":"8"},"quote_of":{"id_str":"7"},"source":"twitter"}`},
		{"quote", `{"id":9,"quoted_status_id_str":"8","quoted_status":{"id_str":"8","text":"q"}}`,
			`{"id_str":"9","url":"https://twitter.com/i/status/9","quote_of":{"id_str":"8","text":"q","url":"https://twitter.com/i/status/8","source":"twitter"},"source":"twitter"}`},
		{"quote that is gone", `{"id":9,"quoted_status_id":8}`, `{"id_str":"9","url":"https://twitter.com/i/status/9","quote_of":{"id_str":"8"},"source":"twitter"}`},
		{"point", `{"id":9,"coordinates":{"type":"Point","coordinates":[-73.99,40.73]},"place":{"full_name":"P"}}`, `{"id_str":"9","url":"https://twitter.com/i/status/9","geo":{"lon":-73.99,"lat":40.73},"source":"twitter"}`},
		{"place", `{"id":9,"coordinates":null,"place":{"full_name":"Manhattan, NY","bounding_box":{"coordinates":[[[-74.03,40.68],[-73.91,40.88]]]}}}`,
			`{"id_str":"9","url":"https://twitter.com/i/status/9","geo":{"place":"Manhattan, NY","bbox":[-74.03,40.68,-73.91,40.88]},"source":"twitter"}`},
		{"line ends and the like", `{"id":9,"text":"a\r\n\u0000\u2028\u0085\u007f\u001b\ud800 b"}`, `{"id_str":"9","text":"a\u000d\u000a\u0000\u2028\u0085\u007f\u001b` + "\uFFFD" + ` b","url":"https://twitter.com/i/status/9","source":"twitter"}`},
		{"a name that is no name", `{"id":9,"user":{"screen_name":"../a?b"}}`, `{"id_str":"9","author":{"username":"../a?b"},"url":"https://twitter.com/i/status/9","source":"twitter"}`},
		{"odd types", `{"id":9,"text":1,"user":[],"entities":{"hashtags":{"text":"x"},"urls":[1,{"url":null}],"media":null},"withheld_in_countries":"DE","retweeted_status":"x","created_at":5}`,
			`{"id_str":"9","url":"https://twitter.com/i/status/9","source":"twitter"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Dialect.Compact([]byte("before "), []byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != "before "+c.want {
				t.Errorf("got  %s\nwant %s", got[7:], c.want)
			}
			if !json.Valid(got[7:]) {
				t.Error("not valid JSON")
			}
		})
	}
}

func TestCompactRefuses(t *testing.T) {
	for _, in := range []string{``, `[]`, `{}`, `{"id":9`, `{"limit":{"track":1}}`} {
		if got, err := Dialect.Compact([]byte("x"), []byte(in)); err == nil || string(got) != "x" {
			t.Errorf("%s: got %s, %v", in, got, err)
		}
	}
}

// Posts inside posts end somewhere, and lists too.
func TestCompactIsBounded(t *testing.T) {
	in := `{"id":9}`
	for range 100 {
		in = `{"id":9,"quoted_status":` + in + `,"retweeted_status":{"id":1}}`
	}
	got, err := Dialect.Compact(nil, []byte(in))
	if err != nil || strings.Count(string(got), "quote_of") != maxNesting {
		t.Errorf("%d levels, %v", strings.Count(string(got), "quote_of"), err)
	}
	var tags []string
	for i := range 5000 {
		tags = append(tags, fmt.Sprintf(`{"text":"t%d"}`, i))
	}
	got, err = Dialect.Compact(nil, []byte(`{"id":9,"entities":{"hashtags":[`+strings.Join(tags, ",")+`]}}`))
	if err != nil || len(got) > 10*compact.MaxListed {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

// FuzzCompact: no input panics; what comes out is one line of valid JSON and
// valid UTF-8 without anything that could end a line.
func FuzzCompact(f *testing.F) {
	for _, s := range []string{
		`{"id":1,"text":"&lt;\u2028\r\n","user":{"id":2,"screen_name":"a"},"retweeted_status":{"id":3,"extended_tweet":{"full_text":"x"}}}`,
		`{"id_str":"1","quoted_status":{"quoted_status":{"id":2}},"place":{"full_name":"p","bounding_box":{"coordinates":[[[1e308,-1e308]]]}}}`,
		`{"id":1,"entities":{"media":[{"type":"\u0000","video_info":{"variants":[{"bitrate":1e999}]}}]},"coordinates":{"coordinates":[1e-7,1E5]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := Dialect.Compact(nil, in)
		if err != nil {
			return
		}
		if !json.Valid(got) || !utf8.Valid(got) || bytes.ContainsAny(got, "\r\n\x00\x7f\u0085\u2028\u2029") {
			t.Fatalf("got %q of %q", got, in)
		}
	})
}
