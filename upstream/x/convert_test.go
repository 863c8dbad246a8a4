package x_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/upstream/twitter"
	"aviary/upstream/twitter/sim"
	"aviary/upstream/x"
)

// both calls each with posts of the corpus as the two APIs have them.
func both(t *testing.T, seed uint64, n int, each func(i int, v1, v2 []byte)) {
	t.Helper()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := sim.NewCorpus(seed, start)
	for i := range n {
		m := c.Next(start.Add(time.Duration(i) * 137 * time.Millisecond))
		if m.Post {
			each(i, fanout.Normalize(nil, m.JSON), fanout.Normalize(nil, c.X(m, sim.AllFields)))
		}
	}
}

func converted(t *testing.T, to func(dst, raw []byte) ([]byte, error), raw []byte) []byte {
	t.Helper()
	out, err := to(nil, raw)
	if err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return out
}

func object(t *testing.T, raw []byte) (m map[string]any) {
	t.Helper()
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return m
}

func differ(t *testing.T, i int, what string, got, want any, of []byte) {
	t.Helper()
	if reflect.DeepEqual(got, want) {
		return
	}
	a, _ := json.MarshalIndent(got, "", " ")
	b, _ := json.MarshalIndent(want, "", " ")
	t.Fatalf("post %d, %s\ngot  %s\nwant %s\nof   %s", i, what, a, b, of)
}

// A converted post has the compact form that it had before, whichever way it went,
// and the other API's own post has.
func TestConvertedCompactAgrees(t *testing.T) {
	seen := map[string]int{}
	both(t, 21, 1200, func(i int, v1, v2 []byte) {
		want := form(t, twitter.Dialect, v1)
		if inner, ok := want["repost_of"].(map[string]any); ok { // v2 gives no more of it
			if quote, ok := inner["quote_of"].(map[string]any); ok {
				inner["quote_of"] = map[string]any{"id_str": quote["id_str"]}
			}
		}
		differ(t, i, "v1.1 made of v2", form(t, twitter.Dialect, converted(t, x.Dialect.V1, v2)), want, v2)
		differ(t, i, "v2 made of v1.1", form(t, x.Dialect, converted(t, twitter.Dialect.V2, v1)), want, v1)
		for name := range want {
			seen[name]++
		}
	})
	for _, name := range []string{"author", "hashtags", "mentions", "urls", "media", "reply_to", "repost_of", "quote_of", "geo", "sensitive", "withheld_in"} {
		if seen[name] == 0 {
			t.Errorf("no post with %s: nothing is proved of it", name)
		}
	}
}

// What filters find in a post does not depend on a conversion.
func TestConvertedFeaturesAgree(t *testing.T) {
	both(t, 22, 300, func(_ int, v1, v2 []byte) {
		for _, made := range []struct {
			what     string
			from, to *fanout.Dialect
			raw, out []byte
		}{
			{"v1.1 made of v2", x.Dialect, twitter.Dialect, v2, converted(t, x.Dialect.V1, v2)},
			{"v2 made of v1.1", twitter.Dialect, x.Dialect, v1, converted(t, twitter.Dialect.V2, v1)},
		} {
			before, err := made.from.Post(made.raw)
			if err != nil {
				t.Fatal(err)
			}
			after, err := made.to.Post(made.out)
			if err != nil {
				t.Fatal(err)
			}
			for name, f := range filters {
				if got, want := f.Match(after), f.Match(before); got != want && (got || !quoteInRepost(v1)) && !strings.Contains(name, "level") {
					t.Fatalf("%s: %s: %v, %v before\n%s\n%s", name, made.what, got, want, made.raw, made.out)
				}
			}
		}
	})
}

// v2 made of v1.1 is what v2 has for the same post, member by member, but for what
// v1.1 does not say.
func TestV2AgreesByMember(t *testing.T) {
	both(t, 23, 1000, func(i int, v1, v2 []byte) {
		raw := converted(t, twitter.Dialect.V2, v1)
		got, want := object(t, raw), object(t, v2)
		delete(want, "matching_rules")
		lost := false
		if list, ok := want["errors"].([]any); ok { // what is not there cannot be compared
			lost = len(list) > 0
			delete(want, "errors")
		}
		g, w := got["data"].(map[string]any), want["data"].(map[string]any)
		for _, m := range []map[string]any{g, w} {
			delete(m, "public_metrics") // the simulator's two APIs count differently
			if m["in_reply_to_user_id"] != nil {
				delete(m, "conversation_id")
			}
		}
		differ(t, i, "data", g, w, v1)
		in, _ := got["includes"].(map[string]any)
		own, _ := want["includes"].(map[string]any)
		for _, kind := range []string{"media", "places", "tweets", "users"} {
			list, _ := own[kind].([]any)
			for _, one := range list {
				o := one.(map[string]any)
				mine := find(in[kind], o)
				if mine == nil { // of the post that is answered v1.1 has the id alone
					name, _ := o["id"].(string)
					key, _ := o["media_key"].(string)
					if kind == "tweets" && answered(w, name) || kind != "tweets" && !strings.Contains(string(raw), `"`+name+key+`"`) {
						continue
					}
					if !lost {
						t.Fatalf("post %d: no %s like %v in %v\nof %s", i, kind, o, in[kind], v1)
					}
					continue
				}
				for name, value := range o {
					if name == "public_metrics" || name == "conversation_id" {
						continue
					}
					if kind == "users" && mine["description"] == nil && name != "id" && name != "username" {
						continue // only mentioned
					}
					if list, ok := value.([]any); ok && name == "variants" { // the simulator's v2 has one more
						value = list[1:]
					}
					differ(t, i, kind+"."+name, mine[name], value, v1)
				}
			}
		}
	})
}

