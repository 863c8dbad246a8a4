package sim

import (
	"slices"
	"strings"
	"testing"
)

func TestPost(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	check := func(p Posted) status {
		t.Helper()
		st := decode(t, p.JSON)
		checkStatus(t, &st)
		if st.IDStr != p.ID || st.User.IDStr != p.UserID {
			t.Errorf("ids %s %s of %s", p.ID, p.UserID, p.JSON)
		}
		return st
	}
	long := check(s.Post(Draft{Text: strings.Repeat("a & b <c> #täg @ann $ACME https://www.example.com/a/long/path/to/something ", 4)}))
	if long.Extended == nil || len(long.Extended.Entities.Hashtags) != 4 || len(long.Extended.Entities.Mentions) != 4 || len(long.Extended.Entities.Symbols) != 4 || len(long.Extended.Entities.URLs) != 4 {
		t.Errorf("long: %+v", long)
	}
	if u := long.Extended.Entities.URLs[0]; u.Expanded != "https://www.example.com/a/long/path/to/something" || u.Display != "example.com/a/long/path/to…" {
		t.Errorf("link %+v", u)
	}
	if exact := check(s.Post(Draft{Text: strings.Repeat("é", 140)})); exact.Extended != nil {
		t.Error("140 code points are not too long")
	}
	if over := check(s.Post(Draft{Text: strings.Repeat("&", 141)})); over.Extended == nil || !strings.Contains(over.Text, "&amp;…") {
		t.Errorf("cut within an escape: %q", over.Text)
	}
	repost := check(s.Post(Draft{Retweet: long.IDStr}))
	if repost.Retweeted == nil || repost.Retweeted.Extended == nil || !strings.HasSuffix(repost.Text, "…") {
		t.Errorf("repost: %+v", repost)
	}
	quote := check(s.Post(Draft{Text: "see", Quote: long.IDStr}))
	if quote.Quoted == nil || quote.Range[1] != 3 {
		t.Errorf("quote: %+v", quote)
	}
	if odd := check(s.Post(Draft{Text: "# #1 a#b a@b $ $a $TOOLONGNAME http:/x \" \\ \u2028 \x01 @"})); len(odd.Entities.Hashtags)+len(odd.Entities.Mentions)+len(odd.Entities.Symbols)+len(odd.Entities.URLs) != 0 {
		t.Errorf("found entities in %q", odd.Text)
	}
}

func TestSettings(t *testing.T) {
	s := New(Config{})
	defer s.Close()
	want := []string{
		"AVIARY_SOURCE=twitter", "AVIARY_TWITTER_STREAM_URL=http://127.0.0.1:8090", "AVIARY_TWITTER_API_URL=http://127.0.0.1:8090",
		"AVIARY_TWITTER_CONSUMER_KEY=sim-consumer-key", "AVIARY_TWITTER_CONSUMER_SECRET=sim-consumer-secret-not-a-secret",
		"AVIARY_TWITTER_ACCESS_TOKEN=1000001-sim-access-token", "AVIARY_TWITTER_ACCESS_SECRET=sim-access-secret-not-a-secret",
		"AVIARY_TRACK=football,go,music,weather,cooking,trains,space",
	}
	if got := s.Settings("http://127.0.0.1:8090"); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
