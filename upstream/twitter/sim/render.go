package sim

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// This file writes posts and notices in the streaming form of the v1.1 API,
// keys in the order that service used.

// writer appends JSON. The real service escaped everything but ASCII; both
// forms are JSON, so the corpus has both.
type writer struct {
	b     []byte
	ascii bool
	whole bool // the REST form with tweet_mode=extended: whole texts, no members of streams
}

func (w *writer) lit(s string) { w.b = append(w.b, s...) }

func (w *writer) num(n uint64) { w.b = strconv.AppendUint(w.b, n, 10) }

func (w *writer) float(f float64) { w.b = strconv.AppendFloat(w.b, f, 'f', -1, 64) }

func (w *writer) bool(v bool) { w.b = strconv.AppendBool(w.b, v) }

// str appends a string with its quotes.
func (w *writer) str(s string) {
	const hex = "0123456789abcdef"
	w.b = append(w.b, '"')
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			w.b = append(w.b, '\\', c)
		case c == '/' && w.ascii:
			w.b = append(w.b, '\\', '/')
		case c == '\n':
			w.b = append(w.b, '\\', 'n')
		case c < ' ' || c == 0x7f:
			w.b = append(w.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		case c < utf8.RuneSelf:
			w.b = append(w.b, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			if !w.ascii {
				w.b = append(w.b, s[i:i+size]...)
			} else {
				w.escape(r)
			}
			i += size
			continue
		}
		i++
	}
	w.b = append(w.b, '"')
}

