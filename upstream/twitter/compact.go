package twitter

import (
	"cmp"
	"html"
	"slices"

	"aviary/upstream/compact"
	"aviary/upstream/jsontext"
)

// parts are what the compact form of a post is made of. Strings are views of the
// post's JSON, or unescaped copies.
type parts struct {
	id                   id
	created, stamp       string
	text, full, extended string
	lang                 string
	author               author
	links                entities // of extended_tweet, else of the post
	outer                entities
	reply                reply
	repost, quote        *parts
	quoted               id
	point                [2]float64
	hasPoint             bool
	place                place
	sensitive            bool
	withheld             []string
}

type author struct {
	id                     id
	username, name, avatar string
	verified, hasVerified  bool
}

type reply struct {
	id       id
	username string
}

type entities struct {
	hashtags []string
	mentions []compact.Person
	urls     []compact.Link
	media    []compact.Media
}

// post puts the parts together.
func (c *parts) post() *compact.Post {
	p := &compact.Post{
		ID: c.id.best(), Created: c.createdAt(), Text: c.whole(), Lang: c.lang, Author: c.author.form(), URL: PostURL(c.author.username, c.id.best()),
		ReplyTo:   compact.Person{ID: c.reply.id.best(), Username: c.reply.username},
		QuoteID:   c.quoted.best(),
		Sensitive: c.sensitive, WithheldIn: c.withheld, Source: Name,
	}
	c.entities(p)
	if c.quote != nil {
		p.QuoteOf = c.quote.post()
	}
	if c.repost == nil { // native retweets carry no geo
		p.Geo = c.geo()
		return p
	}
	if c.repost.extended != "" { // the link to the whole that the cut copy ends with
		p.URLs = nil
	}
	p.Repost(c.repost.post())
	return p
}

// whole is the whole text, plain.
func (c *parts) whole() string { return html.UnescapeString(cmp.Or(c.extended, c.full, c.text)) }

// entities are those that belong to the whole text: for a cut text only the
// extended ones do.
func (c *parts) entities(p *compact.Post) {
	p.Hashtags = compact.Union(c.outer.hashtags, c.links.hashtags)
	p.Mentions = compact.Union(c.outer.mentions, c.links.mentions)
	p.URLs = compact.Union(c.outer.urls, c.links.urls)
	p.Media = compact.Union(c.outer.media, c.links.media)
	if c.extended != "" { // the link to the post itself that a cut text ends with
		p.URLs = slices.DeleteFunc(p.URLs, func(l compact.Link) bool { return !slices.Contains(c.links.urls, l) })
	}
}

func (a *author) form() compact.Author {
	to := compact.Author{ID: a.id.best(), Username: a.username, Name: a.name, Avatar: a.avatar}
	if a.hasVerified {
		to.Verified = &a.verified
	}
	return to
}

func (c *parts) geo() *compact.Geo {
	if c.hasPoint {
		return &compact.Geo{Point: &c.point}
	}
	g := &compact.Geo{Place: c.place.name}
	if a := c.place.area; c.place.hasArea {
		g.Box = &[4]float64{a.West, a.South, a.East, a.North}
	}
	return g
}

// createdAt is the time of the post, to the millisecond if that is known.
func (c *parts) createdAt() string {
	t, ok := parseMillis(c.stamp)
	if !ok {
		if t, ok = parseCreated(c.created); !ok {
			return ""
		}
		t = PostTime(c.id.best(), t)
	}
	return compact.Time(t)
}

// appendCompact is Dialect.Compact.
func appendCompact(dst, json []byte) ([]byte, error) {
	d := new(composer)
	d.Reader.Reset(json)
	if d.Peek() != '{' {
		return dst, jsontext.ErrSyntax
	}
	c := d.parts(0)
	if !d.End() {
		return dst, jsontext.ErrSyntax
	}
	if c.id.best() == "" {
		return dst, errNoPost
	}
	return c.post().Append(dst), nil
}

// composer walks one post for its compact form.
type composer struct{ reader }

// parts reads a post, or returns nil if there is none or it lies too deep.
func (d *composer) parts(level int) *parts {
	if level > maxNesting {
		d.Skip()
		return nil
	}
	if !d.Object() {
		return nil
	}
	c := new(parts)
	for d.Key() {
		switch d.Name {
		case "id":
			c.id.number = d.Numeral()
		case "id_str":
			c.id.text = d.Numeral()
		case "created_at":
			c.created, _ = d.Str()
		case "timestamp_ms":
			c.stamp = d.Numeral()
		case "text":
			c.text, _ = d.Str()
		case "full_text":
			c.full, _ = d.Str()
		case "lang":
			c.lang, _ = d.Str()
		case "user":
			d.author(&c.author)
		case "extended_tweet":
			d.extended(c)
		case "entities", "extended_entities":
			d.entities(&c.outer)
		case "retweeted_status":
			c.repost = d.parts(level + 1)
		case "quoted_status":
			c.quote = d.parts(level + 1)
		default:
			d.rest(c)
		}
	}
	return c
}

// rest reads the keys that are rarely set.
func (d *composer) rest(c *parts) {
	switch d.Name {
	case "in_reply_to_status_id":
		c.reply.id.number = d.Numeral()
	case "in_reply_to_status_id_str":
		c.reply.id.text = d.Numeral()
	case "in_reply_to_screen_name":
		c.reply.username, _ = d.Str()
	case "quoted_status_id":
		c.quoted.number = d.Numeral()
	case "quoted_status_id_str":
		c.quoted.text = d.Numeral()
	case "possibly_sensitive":
		c.sensitive = d.IsTrue()
	case "withheld_in_countries":
		if d.Array() {
			for d.Item() {
				if v, ok := d.Str(); ok {
					c.withheld = compact.Union(c.withheld, []string{v})
				}
			}
		}
	case "coordinates":
		c.point, c.hasPoint = d.walkCoordinates()
	case "place":
		c.place = d.walkPlace()
	default:
		d.Skip()
	}
}

func (d *composer) author(a *author) {
	if !d.Object() {
		return
	}
	for d.Key() {
		switch d.Name {
		case "id":
			a.id.number = d.Numeral()
		case "id_str":
			a.id.text = d.Numeral()
		case "screen_name":
			a.username, _ = d.Str()
		case "name":
			a.name, _ = d.Str()
		case "profile_image_url_https":
			a.avatar, _ = d.Str()
		case "verified":
			a.hasVerified = !d.Null()
			if a.hasVerified {
				a.verified = d.IsTrue()
			}
		default:
			d.Skip()
		}
	}
}

func (d *composer) extended(c *parts) {
	if !d.Object() {
		return
	}
	for d.Key() {
		switch d.Name {
		case "full_text":
			c.extended, _ = d.Str()
		case "entities", "extended_entities":
			d.entities(&c.links)
		default:
			d.Skip()
		}
	}
}
