package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// post is a synthetic v1.1 status of about 3 KB whose text holds the time it
// was made, so that a reader can tell how old it is.
func post(id int64, now time.Time) string {
	const filler = "The quick brown fox jumps over the lazy dog while the kettle sings and the night train waits. "
	user := `{"id":42,"id_str":"42","name":"Bench","screen_name":"bench","location":"Loopback","url":null,"description":"` +
		strings.Repeat(filler, 6) + `","protected":false,"verified":false,"followers_count":1,"friends_count":2,"listed_count":0,` +
		`"favourites_count":3,"statuses_count":4,"created_at":"Mon Jan 01 00:00:00 +0000 2018","lang":null,"profile_image_url_https":"https://img.example/a.png"}`
	return fmt.Sprintf(`{"created_at":"%s","id":%d,"id_str":"%d","text":"sent=%d #bench golang %s","source":"<a href=\"https://app.example\">App</a>",`+
		`"truncated":true,"in_reply_to_status_id":null,"in_reply_to_user_id_str":null,"user":%s,"geo":null,"coordinates":null,"place":null,`+
		`"is_quote_status":false,"extended_tweet":{"full_text":"%s","display_text_range":[0,280],"entities":{"hashtags":[{"text":"bench","indices":[3,9]}],`+
		`"urls":[{"url":"https://t.co/abc","expanded_url":"https://example.com/a/long/path","display_url":"example.com/a/long…","indices":[10,33]}],"user_mentions":[],"symbols":[]}},`+
		`"retweet_count":0,"favorite_count":0,"entities":{"hashtags":[{"text":"bench","indices":[3,9]}],"urls":[],"user_mentions":[],"symbols":[]},`+
		`"filter_level":"low","lang":"en","timestamp_ms":"%d","padding":"%s"}`,
		now.UTC().Format(time.RubyDate), id, id, now.UnixNano(), filler, user, strings.Repeat(filler, 3), now.UnixMilli(), strings.Repeat(filler, 7)) + "\r\n"
}

// upstream serves the streaming endpoint: each connection gets rate posts a
// second for as long as it lasts, each flushed by itself.
func upstream(rate int) (url string, stop func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		flush := http.NewResponseController(w)
		io.WriteString(w, "\r\n")
		flush.Flush()
		tick := time.NewTicker(time.Second / time.Duration(max(rate, 1)))
		defer tick.Stop()
		for id := time.Now().UnixMicro(); ; id++ {
			select {
			case <-r.Context().Done():
				return
			case <-tick.C:
			}
			if rate == 0 {
				io.WriteString(w, "\r\n") // idle: keep-alives only
			} else {
				io.WriteString(w, post(id, time.Now()))
			}
			if flush.Flush() != nil {
				return
			}
		}
	})}
	go srv.Serve(l)
	return "http://" + l.Addr().String(), func() { srv.Close() }
}

// twitter is the settings that point a gateway at such an upstream.
func twitter(url string) []string {
	return []string{"AVIARY_SOURCE=twitter", "AVIARY_TWITTER_STREAM_URL=" + url, "AVIARY_TRACK=golang",
		"AVIARY_TWITTER_CONSUMER_KEY=ck", "AVIARY_TWITTER_CONSUMER_SECRET=cs",
		"AVIARY_TWITTER_ACCESS_TOKEN=at", "AVIARY_TWITTER_ACCESS_SECRET=as", "AVIARY_MAX_CLIENTS=20000"}
}

// writeCapture makes an NDJSON file of n posts.
func writeCapture(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	now := time.Now()
	for i := range n {
		if _, err := io.WriteString(f, post(now.UnixMicro()+int64(i), now)); err != nil {
			return err
		}
	}
	return f.Close()
}
