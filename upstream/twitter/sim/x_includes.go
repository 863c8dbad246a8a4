package sim

import (
	"slices"
	"strconv"
	"strings"
)

// v2Entities appends the entities of a text, if there are any and they were asked for.
func (w *writer) v2Entities(head string, p *post, t *text, a asked) {
	if !a.tweet("entities") || len(t.entities) == 0 {
		return
	}
	w.lit(head)
	first := true
	for _, group := range []struct {
		name  string
		kinds [2]entityKind
	}{{"hashtags", [2]entityKind{hashtag, hashtag}}, {"cashtags", [2]entityKind{cashtag, cashtag}}, {"mentions", [2]entityKind{mention, mention}}, {"urls", [2]entityKind{link, medium}}} {
		if !t.has(group.kinds[0], group.kinds[1]) {
			continue
		}
		if !first {
			w.lit(`,`)
		}
		first = false
		w.lit(`"` + group.name + `":[`)
		n := 0
		for i := range t.entities {
			if e := &t.entities[i]; e.kind == group.kinds[0] || e.kind == group.kinds[1] {
				for k := range max(1, len(e.files)) {
					if n > 0 {
						w.lit(`,`)
					}
					w.v2Entity(e, k)
					n++
				}
			}
		}
		w.lit(`]`)
	}
	w.lit(`}`)
}

// v2Entity appends one entity; of a medium the link to its file k.
func (w *writer) v2Entity(e *entity, k int) {
	w.lit(`{"start":`)
	w.num(uint64(e.from))
	w.lit(`,"end":`)
	w.num(uint64(e.to))
	switch e.kind {
	case hashtag, cashtag:
		w.lit(`,"tag":`)
		w.str(e.value)
	case mention:
		w.lit(`,"username":"` + e.user.screen + `","id":"` + strconv.FormatUint(e.user.id, 10) + `"`)
	default:
		w.lit(`,"url":`)
		w.str(e.value)
		w.lit(`,"expanded_url":`)
		w.str(e.expanded)
		w.lit(`,"display_url":`)
		if e.kind == medium {
			w.str("pic.twitter.com/" + e.value[strings.LastIndexByte(e.value, '/')+1:])
			w.lit(`,"media_key":"` + e.files[k].key() + `"`)
		} else {
			w.str(displayURL(e.expanded))
		}
	}
	w.lit(`}`)
}

// included is what goes into includes, each object once, and the references that
// cannot be shown.
type included struct {
	users  []*user
	posts  []*post
	files  []*file
	places []*place
	lost   []reference
}

// included collects what the expansions ask for.
func (c *Corpus) included(posts []*post, a asked) *included {
	in := &included{}
	for _, p := range posts {
		in.people(p, a, "author_id")
		if a.expands("attachments.media_keys") {
			in.attached(p)
		}
		if p.place != nil && p.repost == nil && a.expands("geo.place_id") && !slices.Contains(in.places, p.place) {
			in.places = append(in.places, p.place)
		}
		if !a.expands("referenced_tweets.id") {
			continue
		}
		for _, r := range p.references() {
			other := c.referenced(p, r)
			if other == nil || other.dead {
				in.lost = append(in.lost, r)
				continue
			}
			if slices.Contains(in.posts, other) {
				continue
			}
			in.posts = append(in.posts, other)
			in.people(other, a, "referenced_tweets.id.author_id")
			if a.expands("referenced_tweets.id.attachments.media_keys") {
				in.attached(other)
			}
			if other.place != nil && other.repost == nil && a.expands("geo.place_id") && !slices.Contains(in.places, other.place) {
				in.places = append(in.places, other.place)
			}
		}
	}
	return in
}

// referenced finds the post that another one refers to.
func (c *Corpus) referenced(p *post, r reference) *post {
	switch {
	case p.repost != nil && p.repost.id == r.id:
		return p.repost
	case p.quote != nil && p.quote.id == r.id:
		return p.quote
	}
	return c.find(strconv.FormatUint(r.id, 10))
}

func (in *included) people(p *post, a asked, author string) {
	add := func(u *user) {
		if u != nil && !slices.Contains(in.users, u) {
			in.users = append(in.users, u)
		}
	}
	if a.expands(author) {
		add(p.user)
	}
	if a.expands("in_reply_to_user_id") {
		add(p.replyUser)
	}
}

func (in *included) attached(p *post) {
	for i := range p.text.entities {
		for k := range p.text.entities[i].files {
			f := &p.text.entities[i].files[k]
			if !slices.ContainsFunc(in.files, func(o *file) bool { return o.id == f.id }) {
				in.files = append(in.files, f)
			}
		}
	}
}

