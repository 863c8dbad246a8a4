package sim

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream/twitter"
)

// noon is a fixed clock for corpora.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// sample makes n messages, ten a second.
func sample(seed uint64, n int) []Message {
	c := NewCorpus(seed, noon)
	out := make([]Message, n)
	for i := range out {
		out[i] = c.Next(noon.Add(time.Duration(i) * 100 * time.Millisecond))
	}
	return out
}

func TestCorpusPostsAreValid(t *testing.T) {
	seen := map[string]bool{}
	last := uint64(0)
	for _, m := range sample(1, 2500) {
		if !json.Valid(m.JSON) || !utf8.Valid(m.JSON) || bytes.ContainsAny(m.JSON, "\r\n") {
			t.Fatalf("not one line of JSON: %s", m.JSON)
		}
		e, err := twitter.Decode(m.JSON)
		if err != nil || (e.Kind == fanout.KindPost) != m.Post || e.Kind == fanout.KindOther {
			t.Fatalf("decoded as %v (%v): %s", e, err, m.JSON)
		}
		if !m.Post {
			continue
		}
		var s status
		if err := json.Unmarshal(m.JSON, &s); err != nil {
			t.Fatalf("%v: %s", err, m.JSON)
		}
		if s.ID <= last || s.ID < 1<<53 || seen[s.IDStr] {
			t.Fatalf("id %d after %d", s.ID, last)
		}
		last, seen[s.IDStr] = s.ID, true
		if ms := strconv.FormatInt(int64(s.ID>>22)+1288834974657, 10); ms != s.Timestamp {
			t.Fatalf("id says %s, timestamp_ms %s", ms, s.Timestamp)
		}
		checkStatus(t, &s)
		if t.Failed() {
			t.Fatalf("in %s", m.JSON)
		}
	}
}

func TestCorpusIsTheSameForASeed(t *testing.T) {
	a, b, other := sample(7, 3000), sample(7, 3000), sample(8, 3000)
	same := 0
	for i := range a {
		if !bytes.Equal(a[i].JSON, b[i].JSON) {
			t.Fatalf("message %d differs:\n%s\n%s", i, a[i].JSON, b[i].JSON)
		}
		if bytes.Equal(a[i].JSON, other[i].JSON) {
			same++
		}
	}
	if same > 0 {
		t.Errorf("another seed gave %d equal messages", same)
	}
}

// A corpus that lost a kind of post would make every test built on it weaker:
// each share must lie between the bounds, in per mille of messages.
func TestCorpusIsVaried(t *testing.T) {
	const n = 4_000
	count := map[string]int{}
	first := map[string]bool{}
	for _, m := range sample(3, n) {
		var s status
		if !m.Post {
			kind, _, _ := strings.Cut(string(m.JSON[2:]), `"`)
			count[kind]++
			continue
		}
		if err := json.Unmarshal(m.JSON, &s); err != nil {
			t.Fatal(err)
		}
		tally(&s, m.JSON, count)
		if p := s.Place; p != nil {
			b := p.Box.Coordinates[0]
			first[map[bool]string{true: "clockwise", false: "anticlockwise"}[b[0][0] == b[1][0]]] = true
		}
	}
	for _, want := range []struct {
		what      string
		low, high int
	}{
		{"delete", 15, 25}, {"scrub_geo", 0, 2}, {"status_withheld", 0, 3},
		{"retweet", 130, 220}, {"retweet of an extended", 20, 120}, {"quote", 60, 120}, {"reply", 90, 170}, {"extended", 80, 300},
		{"hashtag", 400, 900}, {"mention", 150, 500}, {"cashtag", 15, 90}, {"link", 150, 500}, {"media", 60, 200}, {"alt", 40, 200},
		{"photo", 40, 160}, {"video", 4, 30}, {"animated_gif", 4, 30},
		{"bio", 950, 1000}, {"location", 400, 900}, {"known", 20, 300}, {"little known", 50, 500}, {"following, posts", 950, 1000}, {"listed", 400, 1000},
		{"reply with a name", 90, 170}, {"by " + sources[0], 150, 350}, {"by " + sources[1], 150, 350}, {"by " + sources[2], 150, 350}, {"by " + sources[3], 150, 350},
		{"place with names and country", 40, 110},
		{"place", 40, 110}, {"point", 15, 60}, {"sensitive", 2, 30}, {"withheld", 1, 8}, {"verified", 20, 200}, {"escaped as ASCII", 180, 320},
		{"&amp; &lt; &gt;", 10, 150}, {"emoji with ZWJ", 30, 250}, {"newline", 5, 50},
		{"Latin beyond ASCII", 100, 400}, {"Cyrillic", 40, 140}, {"Greek", 15, 80}, {"Arabic", 15, 80}, {"Hebrew", 15, 80},
		{"Devanagari", 15, 90}, {"Thai", 15, 90}, {"Hiragana", 15, 80}, {"Hangul", 15, 90}, {"Han", 30, 160},
	} {
		if got := count[want.what] * 1000 / n; count[want.what] == 0 || got < want.low || got > want.high {
			t.Errorf("%s: %d of %d messages, want %d to %d ‰", want.what, count[want.what], n, want.low, want.high)
		}
	}
	if len(first) != 2 {
		t.Errorf("only one order of box points: %v", first)
	}
}

// At ten messages a second each of these must show at least one post a second.
func TestCorpusHasTopics(t *testing.T) {
	const n = 3_000
	messages := sample(4, n)
	for _, track := range []string{"go", "football", "music"} {
		f, err := filter.Parse(url.Values{"track": {track}})
		if err != nil {
			t.Fatal(err)
		}
		hits := 0
		for _, m := range messages {
			if m.Post {
				p, err := twitter.Dialect.Post(m.JSON)
				if err != nil {
					t.Fatal(err)
				}
				if f.Match(p) {
					hits++
				}
			}
		}
		if hits < n/10 || hits > n/3 {
			t.Errorf("track=%s matches %d of %d", track, hits, n)
		}
	}
}

func TestPopulation(t *testing.T) {
	c := NewCorpus(1, noon)
	if len(c.users) != population {
		t.Fatalf("%d users", len(c.users))
	}
	ids, names := map[uint64]bool{}, map[string]bool{}
	for _, u := range c.users {
		if ids[u.id] || names[u.screen] || len(u.screen) > 15 || !strings.HasSuffix(u.screen, screenSuffix) {
			t.Errorf("user %d %s", u.id, u.screen)
		}
		ids[u.id], names[u.screen] = true, true
	}
}

// The generator must never be what limits a load test.
func BenchmarkCorpusNext(b *testing.B) {
	c := NewCorpus(1, noon)
	b.ReportAllocs()
	bytes, i := 0, 0
	for b.Loop() {
		bytes += len(c.Next(noon.Add(time.Duration(i) * 20 * time.Microsecond)).JSON)
		i++
	}
	b.ReportMetric(float64(bytes)/float64(i), "B/post")
	b.ReportMetric(float64(i)/b.Elapsed().Seconds(), "posts/s")
}
