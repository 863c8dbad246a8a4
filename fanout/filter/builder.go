package filter

import (
	"bytes"
	"math"
	"strings"
	"unicode/utf8"
	"unsafe"
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
	counts   [4]uint32

	features []uint64 // as they come, repeats included
	sorted   []uint64 // scratch of sortFeatures
	order    []uint32
	links    []byte
	raw      []byte // a text with its HTML entities undone
	field    field  // the text at hand
}

// maxKept is how much of a buffer survives Reset: one huge post must not make
// its builder huge for ever.
const maxKept = 64 << 10

// maxLinks bounds Post.Links, in bytes: each link is looked for in those before.
const maxLinks = 16 << 10

// Reset begins a new post and forgets the last one.
func (b *Builder) Reset(key Key) {
	*b = Builder{
		key: key, counts: unknown, refs: b.refs[:0], features: b.features[:0], sorted: b.sorted, order: b.order[:0],
		links: b.links[:0], raw: b.raw, field: b.field,
	}
	if cap(b.field.text)+cap(b.links) > maxKept {
		b.raw, b.links, b.field = nil, nil, field{}
	}
	if cap(b.features) > maxKept/8 {
		b.features, b.sorted, b.order = nil, nil, nil
	}
}

var unknown = [4]uint32{NoCount, NoCount, NoCount, NoCount}

// ID sets the post's own id, where that is known after Reset only.
func (b *Builder) ID(id string) { b.key.ID = id }

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
// are undone here. Words, bare tokens, their order, and links in it are found,
// and so are hashtags, mentions and cashtags.
func (b *Builder) Text(s string) {
	b.plainText(s)
	b.scan()
}

// plainText puts a text into b.field, folded, with its HTML entities undone.
func (b *Builder) plainText(s string) {
	if strings.IndexByte(s, '&') >= 0 {
		b.raw = unescape(append(b.raw[:0], s...))
		s = unsafe.String(unsafe.SliceData(b.raw), len(b.raw)) // b.field keeps nothing of it
	}
	b.field.set(s)
}

// URL adds a link entity: call it for expanded_url and then for display_url. Its
// pieces are bare tokens, the whole is one word, in canonical form, and it is one
// of the post's links. A form that is cut off with "…" counts only if it is not
// the beginning of a link that is there.
func (b *Builder) URL(s string) {
	s, cut := strings.CutSuffix(strings.TrimSpace(s), "…")
	b.field.set(s)
	added := b.link(b.field.text, cut)
	if added {
		b.tokens(kindToken)
	}
	if added || !cut {
		b.addWord(b.field.text)
	}
}

// OwnURL adds a link that leads to the post itself, as the cut form of a long
// text ends with: track finds it, but it is not one of the post's links.
func (b *Builder) OwnURL(s string) {
	b.field.set(strings.TrimSpace(s))
	b.tokens(kindToken)
	b.addWord(b.field.text)
}

// link adds a folded link to Post.Links, unless it is part of one that is there,
// from one border of a token to another; the end of one that is cut may be anywhere.
func (b *Builder) link(s []byte, cut bool) (added bool) {
	if len(s) == 0 {
		return false
	}
	if len(b.links)+len(s) > maxLinks {
		return true
	}
	for rest := b.links; ; {
		at := bytes.Index(rest, s)
		if at < 0 {
			break
		}
		end := at + len(s)
		if (at == 0 || border(rest[at-1], s[0])) && (cut || border(s[len(s)-1], rest[end])) {
			return false
		}
		rest = rest[at+1:]
	}
	b.links = append(append(b.links, s...), '\n')
	return true
}

// border reports whether a bare token may end, or begin, between two bytes.
func border(a, b byte) bool {
	return a < utf8.RuneSelf && !asciiWord(a) || b < utf8.RuneSelf && !asciiWord(b)
}

// Hashtag adds a hashtag entity, its text without the "#".
func (b *Builder) Hashtag(s string) { b.tag(kindHashtag, s) }

// Mention adds a mention entity, its screen name without the "@".
func (b *Builder) Mention(screenName string) { b.tag(kindMention, screenName) }

// Cashtag adds a cashtag (v1.1: symbols) entity, its text without the "$".
func (b *Builder) Cashtag(s string) { b.tag(kindCashtag, s) }

// tag adds an entity: its name, which is made of bare tokens too.
func (b *Builder) tag(k kind, s string) {
	b.field.set(s)
	b.name(k, b.field.text)
	b.tokens(kindToken)
}

// name adds the folded name of an entity. Posts that have one have that kind.
func (b *Builder) name(k kind, s []byte) {
	if len(s) == 0 {
		return
	}
	b.features = append(b.features, k.ofBytes(s))
	switch k {
	case kindHashtag:
		b.features = append(b.features, hasHashtags)
	case kindMention:
		b.features = append(b.features, hasMentions)
	case kindCashtag:
		b.features = append(b.features, hasCashtags)
	}
}

// Lang sets the language of the post as the upstream guessed it: "en", "pt-BR",
// "und". Case does not matter.
func (b *Builder) Lang(code string) { b.whole(kindLang, code) }

// whole adds something that is compared as a whole, folded.
func (b *Builder) whole(k kind, s string) {
	if s != "" {
		b.field.set(s)
		b.features = append(b.features, k.ofBytes(b.field.text))
	}
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
	p := new(Post)
	b.Fill(p)
	p.own()
	return p
}

// Fill makes the post in p, without a copy: p shares its features and strings
// with the builder and with what that was given, and is valid until the next
// Reset. It is for posts that are matched on the spot.
func (b *Builder) Fill(p *Post) {
	if len(b.links) > 0 {
		b.features = append(b.features, hasLinks)
	}
	if b.hasGeo {
		b.features = append(b.features, hasGeo)
	}
	*p = Post{
		Key: b.key, Author: b.author, Refs: b.refs,
		Features: sortFeatures(b.features, &b.sorted), Order: b.order, Links: unsafe.String(unsafe.SliceData(b.links), len(b.links)),
		Counts: b.counts, Geo: b.geo, HasGeo: b.hasGeo, Level: b.level,
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
