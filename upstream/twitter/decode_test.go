package twitter

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

func decodeString(t *testing.T, raw string) *fanout.Event {
	t.Helper()
	e, err := Decode([]byte(raw))
	if err != nil {
		t.Fatalf("Decode(%s): %v", raw, err)
	}
	return e
}

// matches says whether a v1.1 filter, written as a query, takes the post.
func matches(t *testing.T, query string, p *filter.Post) bool {
	t.Helper()
	v, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	f, err := filter.Parse(v)
	if err != nil {
		t.Fatal(err)
	}
	return f.Match(p)
}

func TestKinds(t *testing.T) {
	target := func(id, author string, upTo uint64) fanout.Target {
		return fanout.Target{Source: Name, ID: id, Author: author, UpTo: upTo}
	}
	none := fanout.Target{}
	for _, c := range []struct {
		raw    string
		kind   fanout.Kind
		target fanout.Target
	}{
		{`{"id":1,"id_str":"1","text":"a","user":{"id":2}}`, fanout.KindPost, none},
		{`{"user":{"id_str":"2"},"id":9223372036854775807}`, fanout.KindPost, none},
		{`{"delete":{"status":{"id":1234,"id_str":"1234","user_id":3,"user_id_str":"3"},"timestamp_ms":"1425000000123"}}`, fanout.KindDelete, target("1234", "3", 0)},
		{`{"delete":{"status":{"id":1234,"user_id":3}}}`, fanout.KindDelete, target("1234", "3", 0)},
		{`{"delete":{"direct_message":{"id":1,"id_str":"1","user_id":2}}}`, fanout.KindOther, none},
		{`{"delete":{}}`, fanout.KindOther, none},
		{`{"delete":"all"}`, fanout.KindOther, none},
		{`{"scrub_geo":{"user_id":14,"user_id_str":"14","up_to_status_id":23,"up_to_status_id_str":"23"}}`, fanout.KindScrubGeo, target("", "14", 23)},
		{`{"scrub_geo":{"user_id":14}}`, fanout.KindScrubGeo, target("", "14", 0)},
		{`{"status_withheld":{"id":1,"user_id":2,"withheld_in_countries":["DE","AR"]}}`, fanout.KindStatusWithheld, target("1", "2", 0)},
		{`{"user_withheld":{"id":3,"withheld_in_countries":["DE"]}}`, fanout.KindUserWithheld, target("", "3", 0)},
		// Ids of the other type.
		{`{"id":"77777","user":{"id":"2"}}`, fanout.KindPost, none},
		{`{"id_str":77777,"user":{"id_str":2}}`, fanout.KindPost, none},
		{`{"delete":{"status":{"id":"70"}}}`, fanout.KindDelete, target("70", "", 0)},
		{`{"delete":{"status":{"id_str":71,"user_id":"3"}}}`, fanout.KindDelete, target("71", "3", 0)},
		{`{"scrub_geo":{"user_id":"14","up_to_status_id":"23"}}`, fanout.KindScrubGeo, target("", "14", 23)},
		{`{"scrub_geo":{"user_id_str":14,"up_to_status_id_str":23}}`, fanout.KindScrubGeo, target("", "14", 23)},
		{`{"status_withheld":{"id":"1","user_id_str":2}}`, fanout.KindStatusWithheld, target("1", "2", 0)},
		{`{"user_withheld":{"id":"3"}}`, fanout.KindUserWithheld, target("", "3", 0)},
		{`{"delete":{"status":{"id":"all"}}}`, fanout.KindOther, none},
		{`{"delete":{"status":{"id":["70"]}}}`, fanout.KindOther, none},
		{`{"limit":{"track":1234,"timestamp_ms":"1477757470194"}}`, fanout.KindLimit, none},
		{`{"warning":{"code":"FALLING_BEHIND","message":"m","percent_full":60}}`, fanout.KindWarning, none},
		{`{"disconnect":{"code":4,"stream_name":"s","reason":"r"}}`, fanout.KindDisconnect, none},
		{`{"friends":[1497,169]}`, fanout.KindOther, none},
		{`{"friends_str":["1497","169"]}`, fanout.KindOther, none},
		{`{"direct_message":{"id":1,"id_str":"1","text":"x"}}`, fanout.KindOther, none},
		{`{"event":"favorite","source":{"id":1},"target":{"id":2},"target_object":{"id":3,"user":{"id":2}}}`, fanout.KindOther, none},
		{`{"control":{"control_uri":"/1.1/site/c/01_225167_ABCDEF"}}`, fanout.KindOther, none},
		// Named like ours, or like nothing.
		{`{"hello":{"cursor":"k3f9a1-1"}}`, fanout.KindOther, none},
		{`{"gap":{"missed":1}}`, fanout.KindOther, none},
		{`{"bye":{"reason":"draining"}}`, fanout.KindOther, none},
		{`{"upstream":{"state":"streaming"}}`, fanout.KindOther, none},
		{`{"match":["a"]}`, fanout.KindOther, none},
		{`{}`, fanout.KindOther, none},
		{`{"id":1,"user":"nobody"}`, fanout.KindOther, none},
		{`{"id":-1,"user":{"id":1}}`, fanout.KindOther, none},
		{`{"id":1.5,"user":{"id":1}}`, fanout.KindOther, none},
		{`{"id_str":"18446744073709551616","user":{"id":1}}`, fanout.KindOther, none},
		// Neither one thing nor the other: a duty is honoured, a post is not guessed.
		{`{"id":1,"user":{"id":2},"delete":{"status":{"id":5,"user_id":6}}}`, fanout.KindDelete, target("5", "6", 0)},
		{`{"id":1,"user":{"id":2},"delete":{}}`, fanout.KindOther, none},
		{`{"id":1,"user":{"id":2},"delete":null}`, fanout.KindPost, none},
		{`{"limit":{"track":1},"delete":{"status":{"id":5}}}`, fanout.KindDelete, target("5", "", 0)},
		// A key in disguise is the same key.
		{`{"\u0064elete":{"status":{"id":5}}}`, fanout.KindDelete, target("5", "", 0)},
		// Site streams.
		{`{"for_user":"1888","message":{"id":1,"user":{"id":2}}}`, fanout.KindPost, none},
		{`{"message":{"delete":{"status":{"id":5}}},"for_user":"1888"}`, fanout.KindDelete, target("5", "", 0)},
		{`{"for_user":"1","message":{"for_user":"2","message":{"id":1,"user":{"id":2}}}}`, fanout.KindOther, none},
		{`{"message":{"id":1,"user":{"id":2}}}`, fanout.KindOther, none},
	} {
		e := decodeString(t, c.raw)
		if e.Kind != c.kind || e.Target != c.target {
			t.Errorf("%s\n got kind %v %+v\nwant kind %v %+v", c.raw, e.Kind, e.Target, c.kind, c.target)
		}
		if (e.Post != nil) != (c.kind == fanout.KindPost) {
			t.Errorf("%s: Post is %v", c.raw, e.Post)
		}
		if e.Dialect != Dialect {
			t.Errorf("%s: no dialect", c.raw)
		}
	}
}

