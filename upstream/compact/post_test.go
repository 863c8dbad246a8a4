package compact

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestAppend(t *testing.T) {
	yes := true
	point := [2]float64{-73.99, 40.7}
	p := &Post{
		ID: "9", Created: Time(time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.FixedZone("", 3600))), Text: "a \"b\"\n\u2028", Lang: "en",
		Author: Author{ID: "3", Username: "ann", Name: "Ann", Avatar: "https://img.example/a.jpg", Verified: &yes}, URL: "https://x.example/9",
		Hashtags: []string{"t"}, Mentions: []Person{{"4", "bob"}}, URLs: []Link{{"u", "e", "d"}}, Media: []Media{{"photo", "m", "alt"}},
		ReplyTo: Person{ID: "8"}, QuoteID: "7", Geo: &Geo{Point: &point}, Sensitive: true, WithheldIn: []string{"DE"}, Source: "test",
	}
	const want = `{"id_str":"9","created_at":"2026-01-02T02:04:05.678Z","text":"a \"b\"\u000a\u2028","lang":"en","author":{"id_str":"3","username":"ann","name":"Ann","avatar":"https://img.example/a.jpg","verified":true},"url":"https://x.example/9","hashtags":["t"],"mentions":[{"id_str":"4","username":"bob"}],"urls":[{"url":"u","expanded":"e","display":"d"}],"media":[{"type":"photo","url":"m","alt":"alt"}],"reply_to":{"id_str":"8"},"quote_of":{"id_str":"7"},"geo":{"lon":-73.99,"lat":40.7},"sensitive":true,"withheld_in":["DE"],"source":"test"}`
	if got := string(p.Append([]byte("<"))); got != "<"+want || !json.Valid([]byte(got[1:])) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := string((&Post{}).Append(nil)); got != "{}" {
		t.Errorf("nothing is %s", got)
	}
}

// A repost has the whole text and the entities of what it reposts, once.
func TestRepost(t *testing.T) {
	p := &Post{Text: "RT @bob: the who…", Hashtags: []string{"a"}}
	p.Repost(&Post{Text: "the whole", Author: Author{Username: "bob"}, Hashtags: []string{"a", "b"}})
	if p.Text != "RT @bob: the whole" || strings.Join(p.Hashtags, " ") != "a b" {
		t.Errorf("%+v", p)
	}
}
