package twitter

import (
	"strings"
	"testing"

	"aviary/fanout/filter"
)

// factsOf decodes a post that has more than an id and an author, and makes the one
// that it should be.
func factsOf(t *testing.T, more string, fill func(*filter.Builder)) (got, want *filter.Post) {
	t.Helper()
	got = decodeString(t, `{"id_str":"10","user":{"id_str":"1"}`+more+`}`).Post
	var b filter.Builder
	b.Reset(filter.Key{Source: Name, ID: "10"})
	b.Author("1")
	b.From("1", "")
	fill(&b)
	return got, b.Post()
}

// What v1.1 JSON says beside words, each as the builder calls it.
func TestFacts(t *testing.T) {
	own := func(b *filter.Builder) { b.Conversation("10") }
	const media = `{"media":[{"type":"%","expanded_url":"http://a.org/m/1","display_url":"a.org/m/1"}]}`
	type B = filter.Builder
	for _, c := range []struct {
		name, more string
		want       func(*B)
	}{
		{"nothing", ``, own},
		{"author", `,"user":{"id":9,"id_str":"1","screen_name":"Gull_Watch","name":"Gull W.","location":"Port, EX","description":"Ships &amp; gulls","verified":true}`,
			func(b *B) {
				own(b)
				b.From("", "Gull_Watch")
				b.BioName("Gull W.")
				b.BioLocation("Port, EX")
				b.Bio("Ships & gulls")
				b.Is("verified")
			}},
		{"author, nothing said", `,"user":{"id_str":"1","name":null,"location":null,"description":null,"verified":false,"followers_count":null}`, own},
		{"counts", `,"user":{"id_str":"1","followers_count":5,"friends_count":6,"statuses_count":7,"listed_count":8}`,
			func(b *B) { own(b); b.Counts(5, 6, 7, 8) }},
		{"odd counts", `,"user":{"id_str":"1","followers_count":"5","friends_count":-6,"statuses_count":7.5,"listed_count":99999999999}`,
			func(b *B) { own(b); b.Counts(5, -1, -1, 1<<32-2) }},
		{"reply", `,"in_reply_to_status_id_str":"7","in_reply_to_user_id_str":"2","in_reply_to_screen_name":"Tern"`,
			func(b *B) { b.Concerns("2"); b.To("2", "Tern"); b.InReplyTo("7"); b.Is("reply") }},
		{"reply by number", `,"in_reply_to_status_id":7,"in_reply_to_user_id":2`,
			func(b *B) { b.Concerns("2"); b.To("2", ""); b.InReplyTo("7"); b.Is("reply") }},
		{"reply by hand", `,"in_reply_to_status_id":null,"in_reply_to_user_id":2,"in_reply_to_screen_name":"Tern"`,
			func(b *B) { own(b); b.Concerns("2"); b.To("2", "Tern") }},
		{"a server that knows conversations", `,"in_reply_to_status_id":7,"conversation_id":6`,
			func(b *B) { b.InReplyTo("7"); b.Is("reply"); b.Conversation("6") }},
		{"repost", `,"retweeted_status":{"id_str":"7","user":{"id_str":"2","screen_name":"Tern","name":"T","verified":true,"followers_count":9}}`,
			func(b *B) {
				own(b)
				b.Is("retweet")
				b.Concerns("2")
				b.RetweetsOf("2", "Tern")
				b.RetweetOf("7")
				b.Ref("7")
			}},
		{"quote", `,"is_quote_status":true,"quoted_status_id":7,"quoted_status":{"id_str":"7","text":"deep","source":"Tin","user":{"id_str":"2","screen_name":"Tern"}}`,
			func(b *B) { own(b); b.Is("quote"); b.Ref("7"); b.Text("deep") }},
		{"quote that is gone", `,"is_quote_status":true`, func(b *B) { own(b); b.Is("quote") }},
		{"source", `,"source":"\u003ca href=\"http:\/\/a.org\" rel=\"nofollow\"\u003eNight Desk &amp; Co\u003c\/a\u003e"`, func(b *B) { own(b); b.Source("Night Desk & Co") }},
		{"plain source", `,"source":"web"`, func(b *B) { own(b); b.Source("web") }},
		{"no source", `,"source":""`, own},
		{"place", `,"place":{"id":"01a9","name":"Port","full_name":"Port, EX","country_code":"EX","country":"Exampleland"}`,
			func(b *B) { own(b); b.Has("geo"); b.Place("01a9", "Port, EX"); b.Country("EX") }},
		{"place by two names", `,"place":{"id":"01a9","name":"Harbour","full_name":"Port, EX"}`,
			func(b *B) { own(b); b.Has("geo"); b.Place("01a9", "Harbour", "Port, EX") }},
		{"no place on a repost", `,"place":{"id":"01a9","full_name":"Port"},"coordinates":{"coordinates":[1,2]},"retweeted_status":{"id_str":"7"}`,
			func(b *B) { own(b); b.Is("retweet"); b.RetweetOf("7"); b.Ref("7") }},
		{"photo", `,"extended_entities":` + strings.ReplaceAll(media, "%", "photo"),
			func(b *B) { own(b); b.URL("http://a.org/m/1"); b.URL("a.org/m/1"); b.Has("media"); b.Has("images") }},
		{"video, called a photo in entities", `,"entities":` + strings.ReplaceAll(media, "%", "photo") + `,"extended_entities":` + strings.ReplaceAll(media, "%", "video"),
			func(b *B) { own(b); b.URL("http://a.org/m/1"); b.Has("media"); b.Has("video_link") }},
		{"moving picture", `,"extended_entities":` + strings.ReplaceAll(media, "%", "animated_gif"),
			func(b *B) { own(b); b.URL("http://a.org/m/1"); b.Has("media") }},
		{"media of a long text", `,"extended_tweet":{"full_text":"a","extended_entities":` + strings.ReplaceAll(media, "%", "photo") + `}`,
			func(b *B) { own(b); b.Text("a"); b.URL("http://a.org/m/1"); b.Has("media"); b.Has("images") }},
		{"media of what is reposted", `,"retweeted_status":{"id_str":"7","entities":` + strings.ReplaceAll(media, "%", "photo") + `}`,
			func(b *B) {
				own(b)
				b.Is("retweet")
				b.RetweetOf("7")
				b.Ref("7")
				b.URL("http://a.org/m/1")
				b.Has("media")
				b.Has("images")
			}},
		{"link to itself", `,"entities":{"urls":[{"expanded_url":"https://twitter.com/i/web/status/10","display_url":"twitter.com/i/web/status/1…"}]}`,
			func(b *B) {
				own(b)
				b.OwnURL("https://twitter.com/i/web/status/10")
				b.OwnURL("twitter.com/i/web/status/1…")
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, want := factsOf(t, c.more, c.want)
			if !equal(got, want) {
				t.Errorf("%s\n got %+v\nwant %+v", c.more, got, want)
			}
		})
	}
}