func TestEnvelopeIsTakenOff(t *testing.T) {
	e := decodeString(t, `{"for_user":"1888","message": {"id":1,"user":{"id":2}} }`)
	if got := string(e.JSON); got != `{"id":1,"user":{"id":2}}` {
		t.Errorf("JSON is %s", got)
	}
}

func TestMalformed(t *testing.T) {
	for _, raw := range []string{
		``, ` `, `null`, `1`, `"x"`, `[]`, `[{"id":1}]`, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1}{"b":2}`, `{"a":1}x`,
		`{"a":01}`, `{"a":1.}`, `{"a":-}`, `{"a":1e}`, `{"a":+1}`, `{"a":tru}`, `{"a":nul}`, `{'a':1}`, `{"a":"\x"}`, `{"a":"\u12g4"}`, `{"a":"`, `{"a":"\`,
		`{"a":[1,]}`, `{"a":[1 2]}`, `{"a" 1}`, "{\"a\":\x00}", `Exceeded connection limit for user`, `<html>`,
		`{"a":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
	} {
		if e, err := Decode([]byte(raw)); err == nil {
			t.Errorf("Decode(%.60q) = kind %v, want an error", raw, e.Kind)
		}
	}
}

func TestPost(t *testing.T) {
	e := decodeString(t, string(fixture(t, "post.json")))
	p := e.Post
	if p.Key != (filter.Key{Source: "twitter", ID: "1192021332537626111"}) || p.Author != "4242" || len(p.Refs) != 0 {
		t.Errorf("post is %+v by %s, refs %v", p.Key, p.Author, p.Refs)
	}
	if want := time.UnixMilli(1573036661418); !e.Sent.Equal(want) {
		t.Errorf("Sent is %v, want %v", e.Sent, want)
	}
	if p.Level != filter.LevelLow || !p.HasGeo || p.Geo != (filter.Box{West: -74.03, South: 40.68, East: -73.91, North: 40.88}) {
		t.Errorf("level %v, geo %v %v", p.Level, p.HasGeo, p.Geo)
	}
	for query, want := range map[string]bool{
		"track=harbour": true, "track=tomorrow": true, "track=touch%C3%A9": true, "track=touche": false,
		"track=%23golang": true, "track=%E6%B8%AF": true, "track=gull_watch": true, "track=%40gull_watch": true, "track=%24gull": true,
		"track=news.example%2Fharbour%2Flights-go-out%3Fref%3Da%2520b": true, "track=news": true, "track=pic.example%2Fbbbbbbbbbb": true,
		"track=amp": false, "track=exampleland": false, "track=views": false, "track=lang": false,
		"follow=4242": true, "follow=7007": false, "follow=9001": false,
		"locations=-75,40,-73,41": true, "locations=0,0,1,1": false,
		"language=en": true, "language=de": false, "filter_level=low": true, "filter_level=medium": false,
	} {
		if got := matches(t, query, p); got != want {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

func TestRepost(t *testing.T) {
	e := decodeString(t, string(fixture(t, "repost.json")))
	p := e.Post
	if len(p.Refs) != 1 || p.Refs[0] != "1192021332537626111" || p.Author != "5151" {
		t.Errorf("author %s, refs %v", p.Author, p.Refs)
	}
	if p.HasGeo {
		t.Error("a native retweet has no place")
	}
	for query, want := range map[string]bool{
		"track=tomorrow": true, // only in the retweeted post's extended_tweet
		"follow=5151":    true, "follow=4242": true, "follow=7007": false, "locations=-75,40,-73,41": false,
	} {
		if got := matches(t, query, p); got != want {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

func TestFields(t *testing.T) {
	post := func(more string) string { return `{"id":10,"id_str":"11","user":{"id":1},` + more + `}` }
	mention := func(index string) string {
		return `"entities":{"user_mentions":[{"screen_name":"x","id":70,"id_str":"77","indices":[` + index + `,2]}]}`
	}
	for _, c := range []struct{ name, raw, query string }{
		{"full_text", post(`"full_text":"whole"`), "track=whole"},
		{"surrogate pair", post(`"text":"\ud83d\udc26bird"`), "track=bird"},
		{"half a surrogate pair", post(`"text":"a \ud83d bird"`), "track=bird"},
		{"escapes", post(`"text":"tab\there\nline\/slash"`), "track=here line slash"},
		{"reply", post(`"in_reply_to_user_id_str":"55"`), "follow=55"},
		{"reply by number", post(`"in_reply_to_user_id":55`), "follow=55"},
		{"reply by number as text", post(`"in_reply_to_user_id":"55"`), "follow=55"},
		{"reply by text as number", post(`"in_reply_to_user_id_str":55`), "follow=55"},
		{"reply by hand", post(mention("0")), "follow=77"},
		{"not by hand: in the middle", post(mention("3")), "!follow=77"},
		{"not by hand: a reply", post(mention("0") + `,"in_reply_to_status_id":4`), "!follow=77"},
		{"quoted text", post(`"quoted_status":{"id":3,"text":"deep","user":{"id":8}}`), "track=deep"},
		{"quoted author", post(`"quoted_status":{"id":3,"text":"deep","user":{"id":8}}`), "!follow=8"},
		{"repost of a quote", post(`"retweeted_status":{"id":3,"user":{"id":8},"quoted_status":{"id":4,"text":"deep"}}`), "track=deep"},
		{"five levels", post(`"quoted_status":{"quoted_status":{"quoted_status":{"quoted_status":{"quoted_status":{"text":"deep"}}}}}`), "!track=deep"},
		{"point", post(`"coordinates":{"type":"Point","coordinates":[-73.99,40.73]},"geo":{"coordinates":[40.73,-73.99]}`), "locations=-74,40,-73,41"},
		{"point before place", post(`"coordinates":{"coordinates":[1,1]},"place":{"bounding_box":{"coordinates":[[[10,10],[11,11]]]}}`), "!locations=10,10,11,11"},
		{"place, other order", post(`"place":{"bounding_box":{"coordinates":[[[-74.03,40.68],[-73.91,40.68],[-73.91,40.88],[-74.03,40.88]]]}}`), "locations=-74,40.8,-73,41"},
		{"media", post(`"extended_entities":{"media":[{"expanded_url":"http://a.example/m/1","display_url":"b.example/2"}]}`), "track=b.example/2"},
		{"symbols", post(`"entities":{"symbols":[{"text":"TWTR"}]}`), "track=$TWTR"},
		{"odd types", post(`"text":5,"entities":[],"place":"here","coordinates":[1],"lang":{},"extended_tweet":[],"retweeted_status":7,"filter_level":null`), "follow=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := decodeString(t, c.raw)
			if e.Post == nil || e.Post.Key.ID != "11" {
				t.Fatalf("no post: %+v", e.Post)
			}
			query, not := strings.CutPrefix(c.query, "!")
			query = strings.NewReplacer(" ", "%20", "$", "%24").Replace(query)
			if matches(t, query, e.Post) == not {
				t.Errorf("%s must match: %v", query, !not)
			}
		})
	}
}

// Every id may come as the other type, those inside other posts too.
func TestIDsOfTheOtherType(t *testing.T) {
	p := decodeString(t, `{"id":"10","user":{"id":"1"},"quoted_status_id":"5","retweeted_status":{"id_str":7,"user":{"id_str":2}}}`).Post
	if p == nil || p.Key.ID != "10" || p.Author != "1" || strings.Join(p.Refs, " ") != "7 5" {
		t.Fatalf("post %+v", p)
	}
	if !matches(t, "follow=2", p) {
		t.Error("the reposted author is lost")
	}
}

func TestRefs(t *testing.T) {
	e := decodeString(t, `{"id":10,"user":{"id":1},"quoted_status_id":5,"quoted_status_id_str":"6",
		"retweeted_status":{"id":7,"user":{"id":2},"quoted_status_id_str":"6","quoted_status":{"id_str":"6"}}}`)
	if got := strings.Join(e.Post.Refs, " "); got != "7 6" && got != "6 7" {
		t.Errorf("refs are %q", got)
	}
}

// A raw line end inside a string is not JSON, but streams have sent it.
func TestRawControlCharacters(t *testing.T) {
	e := decodeString(t, "{\"id\":1,\"user\":{\"id\":2},\"text\":\"two\nlines\x01\"}")
	if !json.Valid(e.JSON) || bytes.ContainsAny(e.JSON, "\n\x01") {
		t.Errorf("JSON is %q", e.JSON)
	}
	if !matches(t, "track=lines", e.Post) {
		t.Error("the second line is lost")
	}
}

func TestSent(t *testing.T) {
	for raw, want := range map[string]time.Time{
		`{"id":1,"user":{},"timestamp_ms":"1573036661418","created_at":"Wed Nov 06 10:37:41 +0000 2019"}`: time.UnixMilli(1573036661418),
		`{"id":1,"user":{},"timestamp_ms":1573036661418}`:                                                 time.UnixMilli(1573036661418),
		`{"id":1,"user":{},"created_at":"Wed Nov 06 10:37:41 +0000 2019"}`:                                time.Unix(1573036661, 0),
		`{"id":1,"user":{},"timestamp_ms":"soon","created_at":"yesterday"}`:                               {},
		`{"delete":{"status":{"id":1},"timestamp_ms":"1425000000123"}}`:                                   time.UnixMilli(1425000000123),
		`{"id":1,"user":{},"timestamp_ms":"99999999999999999"}`:                                           {},
	} {
		if e := decodeString(t, raw); !e.Sent.Equal(want) {
			t.Errorf("%s: sent %v, want %v", raw, e.Sent, want)
		}
	}
}

func TestDialectPost(t *testing.T) {
	p, err := Dialect.Post(fixture(t, "post.json"))
	if err != nil || p.Key.ID != "1192021332537626111" {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, err := Dialect.Post([]byte(`{"limit":{}}`)); err == nil {
		t.Error("a notice is not a post")
	}
}

// A post must not keep its JSON alive, nor change with it.
func TestPostOwnsItsStrings(t *testing.T) {
	e := decodeString(t, `{"id_str":"123","user":{"id_str":"456"},"retweeted_status":{"id_str":"789"}}`)
	for i := range e.JSON {
		e.JSON[i] = 'x'
	}
	if p := e.Post; p.Key.ID != "123" || p.Author != "456" || p.Refs[0] != "789" {
		t.Errorf("post changed to %+v", p)
	}
}

// FuzzDecode: no input panics, what is taken is valid JSON without line ends,
// validity is that of encoding/json, and decoding again says the same.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"id":1,"id_str":"1","text":"a \ud83d\udc26 b","user":{"id":2},"entities":{"urls":[{"expanded_url":"http://a.example/b"}]}}`,
		`{"delete":{"status":{"id":1234,"id_str":"1234","user_id":3}}}`, `{"for_user":"1","message":{"limit":{"track":3}}}`,
		"{\"a\":\"\x7f\u2028\xff\"}", `{"coordinates":{"coordinates":[1e400,-0.5]}}`, `{"id":1,"user":{},"delete":{"status":{"id":2}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := Decode(raw)
		normal := fanout.NewEvent(Dialect, raw).JSON
		trimmed := bytes.TrimSpace(normal)
		valid := json.Valid(normal) && len(trimmed) > 0 && trimmed[0] == '{'
		if valid != (err == nil) {
			t.Fatalf("err %v, but valid is %v: %q", err, valid, normal)
		}
		if err != nil {
			return
		}
		if !json.Valid(e.JSON) || bytes.ContainsAny(e.JSON, "\r\n\x00") {
			t.Fatalf("passed on %q", e.JSON)
		}
		again, err := Decode(e.JSON)
		if err != nil || again.Kind != e.Kind && !bytes.Contains(raw, []byte("message")) || !bytes.Equal(again.JSON, e.JSON) && again.Kind == fanout.KindPost {
			t.Fatalf("again: %v, kind %v and %v", err, e.Kind, again.Kind)
		}
		if (e.Kind == fanout.KindPost) != (e.Post != nil) {
			t.Fatal("a post without a Post, or the other way round")
		}
	})
}
