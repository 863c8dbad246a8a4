package sim

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// This file writes the same posts in the form of API v2: an envelope of data,
// includes and matching_rules, holding only the fields that were asked for.

// asked are the fields and expansions of a request, by parameter and name.
type asked map[string]bool

// readAsked reads the parameters. id and text are always there.
func readAsked(values map[string][]string) asked {
	a := asked{}
	for _, param := range []string{"tweet.fields", "expansions", "user.fields", "media.fields", "place.fields"} {
		for _, list := range values[param] {
			for name := range strings.SplitSeq(list, ",") {
				a[param+" "+strings.TrimSpace(name)] = true
			}
		}
	}
	return a
}

func (a asked) tweet(field string) bool { return a["tweet.fields "+field] }
func (a asked) user(field string) bool  { return a["user.fields "+field] }
func (a asked) media(field string) bool { return a["media.fields "+field] }
func (a asked) place(field string) bool { return a["place.fields "+field] }
func (a asked) expands(what string) bool {
	return a["expansions "+what]
}

// matchedRule is a rule that a post matched.
type matchedRule struct{ id, tag string }

// envelope writes a post as one message of the stream.
func (c *Corpus) envelope(p *post, a asked, rules []matchedRule) []byte {
	w := writer{ascii: p.ascii}
	w.lit(`{"data":`)
	w.v2(c, p, a)
	in := c.included([]*post{p}, a)
	in.write(&w, c, a)
	w.lit(`,"matching_rules":[`)
	for i, r := range rules {
		if i > 0 {
			w.lit(`,`)
		}
		w.lit(`{"id":"` + r.id + `","tag":`)
		w.optional(r.tag)
		w.lit(`}`)
	}
	w.lit(`]}`)
	return w.b
}

// millis is the time format of v2: milliseconds, which are always 000.
func (w *writer) rfc3339(ms int64) {
	w.b = time.UnixMilli(ms).UTC().Truncate(time.Second).AppendFormat(w.b, `"2006-01-02T15:04:05.000Z"`)
}

var appName = regexp.MustCompile(`<[^>]*>`)

// v2 appends a post object.
func (w *writer) v2(c *Corpus, p *post, a asked) {
	shown, note := &p.text, false
	if p.text.runes > noteRunes && p.repost == nil {
		short := p.text.compat2(p.short)
		shown, note = &short, true
	}
	id := strconv.FormatUint(p.id, 10)
	w.lit(`{"id":"` + id + `","edit_history_tweet_ids":` + p.history() + `,"text":`)
	w.str(shown.wire)
	if a.tweet("author_id") || a.expands("author_id") {
		w.lit(`,"author_id":"` + strconv.FormatUint(p.user.id, 10) + `"`)
	}
	if a.tweet("created_at") {
		w.lit(`,"created_at":`)
		w.rfc3339(p.at)
	}
	if a.tweet("lang") {
		w.lit(`,"lang":"` + p.lang + `"`)
	}
	if a.tweet("source") {
		w.lit(`,"source":`)
		w.str(appName.ReplaceAllString(p.source, ""))
	}
	if a.tweet("possibly_sensitive") {
		w.lit(`,"possibly_sensitive":`)
		w.bool(p.sensitive)
	}
	if a.tweet("conversation_id") {
		w.lit(`,"conversation_id":"` + strconv.FormatUint(c.conversation(p), 10) + `"`)
	}
	w.v2Refs(p, a)
	w.v2Geo(p, a)
	w.v2Entities(`,"entities":{`, p, shown, a)
	w.v2Attached(p, a)
	if note && a.tweet("note_tweet") {
		w.lit(`,"note_tweet":{"text":`)
		w.str(p.text.wire)
		w.v2Entities(`,"entities":{`, p, &p.text, a)
		w.lit(`}`)
	}
	if p.withheld != "" && a.tweet("withheld") {
		w.lit(`,"withheld":{"copyright":false,"country_codes":["` + p.withheld + `"]}`)
	}
	if a.tweet("public_metrics") {
		n := strconv.FormatUint(p.id>>22%97, 10)
		w.lit(`,"public_metrics":{"retweet_count":` + n + `,"reply_count":0,"like_count":` + n + `,"quote_count":0}`)
	}
	w.lit(`}`)
}