// write appends includes and errors, as far as there are any.
func (in *included) write(w *writer, c *Corpus, a asked) {
	first := true
	list := func(name string, n int, one func(int)) {
		if n == 0 {
			return
		}
		if first {
			w.lit(`,"includes":{`)
		} else {
			w.lit(`,`)
		}
		first = false
		w.lit(`"` + name + `":[`)
		for i := range n {
			if i > 0 {
				w.lit(`,`)
			}
			one(i)
		}
		w.lit(`]`)
	}
	list("users", len(in.users), func(i int) { w.v2User(in.users[i], a) })
	list("tweets", len(in.posts), func(i int) { w.v2(c, in.posts[i], a) })
	list("media", len(in.files), func(i int) { w.v2File(in.files[i], a) })
	list("places", len(in.places), func(i int) { w.v2Place(in.places[i], a) })
	if !first {
		w.lit(`}`)
	}
	for i, r := range in.lost {
		if i == 0 {
			w.lit(`,"errors":[`)
		} else {
			w.lit(`,`)
		}
		w.lit(notFound(strconv.FormatUint(r.id, 10), "referenced_tweets.id"))
	}
	if len(in.lost) > 0 {
		w.lit(`]`)
	}
}

func (w *writer) v2User(u *user, a asked) {
	w.lit(`{"id":"` + strconv.FormatUint(u.id, 10) + `","username":"` + u.screen + `","name":`)
	w.str(u.name)
	optional := func(field, value string) {
		if value != "" && a.user(field) {
			w.lit(`,"` + field + `":`)
			w.str(value)
		}
	}
	optional("description", u.bio)
	optional("location", u.location)
	optional("url", u.site)
	optional("profile_image_url", u.avatar)
	if a.user("created_at") {
		w.lit(`,"created_at":`)
		w.rfc3339(u.since)
	}
	if a.user("protected") {
		w.lit(`,"protected":false`)
	}
	if a.user("verified") {
		w.lit(`,"verified":`)
		w.bool(u.verified)
	}
	if a.user("public_metrics") {
		w.lit(`,"public_metrics":{"followers_count":`)
		w.num(u.followers)
		w.lit(`,"following_count":`)
		w.num(u.followers/3 + 40)
		w.lit(`,"tweet_count":`)
		w.num(u.id%30000 + 100)
		w.lit(`,"listed_count":`)
		w.num(u.followers / 90)
		w.lit(`,"like_count":`)
		w.num(u.id % 9000)
		w.lit(`}`)
	}
	w.lit(`}`)
}

func (w *writer) v2File(f *file, a asked) {
	w.lit(`{"media_key":"` + f.key() + `","type":"` + f.kind + `"`)
	if a.media("width") {
		w.lit(`,"width":2048`)
	}
	if a.media("height") {
		w.lit(`,"height":1366`)
	}
	if f.kind == "photo" {
		if a.media("url") {
			w.lit(`,"url":`)
			w.str(f.url)
		}
	} else {
		if a.media("preview_image_url") {
			w.lit(`,"preview_image_url":`)
			w.str(f.url)
		}
		if a.media("duration_ms") {
			w.lit(`,"duration_ms":14000`)
		}
		if a.media("variants") {
			w.lit(`,"variants":[{"content_type":"application/x-mpegURL","url":`)
			w.str(strings.TrimSuffix(f.url, ".jpg") + ".m3u8")
			w.lit(`},{"bit_rate":832000,"content_type":"video/mp4","url":`)
			w.str(strings.TrimSuffix(f.url, ".jpg") + ".mp4")
			w.lit(`}]`)
		}
	}
	if f.alt != "" && a.media("alt_text") {
		w.lit(`,"alt_text":`)
		w.str(f.alt)
	}
	w.lit(`}`)
}

func (w *writer) v2Place(p *place, a asked) {
	w.lit(`{"id":"` + p.id + `","full_name":`)
	w.str(p.full)
	for field, value := range map[string]string{"name": p.name, "country": p.country, "country_code": p.code, "place_type": p.kind} {
		if a.place(field) {
			w.lit(`,"` + field + `":`)
			w.str(value)
		}
	}
	if a.place("geo") {
		w.lit(`,"geo":{"type":"Feature","bbox":[`)
		for i, v := range p.box {
			if i > 0 {
				w.lit(`,`)
			}
			w.float(v)
		}
		w.lit(`],"properties":{}}`)
	}
	w.lit(`}`)
}
