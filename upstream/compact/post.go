package compact

import (
	"slices"
	"strings"
	"time"
)

// Post is one post in the compact form. Strings are plain text; the zero value of
// a member means that nothing is known, and it is not written.
type Post struct {
	ID       string
	Created  string // as Time writes it
	Text     string // the whole text
	Lang     string
	Author   Author
	URL      string // of the post, on the web
	Hashtags []string
	Mentions []Person
	URLs     []Link
	Media    []Media
	ReplyTo  Person // the post that is answered, and its author
	RepostOf *Post  // set it with Repost
	QuoteOf  *Post
	QuoteID  string // of the quoted post, where no more than that is known
	Geo      *Geo

	Sensitive  bool
	WithheldIn []string // countries
	Source     string   // the name of the dialect
}

// Author is who wrote a post.
type Author struct {
	ID, Username, Name, Avatar string
	Verified                   *bool // nil: not known
}

// Person is an id and the user name that goes with it: of a mention the user's
// id, of a reply the post's.
type Person struct{ ID, Username string }

// Link is a link as it stands in the text, where it leads and how it is shown.
type Link struct{ URL, Expanded, Display string }

// Media is a picture or a film: "photo", "video", "animated_gif". The URL is what a
// page would embed: the picture, or the film itself if that is known.
type Media struct{ Type, URL, Alt string }

// Geo is where a post is: its point, else the place it was tagged with.
type Geo struct {
	Point *[2]float64 // longitude, latitude
	Place string
	Box   *[4]float64 // west, south, east, north
}

// Repost makes p a repost of inner. A repost's own text is "RT @name: " and a cut
// copy, and its entities are cut with it: the copy is replaced by the whole and
// inner's entities join p's.
func (p *Post) Repost(inner *Post) {
	p.RepostOf = inner
	if name := inner.Author.Username; name != "" {
		if prefix := "RT @" + name + ": "; strings.HasPrefix(p.Text, prefix) {
			p.Text = prefix + inner.Text
		}
	}
	p.Hashtags = Union(p.Hashtags, inner.Hashtags)
	p.Mentions = Union(p.Mentions, inner.Mentions)
	p.URLs = Union(p.URLs, inner.URLs)
	p.Media = Union(p.Media, inner.Media)
}

// MaxListed bounds each list of entities of one post.
const MaxListed = 256

// Union appends to a what of b is not in it yet, up to MaxListed.
func Union[T comparable](a, b []T) []T {
	for _, v := range b {
		if len(a) >= MaxListed {
			break
		}
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}

// Time writes the time of a post: RFC 3339, UTC, milliseconds.
func Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }
