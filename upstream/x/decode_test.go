package x

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// Every kind of message, in every form it has been seen in.
func TestDecode(t *testing.T) {
	for _, c := range []struct {
		name, in string
		kind     fanout.Kind
		id       string
		target   fanout.Target
		json     string // "": as it came
	}{
		{"least", `{"data":{"id":"7"}}`, fanout.KindPost, "7", fanout.Target{}, ""},
		{"rule ids as numbers, tags null", `{"data":{"id":"7","text":"t"},"matching_rules":[{"id":1377649934414049282,"tag":null}]}`, fanout.KindPost, "7", fanout.Target{}, ""},
		{"rule ids as texts, with more", `{"data":{"id":"7"},"matching_rules":[{"id":"1","tag":"a","embedding_similarity":0.9},{"id":"2"}]}`, fanout.KindPost, "7", fanout.Target{}, ""},
		{"partial", `{"data":{"id":"7"},"errors":[{"title":"Not Found Error","type":"https://api.x.com/2/problems/resource-not-found"}]}`, fanout.KindPost, "7", fanout.Target{}, ""},
		{"the id as a number", `{"data":{"id":7}}`, fanout.KindPost, "7", fanout.Target{}, ""},
		{"errors alone", `{"errors":[{"title":"operational-disconnect"}]}`, fanout.KindDisconnect, "", fanout.Target{}, ""},
		{"null data", `{"data":null,"errors":[{}]}`, fanout.KindDisconnect, "", fanout.Target{}, ""},
		{"no id", `{"data":{"text":"x"}}`, fanout.KindOther, "", fanout.Target{}, ""},
		{"an id that is none", `{"data":{"id":"abc"}}`, fanout.KindOther, "", fanout.Target{}, ""},
		{"nothing", `{}`, fanout.KindOther, "", fanout.Target{}, ""},
		{"a v1.1 post", `{"id":1,"id_str":"1","user":{"id":2}}`, fanout.KindOther, "", fanout.Target{}, ""},
		{"delete", `{"data":{"delete":{"tweet":{"id":"1","author_id":"2"},"event_at":"2026-01-02T03:04:05.678Z"}}}`, fanout.KindDelete, "",
			fanout.Target{Source: "x", ID: "1", Author: "2"}, `{"delete":{"status":{"id":1,"id_str":"1","user_id":2,"user_id_str":"2"},"timestamp_ms":"1767323045678"}}`},
		{"delete without an author", `{"data":{"delete":{"tweet":{"id":"1"}}}}`, fanout.KindDelete, "", fanout.Target{Source: "x", ID: "1"}, `{"delete":{"status":{"id":1,"id_str":"1"}}}`},
		{"drop", `{"data":{"drop":{"tweet":{"id":"1","author_id":"2"}}}}`, fanout.KindDelete, "", fanout.Target{Source: "x", ID: "1", Author: "2"},
			`{"delete":{"status":{"id":1,"id_str":"1","user_id":2,"user_id_str":"2"}}}`},
		{"withheld", `{"data":{"withheld":{"tweet":{"id":"1","author_id":"2"},"withheld_in_countries":["DE","FR"],"event_at":"2026-01-02T03:04:05Z"}}}`, fanout.KindStatusWithheld, "",
			fanout.Target{Source: "x", ID: "1", Author: "2"}, `{"status_withheld":{"id":1,"user_id":2,"withheld_in_countries":["DE","FR"]}}`},
		{"user_withheld", `{"data":{"user_withheld":{"user":{"id":"2"},"withheld_in_countries":["DE"]}}}`, fanout.KindUserWithheld, "",
			fanout.Target{Source: "x", Author: "2"}, `{"user_withheld":{"id":2,"withheld_in_countries":["DE"]}}`},
		{"scrub_geo", `{"data":{"scrub_geo":{"user":{"id":"2"},"up_to_tweet_id":"9"}}}`, fanout.KindScrubGeo, "",
			fanout.Target{Source: "x", Author: "2", UpTo: 9}, `{"scrub_geo":{"user_id":2,"user_id_str":"2","up_to_status_id":9,"up_to_status_id_str":"9"}}`},
		{"scrub_geo of all", `{"data":{"scrub_geo":{"user":{"id":"2"}}}}`, fanout.KindScrubGeo, "", fanout.Target{Source: "x", Author: "2"}, `{"scrub_geo":{"user_id":2,"user_id_str":"2"}}`},
		{"user_delete", `{"data":{"user_delete":{"user":{"id":"2"}}}}`, fanout.KindDelete, "", fanout.Target{Source: "x", Author: "2"}, ""},
		{"user_suspend", `{"data":{"user_suspend":{"user":{"id":"2"}}}}`, fanout.KindDelete, "", fanout.Target{Source: "x", Author: "2"}, ""},
		{"user_protect", `{"data":{"user_protect":{"user":{"id":"2"}}}}`, fanout.KindDelete, "", fanout.Target{Source: "x", Author: "2"}, ""},
		{"what takes nothing back", `{"data":{"user_undelete":{"user":{"id":"2"}}}}`, fanout.KindOther, "", fanout.Target{}, ""},
		{"an edit", `{"data":{"tweet_edit":{"tweet":{"id":"3"},"initial_tweet_id":"1"}}}`, fanout.KindOther, "", fanout.Target{}, ""},
		{"a delete of nothing", `{"data":{"delete":{"tweet":{"id":"x"}}}}`, fanout.KindOther, "", fanout.Target{}, ""},
		{"a post that is withheld", `{"data":{"id":"7","withheld":{"copyright":false,"country_codes":["IN"]}}}`, fanout.KindPost, "7", fanout.Target{}, ""},
		{"odd types", `{"data":{"id":"7","text":5,"entities":[],"attachments":"x","geo":{"coordinates":1},"referenced_tweets":{},"note_tweet":[1],"public_metrics":7},"includes":[1],"errors":{}}`, fanout.KindPost, "7", fanout.Target{}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := Decode([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			id := ""
			if e.Post != nil {
				id = e.Post.Key.ID
			}
			want := c.json
			if want == "" {
				want = c.in
			}
			if e.Kind != c.kind || id != c.id || e.Target != c.target || string(e.JSON) != want {
				t.Errorf("kind %v, id %q, target %+v\n got %s\nwant %s", e.Kind, id, e.Target, e.JSON, want)
			}
		})
	}
	for _, in := range []string{"", "[]", "null", `{"data":`, `{"data":{"id":"7"}} x`, "plain"} {
		if e, err := Decode([]byte(in)); err == nil {
			t.Errorf("%q: %v", in, e.Kind)
		}
	}
}

// Which earlier forms a message takes back.
func TestRetract(t *testing.T) {
	for in, want := range map[string]string{
		`{"data":{"id":"3","text":"t","author_id":"9","edit_history_tweet_ids":["3"]}}`:                                    "",
		`{"data":{"id":"3","text":"t","author_id":"9","edit_history_tweet_ids":["1", "2","3"]}}`:                           "1:9 2:9",
		`{"data":{"id":"2","text":"t","author_id":"9","edit_history_tweet_ids":["1","2","3"]}}`:                            "1:9",
		`{"data":{"edit_history_tweet_ids":[1,3,"x",null,{}],"id":3,"text":"t"}}`:                                          "1:",
		`{"includes":{"tweets":[{"id":"8","edit_history_tweet_ids":["7","8"]}]},"data":{"id":"3","text":"t"}}`:             "",
		`{"data":{"tweet_edit":{"tweet":{"id":"3"},"initial_tweet_id":"1","edit_tweet_ids":["1","3"],"event_at":"2026"}}}`: "1:",
		`{"data":{"tweet_edit":{"edit_tweet_ids":["10","9","11"]}}}`:                                                       "10: 9:",
		`{"data":{"tweet_edit":{"edit_tweet_ids":["1"]}}}`:                                                                 "",
		`{"data":{"tweet_edit":["1","2"],"edit_tweet_ids":["1","2"]}}`:                                                     "",
	} {
		e, err := Decode([]byte(in))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		retract(e, func(d *fanout.Event) {
			if d.Kind != fanout.KindDelete {
				t.Errorf("a %v", d.Kind)
			}
			got = append(got, d.Target.ID+":"+d.Target.Author)
		})
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %q", in, got, want)
		}
	}
}