// history is edit_history_tweet_ids.
func (p *post) history() string {
	if p.versions == nil {
		return `["` + strconv.FormatUint(p.id, 10) + `"]`
	}
	list := `[`
	for i, id := range *p.versions {
		if i > 0 {
			list += `,`
		}
		list += `"` + strconv.FormatUint(id, 10) + `"`
	}
	return list + `]`
}

// noteRunes is the length of a text that fits the field text of v2.
const noteRunes = 280

// compat2 is the form of a long text in the field text of v2. It shares its last
// link with the short form of v1.1.
func (t *text) compat2(short text) text {
	if len(short.entities) == 0 {
		return *t
	}
	link := short.entities[len(short.entities)-1]
	wire, runes, kept := t.cut(noteRunes - 2 - len(link.value))
	link.from, link.to = runes+2, runes+2+len(link.value)
	return text{wire: wire + "… " + link.value, runes: link.to, to: link.to, entities: append(kept[:len(kept):len(kept)], link)}
}

// conversation is the id of the post that the conversation began with, as far as is
// remembered.
func (c *Corpus) conversation(p *post) uint64 {
	for range 10 {
		if p.replyID == 0 {
			break
		}
		to := c.find(strconv.FormatUint(p.replyID, 10))
		if to == nil {
			return p.replyID
		}
		p = to
	}
	return p.id
}

func (w *writer) v2Refs(p *post, a asked) {
	if p.replyUser != nil && a.tweet("in_reply_to_user_id") {
		w.lit(`,"in_reply_to_user_id":"` + strconv.FormatUint(p.replyUser.id, 10) + `"`)
	}
	if !a.tweet("referenced_tweets") && !a.expands("referenced_tweets.id") {
		return
	}
	refs := p.references()
	for i, r := range refs {
		if i == 0 {
			w.lit(`,"referenced_tweets":[`)
		} else {
			w.lit(`,`)
		}
		w.lit(`{"type":"` + r.kind + `","id":"` + strconv.FormatUint(r.id, 10) + `"}`)
	}
	if len(refs) > 0 {
		w.lit(`]`)
	}
}

type reference struct {
	kind string
	id   uint64
}

func (p *post) references() (refs []reference) {
	if p.repost != nil {
		return []reference{{"retweeted", p.repost.id}}
	}
	if p.quoted != 0 {
		refs = append(refs, reference{"quoted", p.quoted})
	}
	if p.replyID != 0 {
		refs = append(refs, reference{"replied_to", p.replyID})
	}
	return refs
}

func (w *writer) v2Geo(p *post, a asked) {
	if !a.tweet("geo") && !a.expands("geo.place_id") || p.place == nil && p.point == nil || p.repost != nil {
		return
	}
	w.lit(`,"geo":{`)
	if p.place != nil {
		w.lit(`"place_id":"` + p.place.id + `"`)
	}
	if p.point != nil {
		if p.place != nil {
			w.lit(`,`)
		}
		w.lit(`"coordinates":{"type":"Point","coordinates":[`)
		w.float(p.point[0])
		w.lit(`,`)
		w.float(p.point[1])
		w.lit(`]}`)
	}
	w.lit(`}`)
}

func (w *writer) v2Attached(p *post, a asked) {
	if !a.tweet("attachments") && !a.expands("attachments.media_keys") {
		return
	}
	n := 0
	for i := range p.text.entities {
		for k := range p.text.entities[i].files {
			f := &p.text.entities[i].files[k]
			if n == 0 {
				w.lit(`,"attachments":{"media_keys":[`)
			} else {
				w.lit(`,`)
			}
			w.lit(`"` + f.key() + `"`)
			n++
		}
	}
	if n > 0 {
		w.lit(`]}`)
	}
}

// key is the media_key: a number for the kind, and the id.
func (f *file) key() string {
	kind := map[string]string{"photo": "3", "video": "7", "animated_gif": "16"}[f.kind]
	return kind + "_" + strconv.FormatUint(f.id, 10)
}
