package x_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/upstream/twitter"
	"aviary/upstream/twitter/sim"
	"aviary/upstream/x"
)

// FuzzConvert feeds both conversions whatever decodes as a post: they must not
// panic, and what they make is a post of the other API with the same id.
func FuzzConvert(f *testing.F) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := sim.NewCorpus(3, start)
	for i := range 40 {
		if m := c.Next(start.Add(time.Duration(i) * time.Second)); m.Post {
			f.Add(m.JSON)
			f.Add(c.X(m, sim.AllFields))
		}
	}
	for _, s := range []string{
		`{"id":1,"id_str":"1","text":null,"user":{"id":"2"},"entities":{"urls":[{"indices":[5]}],"media":[{"id":3,"indices":[-1,99,7]}]},"place":{"bounding_box":{"coordinates":[[]]}}}`,
		`{"data":{"id":"1","text":5,"entities":[],"geo":{"coordinates":{"coordinates":[1]}},"referenced_tweets":[{"type":"retweeted","id":"1"}]},"includes":{"tweets":[{"id":"1","referenced_tweets":[{"type":"quoted","id":"1"}]}]}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		raw = fanout.Normalize(nil, raw)
		for _, way := range []struct {
			from, to *fanout.Dialect
			make     func(dst, raw []byte) ([]byte, error)
		}{{twitter.Dialect, x.Dialect, twitter.Dialect.V2}, {x.Dialect, twitter.Dialect, x.Dialect.V1}} {
			post, err := way.from.Post(raw)
			if err != nil {
				continue
			}
			out, err := way.make(nil, raw)
			if err != nil {
				continue
			}
			if !json.Valid(out) {
				t.Fatalf("%s becomes %s", raw, out)
			}
			made, err := way.to.Post(fanout.Normalize(nil, out))
			if err != nil {
				t.Fatalf("%s becomes %s: %v", raw, out, err)
			}
			if utf := string(raw); made.Key.ID != post.Key.ID && !strings.Contains(utf, `\`) && strings.Count(utf, `"id`) < 2 {
				t.Fatalf("post %s becomes %s: %s", post.Key.ID, made.Key.ID, out)
			}
		}
	})
}

// Every real post in the captures has the same compact form as an envelope of v2.
func TestCapturesConvert(t *testing.T) {
	dir := os.Getenv("CAPTURES_DIR")
	if dir == "" {
		t.Skip("SKIPPED: CAPTURES_DIR is not set, so nothing is tested against real captures")
	}
	posts, same := 0, 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(filepath.Ext(path), ".json") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(raw)) {
			e, err := twitter.Decode([]byte(strings.TrimSpace(line)))
			if err != nil || e.Kind != fanout.KindPost {
				continue
			}
			posts++
			want := form(t, twitter.Dialect, e.JSON)
			if inner, ok := want["repost_of"].(map[string]any); ok { // of what it quotes v2 has the id
				for _, m := range []map[string]any{inner, want} {
					if quote, ok := m["quote_of"].(map[string]any); ok {
						m["quote_of"] = map[string]any{"id_str": quote["id_str"]}
					}
				}
			}
			got := form(t, x.Dialect, converted(t, twitter.Dialect.V2, e.JSON))
			if reflect.DeepEqual(got, want) {
				same++
				continue
			}
			for name := range want {
				if !reflect.DeepEqual(got[name], want[name]) {
					t.Logf("%s: post %s: %s: %v, want %v", filepath.Base(path), e.Post.Key.ID, name, got[name], want[name])
				}
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	t.Logf("%d of %d", same, posts)
	if posts < 100 || same != posts {
		t.Errorf("%d of %d posts agree", same, posts)
	}
}