// What filters look at.
func TestFacts(t *testing.T) {
	const in = `{"data":{"id":"100","author_id":"1","text":"@bob look #Tag $ACME https://t.co/a","lang":"en","in_reply_to_user_id":"2","conversation_id":"90",
		"referenced_tweets":[{"type":"replied_to","id":"90"},{"type":"quoted","id":"80"}],
		"entities":{"hashtags":[{"start":11,"end":15,"tag":"Tag"}],"cashtags":[{"tag":"ACME"}],"mentions":[{"start":0,"end":4,"username":"bob","id":"2"}],
			"urls":[{"url":"https://t.co/a","expanded_url":"https://short.example/a","display_url":"short.example/a","unwound_url":"https://final.example/story"}]},
		"geo":{"place_id":"p1"},"note_tweet":{"text":"the longer words here"}},
		"includes":{"users":[{"id":"1","username":"ann"},{"id":"2","username":"bob"}],
			"tweets":[{"id":"90","author_id":"2","text":"answered"},{"id":"80","author_id":"3","text":"quoted words","entities":{"hashtags":[{"tag":"inner"}]}}],
			"places":[{"id":"p1","full_name":"Town, Land","country_code":"LL","geo":{"type":"Feature","bbox":[1,2,3,4],"properties":{}}}]}}`
	e, err := Decode([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	for q, want := range map[string]bool{
		"track=look": true, "track=longer": true, "track=%23tag": true, "track=%24acme": true, "track=%40bob": true, "track=quoted": true, "track=%23inner": true,
		"track=short.example/a": true, "track=final.example/story": true, "track=story": true, "track=answered": false, "track=ann": false,
		"follow=1": true, "follow=2": true, "follow=3": false, "language=en": true, "language=de": false, "locations=0,0,2,3": true, "locations=5,5,6,6": false,
	} {
		v, _ := url.ParseQuery(q)
		f, err := filter.Parse(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Match(e.Post); got != want {
			t.Errorf("%s: %v", q, got)
		}
	}
	slices.Sort(e.Post.Refs)
	if !slices.Equal(e.Post.Refs, []string{"80", "90"}) || e.Post.Author != "1" {
		t.Errorf("refs %v, author %s", e.Post.Refs, e.Post.Author)
	}
}

func TestCompact(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"least", `{"data":{"id":"9"}}`, `{"id_str":"9","url":"https://twitter.com/i/status/9","source":"x"}`},
		{"plain", `{"data":{"id":"9","author_id":"3","created_at":"2026-01-02T03:04:05.000Z","text":"a &lt;b&gt; &amp;amp; c","lang":"en","possibly_sensitive":true,"withheld":{"country_codes":["DE"]}},
			"includes":{"users":[{"id":"3","username":"ann_x","name":"Ann \"A\"","profile_image_url":"https://img.example/a.jpg","verified":false}]}}`,
			`{"id_str":"9","created_at":"2026-01-02T03:04:05.000Z","text":"a <b> &amp; c","lang":"en","author":{"id_str":"3","username":"ann_x","name":"Ann \"A\"","avatar":"https://img.example/a.jpg","verified":false},"url":"https://twitter.com/ann_x/status/9","sensitive":true,"withheld_in":["DE"],"source":"x"}`},
		{"note", `{"data":{"id":"9","text":"cut… https://t.co/s","entities":{"hashtags":[{"tag":"a"}],"urls":[{"url":"https://t.co/s","expanded_url":"https://x.com/i/web/status/9","display_url":"x.com/i/…"}]},
			"note_tweet":{"text":"the whole #a #b https://t.co/d","entities":{"hashtags":[{"tag":"a"},{"tag":"b"}],"urls":[{"url":"https://t.co/d","expanded_url":"https://d.example/","display_url":"d.example"}]}}}}`,
			`{"id_str":"9","text":"the whole #a #b https://t.co/d","url":"https://twitter.com/i/status/9","hashtags":["a","b"],"urls":[{"url":"https://t.co/d","expanded":"https://d.example/","display":"d.example"}],"source":"x"}`},
		{"media", `{"data":{"id":"9","attachments":{"media_keys":["3_1","7_2","7_3","3_9"]},"entities":{"urls":[{"url":"https://t.co/m","display_url":"pic.twitter.com/m"},{"url":"https://t.co/n","display_url":"x","media_key":"7_2"}]}},
			"includes":{"media":[{"media_key":"3_1","type":"photo","url":"https://img.example/1.jpg","alt_text":"a cat"},
				{"media_key":"7_2","type":"video","preview_image_url":"https://img.example/2.jpg","variants":[{"content_type":"application/x-mpegURL","url":"https://v.example/2.m3u8"},{"bit_rate":256000,"content_type":"video/mp4","url":"https://v.example/lo.mp4"},{"bit_rate":832000,"content_type":"video/mp4","url":"https://v.example/hi.mp4"}]},
				{"media_key":"7_3","type":"video","preview_image_url":"https://img.example/3.jpg"}]}}`,
			`{"id_str":"9","url":"https://twitter.com/i/status/9","media":[{"type":"photo","url":"https://img.example/1.jpg","alt":"a cat"},{"type":"video","url":"https://v.example/hi.mp4"},{"type":"video","url":"https://img.example/3.jpg"}],"source":"x"}`},
		{"repost", `{"data":{"id":"9","text":"RT @bob: the who…","referenced_tweets":[{"type":"retweeted","id":"8"}],"geo":{"place_id":"p"}},"includes":{"users":[{"id":"4","username":"bob"}],"tweets":[{"id":"8","author_id":"4","text":"the whole"}]}}`,
			`{"id_str":"9","text":"RT @bob: the whole","url":"https://twitter.com/i/status/9","repost_of":{"id_str":"8","text":"the whole","author":{"id_str":"4","username":"bob"},"url":"https://twitter.com/bob/status/8","source":"x"},"source":"x"}`},
		{"a repost that cannot be seen", `{"data":{"id":"9","text":"RT @bob: the who…","referenced_tweets":[{"type":"retweeted","id":"8"}]},"errors":[{}]}`,
			`{"id_str":"9","text":"RT @bob: the who…","url":"https://twitter.com/i/status/9","repost_of":{"id_str":"8"},"source":"x"}`},
		{"a quote that cannot be seen", `{"data":{"id":"9","referenced_tweets":[{"type":"quoted","id":"8"}]}}`, `{"id_str":"9","url":"https://twitter.com/i/status/9","quote_of":{"id_str":"8"},"source":"x"}`},
		{"reply", `{"data":{"id":"9","in_reply_to_user_id":"4","referenced_tweets":[{"type":"replied_to","id":"8"}],"entities":{"mentions":[{"username":"bob","id":"4"}]}}}`,
			`{"id_str":"9","url":"https://twitter.com/i/status/9","mentions":[{"id_str":"4","username":"bob"}],"reply_to":{"id_str":"8","username":"bob"},"source":"x"}`},
		{"place", `{"data":{"id":"9","geo":{"place_id":"p"}},"includes":{"places":[{"id":"p","full_name":"Town","geo":{"bbox":[-74.03,40.68,-73.91,40.88]}}]}}`,
			`{"id_str":"9","url":"https://twitter.com/i/status/9","geo":{"place":"Town","bbox":[-74.03,40.68,-73.91,40.88]},"source":"x"}`},
		{"point", `{"data":{"id":"9","geo":{"coordinates":{"type":"Point","coordinates":[-73.99,40.73]}}}}`, `{"id_str":"9","url":"https://twitter.com/i/status/9","geo":{"lon":-73.99,"lat":40.73},"source":"x"}`},
	} {
		got, err := Dialect.Compact(nil, []byte(c.in))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", c.name, err, got, c.want)
		}
	}
}

