package filter

import (
	"bytes"
	"math"
	"slices"
	"strings"
)

// Builder makes Posts. A dialect walks a post's JSON and tells the builder every
// field that filters look at, in any order and as often as it occurs:
//
//	b.Reset(filter.Key{Source: "twitter", ID: "17"})
//	b.Author("3")
//	b.Text("Gophers &amp; friends #golang")
//	b.Hashtag("golang")
//	p := b.Post()
//
// A builder keeps its buffers, so one that is used again makes a post with three
// or four small allocations. The zero value is ready for Reset. One goroutine
// uses a builder at a time; the posts it made are its user's and share nothing
// with it, nor with the strings it was given (but for Key.Source).
type Builder struct {
	key      Key
	author   string
	refs     []string
	geo      Box
	hasGeo   bool
	hasPoint bool
	level    Level

	features []uint64 // as they come, repeats included
	sorted   []uint64 // scratch of sortFeatures
	raw      []byte   // the field at hand
	text     []byte   // the same, folded
}

// maxKept is how much of a buffer survives Reset: one huge post must not make
// its builder huge for ever.
const maxKept = 64 << 10

// Reset begins a new post and forgets the last one.
func (b *Builder) Reset(key Key) {
	*b = Builder{key: key, refs: b.refs[:0], features: b.features[:0], sorted: b.sorted, raw: b.raw, text: b.text}
	if cap(b.text) > maxKept {
		b.raw, b.text = nil, nil
	}
	if cap(b.features) > maxKept/8 {
		b.features, b.sorted = nil, nil
	}
}

// Author names the user who wrote the post, by id. follow finds it.
func (b *Builder) Author(id string) {
	b.author = id
	b.Concerns(id)
}

// Concerns names another user whose followers get the post, by id: the author
// of the post it answers or reposts, or who is mentioned first thing in the
// text (v1.1: in_reply_to_user_id_str, retweeted_status.user.id_str, the mention
// at index 0). A plain mention, or the author of a quoted post, is not one.
func (b *Builder) Concerns(id string) {
	if id != "" {
		b.features = append(b.features, kindUser.of(id))
	}
}

// Ref names a post inside this one, reposted or quoted, by id.
func (b *Builder) Ref(id string) {
	if id != "" {
		b.refs = append(b.refs, id)
	}
}

// Text adds a text as it stands in the JSON string: "&amp;", "&lt;" and "&gt;"
// are undone here. Words, bare tokens and URLs in it are found, and so are
// hashtags, mentions and cashtags at the beginning of a word.
func (b *Builder) Text(s string) {
	b.raw = unescape(append(b.raw[:0], s...))
	b.text = appendFolded(b.text[:0], b.raw)
	b.scan(b.text)
}

// fold puts a field into b.text, folded.
func (b *Builder) fold(s string) {
	b.raw = append(b.raw[:0], s...)
	b.text = appendFolded(b.text[:0], b.raw)
}

// URL adds a link entity: call it for expanded_url and for display_url. Its
// pieces are bare tokens and the whole is one word, in canonical form.
func (b *Builder) URL(s string) {
	b.fold(strings.TrimSpace(s))
	b.tokens(b.text)
	b.addWord(b.text)
}

// Hashtag adds a hashtag entity, its text without the "#".
func (b *Builder) Hashtag(s string) { b.named(kindHashtag, s) }

// Mention adds a mention entity, its screen name without the "@".
func (b *Builder) Mention(screenName string) { b.named(kindMention, screenName) }

// Cashtag adds a cashtag (v1.1: symbols) entity, its text without the "$".
func (b *Builder) Cashtag(s string) { b.named(kindCashtag, s) }

func (b *Builder) named(k kind, s string) {
	b.fold(s)
	b.add(k, b.text)
	b.tokens(b.text)
}

// Lang sets the language of the post as the upstream guessed it: "en", "pt-BR",
// "und". Case does not matter.
func (b *Builder) Lang(code string) {
	b.fold(code)
	b.add(kindLang, b.text)
}

// Level sets the filter_level of the post: "none", "low" or "medium". A level
// nobody knows counts as none.
func (b *Builder) Level(s string) { b.level, _ = levelOf(strings.ToLower(s)) }

// Point sets where the post was written, in degrees, longitude first. It counts
// before any Area. A point that is no place on earth is ignored.
func (b *Builder) Point(lon, lat float64) {
	if math.Abs(lon) <= 180 && math.Abs(lat) <= 90 {
		b.geo, b.hasGeo, b.hasPoint = Box{lon, lat, lon, lat}, true, true
	}
}

// Area sets the place the post was tagged with, by the least box around its
// polygon: lowest longitude and latitude, highest longitude and latitude,
// whatever the order of its corners. It counts only where there is no Point. An
// area that is no place on earth is ignored.
func (b *Builder) Area(a Box) {
	if b.hasPoint || a.check() != "" {
		return
	}
	b.geo, b.hasGeo = a, true
}

// Post makes the post. The builder must be Reset before it is used again.
func (b *Builder) Post() *Post {
	p := &Post{Key: b.key, Geo: b.geo, HasGeo: b.hasGeo, Level: b.level}
	p.Features = slices.Clone(sortFeatures(b.features, &b.sorted))
	b.ids(p)
	return p
}

// ids copies the post's ids into one string of its own: what the builder was
// given are pieces of a whole JSON text, which the post must not keep alive.
func (b *Builder) ids(p *Post) {
	var s strings.Builder
	n := len(b.key.ID) + len(b.author)
	for _, r := range b.refs {
		n += len(r)
	}
	s.Grow(n)
	s.WriteString(b.key.ID)
	s.WriteString(b.author)
	for _, r := range b.refs {
		s.WriteString(r)
	}
	all := s.String()
	cut := func(n int) (id string) {
		id, all = all[:n], all[n:]
		return id
	}
	p.Key.ID, p.Author = cut(len(b.key.ID)), cut(len(b.author))
	if len(b.refs) > 0 {
		p.Refs = make([]string, len(b.refs))
		for i, r := range b.refs {
			p.Refs[i] = cut(len(r))
		}
	}
}

func (b *Builder) add(k kind, s []byte) {
	if len(s) > 0 {
		b.features = append(b.features, k.ofBytes(s))
	}
}

// unescape undoes, in place, the three HTML entities that v1.1 texts hold.
func unescape(s []byte) []byte {
	n := bytes.IndexByte(s, '&')
	if n < 0 {
		return s
	}
	for rest := s[n:]; len(rest) > 0; {
		c, size := entityAt(rest)
		s[n] = c
		rest = rest[size:]
		to := bytes.IndexByte(rest, '&')
		if to < 0 {
			to = len(rest)
		}
		n += 1 + copy(s[n+1:], rest[:to])
		rest = rest[to:]
	}
	return s[:n]
}

// entityAt returns the character that s, beginning with "&", begins with.
func entityAt(s []byte) (c byte, size int) {
	switch {
	case len(s) >= 4 && string(s[1:4]) == "lt;":
		return '<', 4
	case len(s) >= 4 && string(s[1:4]) == "gt;":
		return '>', 4
	case len(s) >= 5 && string(s[1:5]) == "amp;":
		return '&', 5
	}
	return '&', 1
}
