package compat

import (
	"bytes"
	"compress/flate"
	"io"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"aviary/fanout"
)

func wish(t testing.TB, query string) *projection {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	p, err := readProjection(values)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Every name has a bit of its own; order and repetition make no difference.
func TestWishKeys(t *testing.T) {
	seen := map[wishKey]string{}
	for param, names := range fieldNames {
		for _, name := range names {
			p := &projection{}
			p.ask(param, name)
			key := p.wishKey()
			if other, twice := seen[key]; twice || key == (wishKey{}) {
				t.Errorf("%s %s is like %s", param, name, other)
			}
			seen[key] = param + " " + name
		}
	}
	a := wish(t, "tweet.fields=lang,geo&expansions=author_id").key
	if a != wish(t, "expansions=author_id,author_id&tweet.fields=geo,text&tweet.fields=lang").key {
		t.Error("the same wish has two keys")
	}
	if a == wish(t, "tweet.fields=lang,geo").key {
		t.Error("two wishes have one key")
	}
}

// What is asked for by many at once is made once, plain and deflated; what is large is
// not kept, and neither is more than the bound.
func TestViews(t *testing.T) {
	var s views
	var made atomic.Int32
	envelope := func() []byte { made.Add(1); return []byte(fullEnvelope) }
	e := &fanout.Event{}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			v := s.of(e, wish(t, "tweet.fields=lang"), envelope)
			raw, err := io.ReadAll(flate.NewReader(bytes.NewReader(append(bytes.Clone(v.zipped()), 1, 0, 0, 0xff, 0xff))))
			if err != nil || string(raw) != string(v.line) || !strings.Contains(string(raw), `"lang":"en"`) {
				t.Errorf("%v: %s", err, raw)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 {
		t.Errorf("made %d times", made.Load())
	}
	if v := s.of(e, wish(t, ""), envelope); strings.Contains(string(v.line), "lang") || made.Load() != 2 {
		t.Errorf("another wish: %s", v.line)
	}
	for range 3 * maxViews {
		s.of(&fanout.Event{}, wish(t, ""), envelope)
	}
	if len(s.byKey) > maxViews {
		t.Errorf("%d are kept", len(s.byKey))
	}
	kept := len(s.byKey)
	large := &fanout.Event{}
	for range 2 {
		v := s.of(large, wish(t, ""), func() []byte { return []byte(`{"data":{"id":"1","text":"` + strings.Repeat("x", maxView) + `"}}`) })
		if len(v.line) < maxView || len(s.byKey) > kept {
			t.Errorf("%d bytes, %d are kept", len(v.line), len(s.byKey))
		}
	}
	if v := s.of(&fanout.Event{}, wish(t, ""), func() []byte { return nil }); v.line != nil {
		t.Errorf("of nothing: %s", v.line)
	}
	s.clear()
	if len(s.byKey) != 0 || s.ring[0] != nil {
		t.Error("something is left")
	}
}

// What a post costs each of many streams that ask for the same: all but the first
// find it made.
func BenchmarkViews(b *testing.B) {
	var s views
	e, p := &fanout.Event{}, wish(b, "tweet.fields=lang,entities,geo,attachments&expansions=author_id,referenced_tweets.id,attachments.media_keys&user.fields=verified")
	b.ReportAllocs()
	for b.Loop() {
		s.of(e, p, func() []byte { return []byte(fullEnvelope) }).zipped()
	}
}
