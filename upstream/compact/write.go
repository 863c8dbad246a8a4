package compact

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

// Append appends the post, one JSON object on one line, to dst.
func (p *Post) Append(dst []byte) []byte {
	w := writer{b: dst}
	w.post(p)
	return w.b
}

// post writes p as an object at the place of a value.
func (w *writer) post(p *Post) {
	w.inner = false
	w.b = append(w.b, '{')
	w.text("id_str", p.ID)
	w.text("created_at", p.Created)
	w.text("text", p.Text)
	w.text("lang", p.Lang)
	w.author(&p.Author)
	w.text("url", p.URL)
	w.entities(p)
	w.person("reply_to", p.ReplyTo)
	if p.RepostOf != nil {
		w.raw("repost_of", "")
		w.post(p.RepostOf)
	}
	if p.QuoteOf != nil {
		w.raw("quote_of", "")
		w.post(p.QuoteOf)
	} else {
		w.person("quote_of", Person{ID: p.QuoteID})
	}
	if p.Geo != nil {
		w.geo(p.Geo)
	}
	if p.Sensitive {
		w.raw("sensitive", "true")
	}
	w.texts("withheld_in", p.WithheldIn)
	w.text("source", p.Source)
	w.close('}')
}

// person writes an object of an id and a user name, unless it is empty.
func (w *writer) person(key string, p Person) {
	if p == (Person{}) {
		return
	}
	w.open(key, '{')
	w.text("id_str", p.ID)
	w.text("username", p.Username)
	w.close('}')
}

func (w *writer) author(a *Author) {
	if *a == (Author{}) {
		return
	}
	w.open("author", '{')
	w.text("id_str", a.ID)
	w.text("username", a.Username)
	w.text("name", a.Name)
	w.text("avatar", a.Avatar)
	if a.Verified != nil {
		w.raw("verified", strconv.FormatBool(*a.Verified))
	}
	w.close('}')
}

// texts writes an array of strings, unless it is empty.
func (w *writer) texts(key string, list []string) {
	if len(list) == 0 {
		return
	}
	w.open(key, '[')
	for _, v := range list {
		w.comma()
		w.b = appendString(w.b, v)
	}
	w.close(']')
}

func (w *writer) entities(p *Post) {
	w.texts("hashtags", p.Hashtags)
	if len(p.Mentions) > 0 {
		w.open("mentions", '[')
		for _, m := range p.Mentions {
			w.person("", m)
		}
		w.close(']')
	}
	if len(p.URLs) > 0 {
		w.open("urls", '[')
		for _, l := range p.URLs {
			w.open("", '{')
			w.text("url", l.URL)
			w.text("expanded", l.Expanded)
			w.text("display", l.Display)
			w.close('}')
		}
		w.close(']')
	}
	if len(p.Media) > 0 {
		w.open("media", '[')
		for _, m := range p.Media {
			w.open("", '{')
			w.text("type", m.Type)
			w.text("url", m.URL)
			w.text("alt", m.Alt)
			w.close('}')
		}
		w.close(']')
	}
}

func (w *writer) geo(g *Geo) {
	if g.Point == nil && g.Place == "" && g.Box == nil {
		return
	}
	w.open("geo", '{')
	if g.Point != nil {
		w.raw("lon", strconv.FormatFloat(g.Point[0], 'f', -1, 64))
		w.raw("lat", strconv.FormatFloat(g.Point[1], 'f', -1, 64))
	} else {
		w.text("place", g.Place)
		if g.Box != nil {
			w.open("bbox", '[')
			for _, v := range g.Box {
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