// escape appends \uXXXX, two of them for a rune beyond the basic plane.
func (w *writer) escape(r rune) {
	if r > 0xffff {
		r -= 0x10000
		w.escape(0xd800 + r>>10)
		r = 0xdc00 + r&0x3ff
	}
	const hex = "0123456789abcdef"
	w.b = append(w.b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// id appends "key":1,"key_str":"1", or nulls for 0.
func (w *writer) id(key string, n uint64) {
	w.lit(`"` + key + `":`)
	if n == 0 {
		w.lit(`null,"` + key + `_str":null,`)
		return
	}
	w.num(n)
	w.lit(`,"` + key + `_str":"`)
	w.num(n)
	w.lit(`",`)
}

func (w *writer) span(key string, from, to int) {
	w.lit(`"` + key + `":[`)
	w.num(uint64(from))
	w.lit(`,`)
	w.num(uint64(to))
	w.lit(`]`)
}

// created is the time format of created_at, always UTC.
func (w *writer) created(ms int64) {
	w.b = time.UnixMilli(ms).UTC().AppendFormat(w.b, `"Mon Jan 02 15:04:05 +0000 2006"`)
}

// status appends a post. nested: inside another one, which has no timestamp_ms
// and no post inside its quoted post.
func (w *writer) status(p *post, nested, bare bool) {
	shown, long := &p.text, p.text.runes > classicRunes && p.repost == nil && !w.whole
	if long {
		shown = &p.short
	}
	w.lit(`{"created_at":`)
	w.created(p.at)
	w.lit(`,`)
	w.id("id", p.id)
	if w.whole {
		w.lit(`"full_text":`)
	} else {
		w.lit(`"text":`)
	}
	w.str(shown.wire)
	w.lit(`,`)
	if w.whole || long || shown.from > 0 || shown.to < shown.runes {
		w.span("display_text_range", shown.from, shown.to)
		w.lit(`,`)
	}
	w.lit(`"source":`)
	w.str(p.source)
	w.lit(`,"truncated":`)
	w.bool(long)
	w.lit(`,`)
	w.reply(p)
	w.lit(`"user":`)
	w.user(p.user)
	w.lit(`,`)
	w.geo(p)
	w.lit(`"contributors":null,`)
	w.inner(p, bare)
	if long {
		w.lit(`"extended_tweet":{"full_text":`)
		w.str(p.text.wire)
		w.lit(`,`)
		w.span("display_text_range", p.text.from, p.text.to)
		w.lit(`,`)
		w.entities(&p.text)
		w.lit(`},`)
	}
	w.counts(p, nested)
	w.entities(shown)
	w.lit(`,"favorited":false,"retweeted":false,`)
	w.flags(p)
	if w.whole {
		w.lit(`"metadata":{"iso_language_code":"` + p.lang + `","result_type":"recent"},"lang":"` + p.lang + `"}`)
		return
	}
	w.lit(`"filter_level":"` + p.level + `","lang":"` + p.lang + `"`)
	if !nested {
		w.lit(`,"timestamp_ms":"`)
		w.num(uint64(p.at))
		w.lit(`"`)
	}
	w.lit(`}`)
}

func (w *writer) reply(p *post) {
	w.id("in_reply_to_status_id", p.replyID)
	if p.replyUser == nil {
		w.lit(`"in_reply_to_user_id":null,"in_reply_to_user_id_str":null,"in_reply_to_screen_name":null,`)
		return
	}
	w.id("in_reply_to_user_id", p.replyUser.id)
	w.lit(`"in_reply_to_screen_name":"` + p.replyUser.screen + `",`)
}

// inner appends the posts inside a post.
func (w *writer) inner(p *post, bare bool) {
	if p.repost != nil && !bare {
		w.lit(`"retweeted_status":`)
		w.status(p.repost, true, false)
		w.lit(`,`)
	}
	if q := p.quoteID(); q != 0 {
		w.id("quoted_status_id", q)
	}
	if p.quote != nil && !bare {
		w.lit(`"quoted_status":`)
		w.status(p.quote, true, true)
		w.lit(`,"quoted_status_permalink":{"url":`)
		w.str(p.permalink)
		w.lit(`,"expanded":`)
		w.str(p.quote.url())
		w.lit(`,"display":`)
		w.str(displayURL(p.quote.url()))
		w.lit(`},`)
	}
	w.lit(`"is_quote_status":`)
	w.bool(p.quoteID() != 0)
	w.lit(`,`)
}

// counts: a fresh post has none, one that is passed on has some.
func (w *writer) counts(p *post, nested bool) {
	var n uint64
	if nested {
		n = p.id>>22%97 + 1
	}
	w.lit(`"quote_count":`)
	w.num(n / 7)
	w.lit(`,"reply_count":`)
	w.num(n / 3)
	w.lit(`,"retweet_count":`)
	w.num(n)
	w.lit(`,"favorite_count":`)
	w.num(n * 3)
	w.lit(`,`)
}

func (w *writer) flags(p *post) {
	if len(p.text.entities) > 0 && p.text.has(link, medium) || p.sensitive {
		w.lit(`"possibly_sensitive":`)
		w.bool(p.sensitive)
		w.lit(`,`)
	}
	if p.withheld != "" {
		w.lit(`"withheld_in_countries":["` + p.withheld + `"],"withheld_scope":"status",`)
	}
}

func (w *writer) geo(p *post) {
	if p.point == nil {
		w.lit(`"geo":null,"coordinates":null,`)
	} else {
		w.lit(`"geo":{"type":"Point","coordinates":[`) // the old field: latitude first
		w.float(p.point[1])
		w.lit(`,`)
		w.float(p.point[0])
		w.lit(`]},"coordinates":{"type":"Point","coordinates":[`)
		w.float(p.point[0])
		w.lit(`,`)
		w.float(p.point[1])
		w.lit(`]},`)
	}
	if p.place == nil {
		w.lit(`"place":null,`)
		return
	}
	w.place(p.place, p.clockwise)
}

// appendDelete appends a delete notice.
func appendDelete(b []byte, p *post, now time.Time) []byte {
	w := writer{b: b}
	w.lit(`{"delete":{"status":{`)
	w.id("id", p.id)
	w.id("user_id", p.user.id)
	w.b = w.b[:len(w.b)-1]
	w.lit(`},"timestamp_ms":"`)
	w.num(uint64(now.UnixMilli()))
	w.lit(`"}}`)
	return w.b
}

// appendLimit appends a limit notice; total counts from the stream's start.
func appendLimit(b []byte, total int, now time.Time) []byte {
	w := writer{b: b}
	w.lit(`{"limit":{"track":`)
	w.num(uint64(total))
	w.lit(`,"timestamp_ms":"`)
	w.num(uint64(now.UnixMilli()))
	w.lit(`"}}`)
	return w.b
}
