package x_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/upstream/twitter"
	"aviary/upstream/twitter/sim"
	"aviary/upstream/x"
)

// The compact forms of v1.1 and v2 agree, field by field, on 4,000 posts of every
// kind; and a notice becomes the same duty.
func TestCompactAgrees(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := sim.NewCorpus(7, start)
	seen := map[string]int{}
	for i := range 4000 {
		m := c.Next(start.Add(time.Duration(i) * 137 * time.Millisecond))
		raw := c.X(m, sim.AllFields)
		old, err := twitter.Decode(m.JSON)
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.Decode(raw)
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		if got.Kind != old.Kind {
			t.Fatalf("%v, want %v: %s", got.Kind, old.Kind, raw)
		}
		if !m.Post {
			a, b := got.Target, old.Target
			a.Source, b.Source = "", ""
			if a != b {
				t.Fatalf("target %+v, want %+v", a, b)
			}
			seen[got.Kind.String()]++
			continue
		}
		want := form(t, twitter.Dialect, old.JSON)
		have := form(t, x.Dialect, got.JSON)
		if inner, ok := want["repost_of"].(map[string]any); ok { // v2 gives no more of it
			if quote, ok := inner["quote_of"].(map[string]any); ok {
				inner["quote_of"] = map[string]any{"id_str": quote["id_str"]}
				seen["quote inside a repost"]++
			}
		}
		if !reflect.DeepEqual(have, want) {
			a, _ := json.MarshalIndent(have, "", " ")
			b, _ := json.MarshalIndent(want, "", " ")
			t.Fatalf("post %d\ngot  %s\nwant %s\nof   %s", i, a, b, raw)
		}
		for name := range have {
			seen[name]++
		}
		if !got.Sent.Equal(old.Sent) {
			t.Fatalf("sent %v, want %v", got.Sent, old.Sent)
		}
		if got.Post.Author != old.Post.Author || got.Post.HasGeo != old.Post.HasGeo || got.Post.Geo != old.Post.Geo {
			t.Fatalf("post %+v, want %+v", got.Post, old.Post)
		}
	}
	for _, name := range []string{"author", "hashtags", "mentions", "urls", "media", "reply_to", "repost_of", "quote_of", "geo", "sensitive", "withheld_in", "delete", "status_withheld", "quote inside a repost"} {
		if seen[name] == 0 {
			t.Errorf("no post with %s: nothing is proved of it", name)
		}
	}
}

// form is the compact form without what names the source.
func form(t *testing.T, d *fanout.Dialect, raw []byte) map[string]any {
	t.Helper()
	b, err := d.Compact(nil, raw)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	strip(m)
	return m
}

func strip(m map[string]any) {
	delete(m, "source")
	for _, inner := range []string{"repost_of", "quote_of"} {
		if p, ok := m[inner].(map[string]any); ok {
			strip(p)
		}
	}
}

// What filters find in a post does not depend on the API that it came by, but for
// the words of a post that a reposted one quotes: v2 does not send them.
func TestFeaturesAgree(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := sim.NewCorpus(11, start)
	for i := range 2000 {
		m := c.Next(start.Add(time.Duration(i) * 100 * time.Millisecond))
		if !m.Post {
			continue
		}
		raw := c.X(m, sim.AllFields)
		v2, err := x.Dialect.Post(raw)
		if err != nil {
			t.Fatal(err)
		}
		v1, err := twitter.Dialect.Post(m.JSON)
		if err != nil {
			t.Fatal(err)
		}
		for name, f := range filters {
			if got, want := f.Match(v2), f.Match(v1); got != want && (got || !quoteInRepost(m.JSON)) {
				t.Fatalf("%s: %v by v2, %v by v1.1\n%s\n%s", name, got, want, raw, m.JSON)
			}
		}
	}
}

func quoteInRepost(raw []byte) bool {
	var m struct {
		Repost struct {
			Quoted json.RawMessage `json:"quoted_status"`
		} `json:"retweeted_status"`
	}
	_ = json.Unmarshal(raw, &m)
	return m.Repost.Quoted != nil
}