// A post that refers to itself, or to one that refers back, ends somewhere.
func TestCircles(t *testing.T) {
	in := `{"data":{"id":"9","referenced_tweets":[{"type":"quoted","id":"8"},{"type":"retweeted","id":"9"}]},"includes":{"tweets":[{"id":"8","referenced_tweets":[{"type":"quoted","id":"9"}]},{"id":"9","text":"RT @: x","referenced_tweets":[{"type":"quoted","id":"8"},{"type":"retweeted","id":"9"}]}]}}`
	got, err := Dialect.Compact(nil, []byte(in))
	if err != nil || len(got) > 50_000 {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := Decode([]byte(in)); err != nil {
		t.Error(err)
	}
}

// Real deliveries of 2021 are understood; the last line of the capture is cut.
func TestCaptures(t *testing.T) {
	dir := os.Getenv("CAPTURES_DIR")
	if dir == "" {
		t.Skip("SKIPPED: CAPTURES_DIR is not set, so nothing is tested against real captures")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "DocNow+twarc-csv/test-data/streaming_output_with_error.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	posts := 0
	for line := range bytes.Lines(raw) {
		e, err := Decode(bytes.TrimSpace(line))
		if err != nil || e.Kind != fanout.KindPost {
			continue
		}
		posts++
		if e.Post.Author == "" || !e.Post.HasGeo || e.Sent.IsZero() || len(e.Post.Features) < 5 {
			t.Errorf("%+v of %.200s", e.Post, e.JSON)
		}
		if form, err := Dialect.Compact(nil, e.JSON); err != nil || !bytes.Contains(form, []byte(`"author":{"id_str":`)) {
			t.Errorf("%s, %v", form, err)
		}
	}
	if posts < 5 {
		t.Errorf("%d posts", posts)
	}
	for _, name := range []string{"geo_tweets", "media_tweet", "edited", "withheld", "mentions_tweet", "many_urls", "cashtags", "2sets"} {
		raw, err := os.ReadFile(filepath.Join(dir, "DocNow+twarc-csv/test-data", name+".jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for line := range bytes.Lines(raw) {
			var page answerPage
			if json.Unmarshal(line, &page) != nil {
				continue // a single post, or what is no page
			}
			events := page.split(false)
			if len(events) != len(page.Data) {
				t.Errorf("%s: %d of %d posts", name, len(events), len(page.Data))
			}
			for _, e := range events {
				found++
				form, err := Dialect.Compact(nil, e.JSON)
				if err != nil || !strings.Contains(string(form), `"username":`) {
					t.Errorf("%s: %s, %v", name, form, err)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s: no post", name)
		}
	}
}

// FuzzDecode: no input panics; what is taken is one valid object, and its compact
// form is one line of valid JSON.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"data":{"id":"1","text":"&lt;\u2028","note_tweet":{"text":"x"},"referenced_tweets":[{"type":"retweeted","id":"2"}]},"includes":{"tweets":[{"id":"2","text":"y"}],"users":[{"id":"3","verified":null}]}}`,
		`{"data":{"delete":{"tweet":{"id":"1","author_id":"2"},"event_at":"2026-01-02T03:04:05.000Z"}}}`,
		`{"data":{"withheld":{"tweet":{"id":1},"withheld_in_countries":["\u0000",1]}}}`,
		`{"errors":[{"title":"operational-disconnect"}]}`,
		`{"data":{"id":"1","geo":{"coordinates":{"coordinates":[1e308,-0]}},"attachments":{"media_keys":["a"]}},"includes":{"media":[{"media_key":"a","variants":[{"bit_rate":1e999,"content_type":"video/mp4"}]}],"places":[{"geo":{"bbox":[1,2,3]}}]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		e, err := Decode(in)
		if err != nil {
			return
		}
		if !json.Valid(e.JSON) || bytes.ContainsAny(e.JSON, "\r\n") {
			t.Fatalf("%q of %q", e.JSON, in)
		}
		got, err := Dialect.Compact(nil, e.JSON)
		if e.Kind == fanout.KindPost && err != nil {
			t.Fatalf("a post without a compact form: %v", err)
		}
		if err == nil && (!json.Valid(got) || !utf8.Valid(got) || bytes.ContainsAny(got, "\r\n\x00\x7f\u0085\u2028\u2029")) {
			t.Fatalf("got %q of %q", got, in)
		}
	})
}
