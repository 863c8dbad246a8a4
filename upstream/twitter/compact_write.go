package twitter

import (
	"strconv"
	"unicode/utf8"
)

// writer writes JSON on one line. Members that are not known or empty are left out.
type writer struct {
	b     []byte
	inner bool // something was written in the object or array at hand
}

func (w *writer) comma() {
	if w.inner {
		w.b = append(w.b, ',')
	}
	w.inner = true
}

func (w *writer) open(key string, bracket byte) {
	w.comma()
	if key != "" {
		w.b = append(w.b, '"')
		w.b = append(w.b, key...)
		w.b = append(w.b, '"', ':')
	}
	w.b = append(w.b, bracket)
	w.inner = false
}

func (w *writer) close(bracket byte) {
	w.b = append(w.b, bracket)
	w.inner = true
}

func (w *writer) raw(key, value string) {
	w.comma()
	w.b = append(w.b, '"')
	w.b = append(w.b, key...)
	w.b = append(w.b, '"', ':')
	w.b = append(w.b, value...)
}

func (w *writer) text(key, value string) {
	if value != "" {
		w.raw(key, "")
		w.b = appendString(w.b, value)
	}
}

func (w *writer) number(v float64) {
	w.comma()
	w.b = strconv.AppendFloat(w.b, v, 'f', -1, 64)
}

// compact writes c as an object at the place of a value.
func (w *writer) compact(c *compact) {
	w.inner = false
	w.b = append(w.b, '{')
	w.text("id_str", c.id.best())
	w.text("created_at", c.createdAt())
	w.text("text", c.whole())
	w.text("lang", c.lang)
	w.author(&c.author)
	w.text("url", c.address())
	w.entities(c.entities())
	w.person("reply_to", c.reply.id, c.reply.username)
	if c.repost != nil {
		w.raw("repost_of", "")
		w.compact(c.repost)
	}
	switch {
	case c.quote != nil:
		w.raw("quote_of", "")
		w.compact(c.quote)
	case c.quoted.best() != "":
		w.person("quote_of", c.quoted, "")
	}
	if c.repost == nil {
		w.geo(c)
	}
	if c.sensitive {
		w.raw("sensitive", "true")
	}
	if len(c.withheld) > 0 {
		w.open("withheld_in", '[')
		for _, v := range c.withheld {
			w.comma()
			w.b = appendString(w.b, v)
		}
		w.close(']')
	}
	w.text("source", Name)
	w.close('}')
}

// person writes an object of an id and a user name, unless it is empty.
func (w *writer) person(key string, id id, username string) {
	if id.best() == "" && username == "" {
		return
	}
	w.open(key, '{')
	w.text("id_str", id.best())
	w.text("username", username)
	w.close('}')
}

func (w *writer) author(a *author) {
	if *a == (author{}) {
		return
	}
	w.open("author", '{')
	w.text("id_str", a.id.best())
	w.text("username", a.username)
	w.text("name", a.name)
	w.text("avatar", a.avatar)
	if a.hasVerified {
		w.raw("verified", strconv.FormatBool(a.verified))
	}
	w.close('}')
}

func (w *writer) entities(e entities) {
	if len(e.hashtags) > 0 {
		w.open("hashtags", '[')
		for _, v := range e.hashtags {
			w.comma()
			w.b = appendString(w.b, v)
		}
		w.close(']')
	}
	if len(e.mentions) > 0 {
		w.open("mentions", '[')
		for _, m := range e.mentions {
			w.person("", m.id, m.username)
		}
		w.close(']')
	}
	if len(e.urls) > 0 {
		w.open("urls", '[')
		for _, l := range e.urls {
			w.open("", '{')
			w.text("url", l.url)
			w.text("expanded", l.expanded)
			w.text("display", l.display)
			w.close('}')
		}
		w.close(']')
	}
	if len(e.media) > 0 {
		w.open("media", '[')
		for _, m := range e.media {
			w.open("", '{')
			w.text("type", m.kind)
			w.text("url", m.url)
			w.text("alt", m.alt)
			w.close('}')
		}
		w.close(']')
	}
}

// geo writes where the post is: its point, else the place it was tagged with.
func (w *writer) geo(c *compact) {
	if !c.hasPoint && c.place.name == "" && !c.place.hasArea {
		return
	}
	w.open("geo", '{')
	if c.hasPoint {
		w.raw("lon", strconv.FormatFloat(c.point[0], 'f', -1, 64))
		w.raw("lat", strconv.FormatFloat(c.point[1], 'f', -1, 64))
	} else {
		w.text("place", c.place.name)
		if a := c.place.area; c.place.hasArea {
			w.open("bbox", '[')
			for _, v := range [4]float64{a.West, a.South, a.East, a.North} {
				w.number(v)
			}
			w.close(']')
		}
	}
	w.close('}')
}

// appendString writes a JSON string. What could end a line for some reader
// (control characters, U+007F–009F, U+2028, U+2029) is escaped, as it is in
// the full payload; what is no UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r < 0x20 || r >= 0x7f && r <= 0x9f || r == 0x2028 || r == 0x2029:
			dst = append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}
