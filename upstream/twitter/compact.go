package twitter

import (
	"html"
	"slices"
	"strings"
)

// compact is a post on its way to the compact form. Its strings are views of
// the post's JSON, or unescaped copies; the text has its HTML entities undone.
type compact struct {
	id                   id
	created, stamp       string
	text, full, extended string
	lang                 string
	author               author
	links                entities // of extended_tweet, else of the post
	outer                entities
	reply                reply
	repost, quote        *compact
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

type mention struct {
	id       id
	username string
}

type link struct{ url, expanded, display string }

type media struct{ kind, url, alt string }

type entities struct {
	hashtags []string
	mentions []mention
	urls     []link
	media    []media
}

// whole is the whole text, plain. Of a repost: the outer text is "RT @name: "
// and a cut copy, so the copy is replaced by the whole of what was reposted.
func (c *compact) whole() string {
	t := c.text
	if c.full != "" {
		t = c.full
	}
	if c.extended != "" {
		t = c.extended
	}
	t = html.UnescapeString(t)
	if r := c.repost; r != nil && r.author.username != "" {
		if prefix := "RT @" + r.author.username + ": "; strings.HasPrefix(t, prefix) {
			return prefix + r.whole()
		}
	}
	return t
}

// entities are those that belong to the whole text: for a cut text only the
// extended ones do, and a repost's own are cut with its text.
func (c *compact) entities() entities {
	e := c.outer
	e.hashtags = union(e.hashtags, c.links.hashtags)
	e.mentions = union(e.mentions, c.links.mentions)
	e.urls = union(e.urls, c.links.urls)
	e.media = union(e.media, c.links.media)
	if c.extended != "" { // the link to the post itself that a cut text ends with
		e.urls = slices.DeleteFunc(e.urls, func(l link) bool { return !slices.Contains(c.links.urls, l) })
	}
	if c.repost != nil {
		inner := c.repost.entities()
		e.hashtags = union(e.hashtags, inner.hashtags)
		e.mentions = union(e.mentions, inner.mentions)
		e.urls = union(e.urls, inner.urls)
		e.media = union(e.media, inner.media)
		if c.repost.extended != "" {
			e.urls = inner.urls
		}
	}
	return e
}

// maxListed bounds each list of entities of one post.
const maxListed = 256

// union appends to a what of b is not in it yet.
func union[T comparable](a, b []T) []T {
	for _, v := range b {
		if len(a) >= maxListed {
			break
		}
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}

// createdAt is the time of the post, to the millisecond if it says so.
func (c *compact) createdAt() string {
	t, ok := parseMillis(c.stamp)
	if !ok {
		t, ok = parseCreated(c.created)
	}
	if !ok {
		return ""
	}
	return t.Format("2006-01-02T15:04:05.000Z07:00")
}

// address is the address of the post on the web.
func (c *compact) address() string {
	id := c.id.best()
	if id == "" {
		return ""
	}
	name := c.author.username
	plain := func(r rune) bool {
		return r == '_' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'
	}
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) {
		name = "i"
	}
	return "https://twitter.com/" + name + "/status/" + id
}

// appendCompact is Dialect.Compact.
func appendCompact(dst, json []byte) ([]byte, error) {
	d := new(composer)
	d.reader.reset(json)
	if d.next() != '{' {
		return dst, errJSON
	}
	c := d.compact(0)
	if !d.end() {
		return dst, errJSON
	}
	if c.id.best() == "" {
		return dst, errNoPost
	}
	w := writer{b: dst}
	w.compact(c)
	return w.b, nil
}

// composer walks one post for its compact form.
type composer struct{ reader }

// compact reads a post, or returns nil if there is none or it lies too deep.
func (d *composer) compact(level int) *compact {
	if level > maxNesting {
		d.skip()
		return nil
	}
	if !d.object() {
		return nil
	}
	c := new(compact)
	for d.key() {
		switch d.name {
		case "id":
			c.id.number = d.numeral()
		case "id_str":
			c.id.text = d.numeral()
		case "created_at":
			c.created, _ = d.str()
		case "timestamp_ms":
			c.stamp = d.numeral()
		case "text":
			c.text, _ = d.str()
		case "full_text":
			c.full, _ = d.str()
		case "lang":
			c.lang, _ = d.str()
		case "user":
			d.author(&c.author)
		case "extended_tweet":
			d.extended(c)
		case "entities", "extended_entities":
			d.entities(&c.outer)
		case "retweeted_status":
			c.repost = d.compact(level + 1)
		case "quoted_status":
			c.quote = d.compact(level + 1)
		default:
			d.rest(c)
		}
	}
	return c
}

// rest reads the keys that are rarely set.
func (d *composer) rest(c *compact) {
	switch d.name {
	case "in_reply_to_status_id":
		c.reply.id.number = d.numeral()
	case "in_reply_to_status_id_str":
		c.reply.id.text = d.numeral()
	case "in_reply_to_screen_name":
		c.reply.username, _ = d.str()
	case "quoted_status_id":
		c.quoted.number = d.numeral()
	case "quoted_status_id_str":
		c.quoted.text = d.numeral()
	case "possibly_sensitive":
		c.sensitive = d.isTrue()
	case "withheld_in_countries":
		if d.array() {
			for d.item() {
				if v, ok := d.str(); ok {
					c.withheld = union(c.withheld, []string{v})
				}
			}
		}
	case "coordinates":
		c.point, c.hasPoint = d.walkCoordinates()
	case "place":
		c.place = d.walkPlace()
	default:
		d.skip()
	}
}

func (d *composer) author(a *author) {
	if !d.object() {
		return
	}
	for d.key() {
		switch d.name {
		case "id":
			a.id.number = d.numeral()
		case "id_str":
			a.id.text = d.numeral()
		case "screen_name":
			a.username, _ = d.str()
		case "name":
			a.name, _ = d.str()
		case "profile_image_url_https":
			a.avatar, _ = d.str()
		case "verified":
			a.hasVerified = !d.null()
			if a.hasVerified {
				a.verified = d.isTrue()
			}
		default:
			d.skip()
		}
	}
}

func (d *composer) extended(c *compact) {
	if !d.object() {
		return
	}
	for d.key() {
		switch d.name {
		case "full_text":
			c.extended, _ = d.str()
		case "entities", "extended_entities":
			d.entities(&c.links)
		default:
			d.skip()
		}
	}
}