func answered(post map[string]any, id any) bool {
	refs, _ := post["referenced_tweets"].([]any)
	for _, r := range refs {
		if m := r.(map[string]any); m["type"] == "replied_to" && m["id"] == id {
			return true
		}
	}
	return false
}

func find(list any, like map[string]any) map[string]any {
	all, _ := list.([]any)
	for _, one := range all {
		m := one.(map[string]any)
		if m["id"] != nil && m["id"] == like["id"] || m["media_key"] != nil && m["media_key"] == like["media_key"] {
			return m
		}
	}
	return nil
}

// v1.1 made of v2 is what v1.1 has for the same post, but for what v2 does not say
// and what streams cut.
func TestV1AgreesByMember(t *testing.T) {
	clear(seenMember)
	both(t, 24, 1000, func(i int, v1, v2 []byte) {
		got, want := object(t, converted(t, x.Dialect.V1, v2)), object(t, v1)
		compareStatus(t, i, got, want, v2, 0)
		for name := range want {
			if _, is := got[name]; !is && name != "extended_tweet" && name != "display_text_range" && name != "quoted_status_permalink" && name != "withheld_scope" && name != "quoted_status" && name != "possibly_sensitive" {
				t.Fatalf("post %d: no %s in %v", i, name, got)
			}
		}
	})
	for _, name := range []string{"film", "place"} {
		if seenMember[name] == 0 {
			t.Errorf("no post with a %s: nothing is proved of it", name)
		}
	}
}

// seenMember counts what compareStatus met.
var seenMember = map[string]int{}

func compareStatus(t *testing.T, i int, got, want map[string]any, of []byte, level int) {
	t.Helper()
	whole := want
	if e, ok := want["extended_tweet"].(map[string]any); ok {
		whole = map[string]any{"text": e["full_text"], "entities": e["entities"], "extended_entities": e["extended_entities"]}
	}
	for _, name := range []string{"created_at", "id", "id_str", "lang", "in_reply_to_user_id", "in_reply_to_user_id_str", "in_reply_to_status_id",
		"in_reply_to_status_id_str", "in_reply_to_screen_name", "coordinates", "geo", "is_quote_status", "quoted_status_id_str", "timestamp_ms", "withheld_in_countries"} {
		differ(t, i, name, got[name], want[name], of)
	}
	differ(t, i, "text", got["text"], whole["text"], of)
	entities, wanted := got["entities"].(map[string]any), whole["entities"].(map[string]any)
	for _, name := range []string{"hashtags", "symbols", "urls"} {
		differ(t, i, name, entities[name], wanted[name], of)
	}
	mentions, _ := wanted["user_mentions"].([]any)
	for k, m := range mentions {
		for _, name := range []string{"screen_name", "id", "id_str", "indices"} {
			differ(t, i, "mention "+name, entities["user_mentions"].([]any)[k].(map[string]any)[name], m.(map[string]any)[name], of)
		}
	}
	if more, ok := whole["extended_entities"].(map[string]any); ok {
		for k, m := range more["media"].([]any) {
			mine := got["extended_entities"].(map[string]any)["media"].([]any)[k].(map[string]any)
			for _, name := range []string{"id", "id_str", "indices", "media_url_https", "media_url", "url", "display_url", "expanded_url", "type", "ext_alt_text"} {
				differ(t, i, "media "+name, mine[name], m.(map[string]any)[name], of)
			}
			theirs := m.(map[string]any)
			differ(t, i, "media size", mine["sizes"].(map[string]any)["large"], theirs["sizes"].(map[string]any)["large"], of)
			if film, ok := theirs["video_info"].(map[string]any); ok {
				seenMember["film"]++
				differ(t, i, "media duration", mine["video_info"].(map[string]any)["duration_millis"], film["duration_millis"], of)
			}
		}
	}
	if place, ok := want["place"].(map[string]any); ok && level == 0 && want["retweeted_status"] == nil {
		seenMember["place"]++
		for _, name := range []string{"id", "url", "place_type", "name", "full_name", "country_code", "country"} {
			differ(t, i, "place."+name, got["place"].(map[string]any)[name], place[name], of)
		}
	}
	user, author := got["user"].(map[string]any), want["user"].(map[string]any)
	for _, name := range []string{"id", "id_str", "name", "screen_name", "location", "description", "verified", "followers_count", "friends_count", "listed_count", "statuses_count", "favourites_count", "profile_image_url_https", "profile_image_url", "created_at", "url", "protected"} {
		differ(t, i, "user."+name, user[name], author[name], of)
	}
	for _, inner := range []string{"retweeted_status", "quoted_status"} {
		a, _ := got[inner].(map[string]any)
		b, _ := want[inner].(map[string]any)
		if a != nil && b != nil && level < 2 {
			delete(b, "timestamp_ms")
			compareStatus(t, i, a, b, of, level+1)
		} else if inner == "retweeted_status" && (a == nil) != (b == nil) {
			t.Fatalf("post %d: a repost only in one of the two\n%s", i, of)
		}
	}
}
