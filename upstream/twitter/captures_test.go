package twitter

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aviary/fanout"
	"aviary/upstream"
)

// capture opens one of the real captures that are not part of the project:
// CAPTURES_DIR says where they lie. These are the only tests that may skip.
func capture(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("CAPTURES_DIR")
	if dir == "" {
		t.Skip("SKIPPED: CAPTURES_DIR is not set, so nothing is tested against real captures")
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// messages splits a capture as a stream and decodes all of it.
func messages(t *testing.T, raw []byte) (all []*fanout.Event) {
	t.Helper()
	frames := upstream.NewFrames(bytes.NewReader(raw), upstream.FramingFile)
	for {
		m, err := frames.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		e, err := Decode(m)
		if err != nil {
			t.Fatalf("message %d, %.80s…: %v", len(all)+1, m, err)
		}
		all = append(all, e)
	}
}

// Every status that a live filter for "trump" delivered matches track=trump; a
// third of them only inside other posts.
func TestCaptureTrack(t *testing.T) {
	events := messages(t, capture(t, "Cesaaar+od_twitter/trump.json"))
	matched := 0
	for _, e := range events {
		if e.Kind != fanout.KindPost {
			t.Fatalf("kind %v: %.80s", e.Kind, e.JSON)
		}
		if matches(t, "track=trump", e.Post) {
			matched++
		}
	}
	if len(events) != 117 || matched != 117 {
		t.Errorf("%d of %d posts match, want 117 of 117", matched, len(events))
	}
}

// One of each control message, written over many lines.
func TestCaptureControl(t *testing.T) {
	const dir = "twitter+hbc/hbc-twitter4j/src/test/resources/"
	for name, want := range map[string]fanout.Kind{
		"control-message": fanout.KindOther, "direct-message-delete": fanout.KindOther, "direct-message": fanout.KindOther,
		"disconnect-message": fanout.KindDisconnect, "friends-list": fanout.KindOther, "limit": fanout.KindLimit,
		"scrub-geo": fanout.KindScrubGeo, "sitestream-friends-list": fanout.KindOther, "status-deletion": fanout.KindDelete,
		"status": fanout.KindOther, // it has no user
		"user":   fanout.KindOther,
	} {
		e, err := Decode(capture(t, dir+name+".json"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e.Kind != want || bytes.ContainsAny(e.JSON, "\r\n") {
			t.Errorf("%s: kind %v, want %v: %s", name, e.Kind, want, e.JSON)
		}
	}
}

// Lines of streams, with other messages between the posts.
func TestCaptureLines(t *testing.T) {
	for name, want := range map[string]string{
		"bear+python-twitter/testdata/streaming/lines.json":      strings.TrimSpace(strings.Repeat("post ", 72)),
		"sferik+twitter/spec/fixtures/track_streaming_user.json": "other post other other delete warning",
	} {
		var got []string
		for _, e := range messages(t, capture(t, name)) {
			if e.Kind == fanout.KindPost {
				got = append(got, "post")
			} else {
				got = append(got, e.Kind.String())
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s holds %v", name, got)
		}
	}
}

// Every post anywhere in the captures, however deep in arrays and objects, goes
// through decode and compact; what comes out is whole.
func TestCapturePosts(t *testing.T) {
	capture(t, "INDEX.md")
	posts := 0
	err := filepath.WalkDir(os.Getenv("CAPTURES_DIR"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(filepath.Ext(path), ".json") || strings.Contains(path, "DocNow") {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		dec := json.NewDecoder(bytes.NewReader(raw))
		for {
			var v json.RawMessage
			if dec.Decode(&v) != nil {
				return nil // the broken payloads are broken on purpose
			}
			posts += checkPosts(t, path, v)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d posts", posts)
	if posts < 500 {
		t.Errorf("only %d posts found", posts)
	}
}

func checkPosts(t *testing.T, path string, v json.RawMessage) (n int) {
	var list []json.RawMessage
	var object map[string]json.RawMessage
	switch {
	case json.Unmarshal(v, &list) == nil:
		for _, v := range list {
			n += checkPosts(t, path, v)
		}
	case json.Unmarshal(v, &object) == nil && object["user"] != nil && object["id_str"] != nil && bytes.HasPrefix(object["user"], []byte("{")):
		checkPost(t, path, v)
		return 1
	default:
		for _, v := range object {
			n += checkPosts(t, path, v)
		}
	}
	return n
}

func checkPost(t *testing.T, path string, raw []byte) {
	t.Helper()
	var want struct {
		ID        string `json:"id_str"`
		Truncated bool
		Text      string
		FullText  string `json:"full_text"`
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	e, err := Decode(raw)
	if err != nil || e.Kind != fanout.KindPost || e.Post.Key.ID != want.ID {
		t.Errorf("%s: post %s is %+v, %v", path, want.ID, e, err)
		return
	}
	var before, after any
	if json.Unmarshal(raw, &before) != nil || json.Unmarshal(e.JSON, &after) != nil {
		t.Errorf("%s: post %s is passed on broken", path, want.ID)
	}
	a, _ := json.Marshal(before)
	b, _ := json.Marshal(after)
	if !bytes.Equal(a, b) {
		t.Errorf("%s: post %s is passed on changed", path, want.ID)
	}
	compact, err := Dialect.Compact(nil, e.JSON)
	var got struct {
		ID   string `json:"id_str"`
		Text string
	}
	if err != nil || json.Unmarshal(compact, &got) != nil || got.ID != want.ID || got.Text == "" && want.Text+want.FullText != "" {
		t.Errorf("%s: post %s, %v: compact is %s", path, want.ID, err, compact)
	}
}