func equal(a, b *filter.Post) bool {
	same := a.Key == b.Key && a.Author == b.Author && a.Links == b.Links && a.Counts == b.Counts && a.HasGeo == b.HasGeo && a.Geo == b.Geo
	return same && strings.Join(a.Refs, " ") == strings.Join(b.Refs, " ") && len(a.Features) == len(b.Features) && includes(a, b)
}

func includes(a, b *filter.Post) bool {
	for i := range a.Features {
		if a.Features[i] != b.Features[i] {
			return false
		}
	}
	return true
}

// A text that is given cut and whole counts once, as the whole; what differs counts too.
func TestTexts(t *testing.T) {
	order := func(texts ...string) []uint32 {
		var b filter.Builder
		b.Reset(filter.Key{})
		for _, text := range texts {
			b.Text(text)
		}
		return b.Post().Order
	}
	for _, c := range []struct {
		name, more string
		want       []string
	}{
		{"text", `"text":"one two"`, []string{"one two"}},
		{"cut and whole", `"text":"one tw… https://t.co/abc","extended_tweet":{"full_text":"one two three"}`, []string{"one two three"}},
		{"whole, then cut", `"extended_tweet":{"full_text":"one two three"},"text":"one tw…"`, []string{"one two three"}},
		{"two texts", `"text":"other","full_text":"one two"`, []string{"other", "one two"}},
		{"not cut of it", `"text":"other…","extended_tweet":{"full_text":"one two"}`, []string{"other…", "one two"}},
		{"more than a link behind", `"text":"one… https://t.co/abc two","extended_tweet":{"full_text":"one two"}`, []string{"one… https://t.co/abc two", "one two"}},
		{"repost", `"text":"RT @gull: one two","retweeted_status":{"id":3,"text":"one two"}`, []string{"RT @gull: one two"}},
		{"repost, cut", `"text":"RT @gull: one tw…","retweeted_status":{"id":3,"text":"one two thr… https://t.co/abc","extended_tweet":{"full_text":"one two three"}}`, []string{"RT @gull: one two three"}},
		{"repost, original first", `"retweeted_status":{"id":3,"full_text":"one two"},"full_text":"RT @gull: one t…"`, []string{"RT @gull: one two"}},
		{"repost with another text", `"text":"RT @gull: four","retweeted_status":{"id":3,"text":"one two"}`, []string{"one two", "RT @gull: four"}},
		{"repost by hand", `"text":"RT @gull: one two"`, []string{"RT @gull: one two"}},
		{"quote", `"text":"see","quoted_status":{"id":3,"text":"one two"}`, []string{"one two", "see"}},
		{"repost of a quote", `"text":"RT @gull: see","retweeted_status":{"id":3,"text":"see","quoted_status":{"id":4,"text":"one two"}}`, []string{"one two", "RT @gull: see"}},
		{"repost without an id", `"text":"see","retweeted_status":{"text":"one"}`, []string{"one", "see"}},
		{"empty", `"text":""`, nil},
	} {
		got := decodeString(t, `{"id":1,"user":{"id":2},`+c.more+`}`).Post.Order
		want := order(c.want...)
		if len(got) != len(want) {
			t.Errorf("%s: %d places in order, want those of %q", c.name, len(got), c.want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: the order is not that of %q", c.name, c.want)
				break
			}
		}
	}
}
