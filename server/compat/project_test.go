package compat

import (
	"net/url"
	"testing"
)

const fullEnvelope = `{"data":{"id":"1","text":"t","edit_history_tweet_ids":["1"],"author_id":"7","lang":"en","in_reply_to_user_id":"8",` +
	`"referenced_tweets":[{"type":"quoted","id":"2"},{"type":"replied_to","id":"3"}],"attachments":{"media_keys":["3_5"]},"geo":{"place_id":"p"},` +
	`"entities":{"mentions":[{"start":0,"end":2,"username":"e","id":"8"},{"start":3,"end":5,"username":"z","id":"99"}]}},` +
	`"includes":{"users":[{"id":"7","name":"A","username":"a","verified":true},{"id":"8","name":"E","username":"e"},{"id":"9","name":"Q","username":"q"}],` +
	`"tweets":[{"id":"2","text":"q","edit_history_tweet_ids":["2"],"author_id":"9","attachments":{"media_keys":["3_6"]}}],` +
	`"media":[{"media_key":"3_5","type":"photo","url":"u"},{"media_key":"3_6","type":"photo","url":"v"}],"places":[{"id":"p","full_name":"P","country":"C"}]},` +
	`"matching_rules":[{"id":"1"}],"gap_filled":true}`

// What each parameter adds to the least.
func TestProjection(t *testing.T) {
	const least = `{"data":{"id":"1","text":"t","edit_history_tweet_ids":["1"]`
	const end = `,"matching_rules":[]}`
	for query, want := range map[string]string{
		"":                        least + `}` + end,
		"tweet.fields=lang,id":    least + `,"lang":"en"}` + end,
		"user.fields=verified":    least + `}` + end,
		"tweet.fields=card_uri":   least + `}` + end,
		"expansions=author_id":    least + `,"author_id":"7"},"includes":{"users":[{"id":"7","name":"A","username":"a"}]}` + end,
		"expansions=geo.place_id": least + `,"geo":{"place_id":"p"}},"includes":{"places":[{"id":"p","full_name":"P"}]}` + end,
		"expansions=author_id,in_reply_to_user_id&user.fields=verified": least + `,"author_id":"7","in_reply_to_user_id":"8"},` +
			`"includes":{"users":[{"id":"7","name":"A","username":"a","verified":true},{"id":"8","name":"E","username":"e"}]}` + end,
		"expansions=entities.mentions.username": least + `,"entities":{"mentions":[{"start":0,"end":2,"username":"e","id":"8"},{"start":3,"end":5,"username":"z","id":"99"}]}},` +
			`"includes":{"users":[{"id":"8","name":"E","username":"e"}]}` + end,
		"expansions=attachments.media_keys&media.fields=url": least + `,"attachments":{"media_keys":["3_5"]}},"includes":{"media":[{"media_key":"3_5","type":"photo","url":"u"}]}` + end,
		"expansions=referenced_tweets.id.author_id": least + `,"referenced_tweets":[{"type":"quoted","id":"2"},{"type":"replied_to","id":"3"}]},` +
			`"includes":{"users":[{"id":"9","name":"Q","username":"q"}],"tweets":[{"id":"2","text":"q","edit_history_tweet_ids":["2"]}]},` +
			`"errors":[{"detail":"Could not find tweet with referenced_tweets.id: [3].","parameter":"referenced_tweets.id","resource_id":"3","resource_type":"tweet","title":"Not Found Error","type":"https://api.x.com/2/problems/resource-not-found","value":"3"}]` + end,
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		p, err := readProjection(values)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := p.appendPost(nil, []byte(fullEnvelope))
		got = appendRules(got, nil)
		if string(got) != want || !ok {
			t.Errorf("%s\ngot  %s\nwant %s", query, got, want)
		}
	}
	if _, ok := (&projection{}).appendPost(nil, []byte(`{"errors":[]}`)); ok {
		t.Error("an envelope without a post makes one")
	}
}

// What a client of a v2 stream costs for each post: its own fields of the envelope
// that all share.
func BenchmarkProjection(b *testing.B) {
	for name, query := range map[string]string{"least": "", "all": "tweet.fields=lang,entities,geo,attachments&expansions=author_id,referenced_tweets.id,attachments.media_keys&user.fields=verified"} {
		values, err := url.ParseQuery(query)
		if err != nil {
			b.Fatal(err)
		}
		p, err := readProjection(values)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			raw := []byte(fullEnvelope)
			var dst []byte
			for b.Loop() {
				dst, _ = p.appendPost(dst[:0], raw)
			}
		})
	}
}
