package twitter

import (
	"strings"

	"aviary/fanout/filter"
	"aviary/upstream/jsontext"
)

// texts are the forms in which a post brings its text, "" where it doesn't.
type texts struct{ text, full, extended string }

// whole is the form that is not cut.
func (t *texts) whole() string {
	if t.extended != "" {
		return t.extended
	}
	if t.full != "" {
		return t.full
	}
	return t.text
}

// say gives the texts of a post to the builder, which undoes HTML entities
// itself: each once, and what was cut as a whole. A repost repeats the text it
// reposts behind "RT @name: ", cut to 140 characters.
func (d *decoder) say(s *status) {
	d.sayRest(s)
	whole := s.texts.whole()
	if r := &s.repost; s.isRepost {
		if head, ok := repeats(whole, r.text); ok {
			d.joined = append(append(d.joined[:0], head...), r.text...)
			whole = jsontext.View(d.joined)
		} else {
			d.b.Text(r.text)
		}
	}
	d.b.Text(whole)
}

// sayRest gives the builder all of a post's texts but the whole one.
func (d *decoder) sayRest(s *status) {
	whole := s.texts.whole()
	for _, t := range []string{s.texts.text, s.texts.full} {
		if t != "" && t != whole && !cutOf(t, whole) {
			d.b.Text(t)
		}
	}
}

const ellipsis = "…"

// cutOf says whether t is the beginning of whole, with "… https://t.co/abc" or
// "…" behind it.
func cutOf(t, whole string) bool {
	at := strings.LastIndex(t, ellipsis)
	if at < 0 || !strings.HasPrefix(whole, t[:at]) {
		return false
	}
	rest, isLink := strings.CutPrefix(t[at+len(ellipsis):], " https://t.co/")
	return rest == "" || isLink && strings.IndexByte(rest, ' ') < 0
}

// repeats says whether t is "RT @name: " and text or the beginning of it; head is
// what stands in front.
func repeats(t, text string) (head string, ok bool) {
	colon := strings.Index(t, ": ")
	if colon < 0 || !strings.HasPrefix(t, "RT @") {
		return "", false
	}
	head, body := t[:colon+2], t[colon+2:]
	return head, strings.HasPrefix(text, strings.TrimSuffix(body, ellipsis))
}

// mediaKinds is a set of what a post shows.
type mediaKinds uint8

const (
	someMedia mediaKinds = 1 << iota // whatever its kind
	images
	videos
)

func mediaKind(kind string) mediaKinds {
	switch kind {
	case "photo":
		return images
	case "video":
		return videos
	}
	return 0 // an animated_gif is neither
}

func (m mediaKinds) tell(b *filter.Builder) {
	if m&someMedia != 0 {
		b.Has("media")
	}
	if m&images != 0 {
		b.Has("images")
	}
	if m&videos != 0 {
		b.Has("video_link")
	}
}
