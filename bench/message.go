package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// payload is the size of a post's JSON in most measurements, in bytes: the median of
// what a stream of real posts carries.
const payload = 2500

// message is one post on its way: the same JSON for every server.
type message struct {
	seq   uint64
	topic string
	data  []byte // JSON on one line, without its end
}

// everybody is the topic of broadcasts. Topics are words of the post's text, so
// that aviary finds them as its clients' filters ask: by matching.
const everybody = "everybody"

// firstID makes post ids that rise over all runs.
var firstID = uint64(time.Now().UnixMilli()) << 20

// fill appends n bytes of text that compresses about as well as real posts do:
// phrases that come again and again between words that nobody has seen.
func fill(b *bytes.Buffer, n int, random *rand.Rand) {
	end := b.Len() + n
	for b.Len() < end {
		if random.IntN(4) > 0 {
			at := random.IntN(len(vocabulary) - 5)
			b.WriteString(strings.Join(vocabulary[at:at+5], " "))
		} else {
			for range 4 + random.IntN(8) {
				b.WriteByte(byte('a' + random.IntN(26)))
			}
		}
		b.WriteByte(' ')
	}
	b.Truncate(end)
}

var vocabulary = strings.Fields(`the quick brown fox jumps over lazy dog while kettle sings and night train waits for someone who
	never said when they would come back from market with bread apples two newspapers one of which was already old because nobody had read it
	yesterday since rain fell on every street except ours where children played until lamps went out`)

// render makes a synthetic v1.1 status of about size bytes. Its text begins with
// the number and the time, so that a reader finds them without parsing.
func render(seq uint64, topic string, size int, now time.Time) message {
	id := firstID + seq
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"created_at":"%s","id":%d,"id_str":"%d","text":"seq=%010d sent=%019d %s #bench","source":"<a href=\"https://app.example\">App</a>",`+
		`"truncated":false,"in_reply_to_status_id":null,"in_reply_to_user_id_str":null,"user":{"id":42,"id_str":"42","name":"Bench","screen_name":"bench",`+
		`"location":"Loopback","url":null,"protected":false,"verified":false,"followers_count":1,"friends_count":2,"listed_count":0,"favourites_count":3,`+
		`"statuses_count":4,"created_at":"Mon Jan 01 00:00:00 +0000 2018","lang":null,"profile_image_url_https":"https://img.example/a.png","description":"`,
		now.UTC().Format(time.RubyDate), id, id, seq, now.UnixNano(), topic)
	const tail = `"},"geo":null,"coordinates":null,"place":null,"is_quote_status":false,"retweet_count":0,"favorite_count":0,` +
		`"entities":{"hashtags":[{"text":"bench","indices":[53,59]}],"urls":[{"url":"https://t.co/abc","expanded_url":"https://example.com/a/long/path",` +
		`"display_url":"example.com/a/long…","indices":[10,33]}],"user_mentions":[],"symbols":[]},"filter_level":"low","lang":"en","timestamp_ms":"`
	fill(&b, max(size-b.Len()-len(tail)-15, 0), rand.New(rand.NewPCG(seq, 1)))
	b.WriteString(tail)
	b.WriteString(strconv.FormatInt(now.UnixMilli(), 10))
	b.WriteString(`"}`)
	return message{seq, topic, b.Bytes()}
}

var (
	seqMark  = []byte(`"text":"seq=`)
	sentMark = len(`"text":"seq=0123456789 sent=`)
)

// read finds the number and the time in a rendered message: at the same place in
// all of them but for the digits of the id.
func read(data []byte) (seq uint64, sent int64, ok bool) {
	at := bytes.Index(data[:min(len(data), 256)], seqMark)
	if at < 0 || len(data) < at+sentMark+19 {
		return 0, 0, false
	}
	for _, d := range data[at+len(seqMark) : at+len(seqMark)+10] {
		seq = seq*10 + uint64(d-'0')
	}
	for _, d := range data[at+sentMark : at+sentMark+19] {
		sent = sent*10 + int64(d-'0')
	}
	return seq, sent, true
}
