package x

import (
	"strings"

	"aviary/fanout/filter"
)

// post makes the filter's view of the message, which is a post.
func (d *decoder) post() *filter.Post {
	p := &d.posts[0]
	d.b.Reset(filter.Key{Source: Name, ID: p.id})
	d.words(0, 0)
	d.people(p)
	d.where(p)
	d.content(p)
	if p.lang != "" {
		d.b.Lang(p.lang)
	}
	if p.conversation != "" {
		d.b.Conversation(p.conversation)
	}
	if p.app != "" {
		d.b.Source(p.app)
	}
	d.refs()
	return d.b.Post()
}

// words gives the builder the texts and entities of a post and of the posts that it
// reposts or quotes. A post that is answered is not part of the answer.
func (d *decoder) words(n, level int) {
	p := &d.posts[n]
	d.b.Text(p.text)
	if p.hasNote {
		d.b.Text(p.note)
	}
	for i := range d.marks {
		m := &d.marks[i]
		if m.post != n {
			continue
		}
		switch m.kind {
		case hashtag:
			d.b.Hashtag(m.a)
		case cashtag:
			d.b.Cashtag(m.a)
		case mention:
			d.b.Mention(m.a)
		case link:
			d.url(m.b)
			d.url(m.c)
		case unwound:
			d.url(m.a)
		}
	}
	if level == maxNesting {
		return
	}
	for _, id := range [2]string{p.repost, p.quote} {
		if inner := d.envelope.post(id); id != "" && inner > 0 {
			d.words(inner, level+1)
		}
	}
}

func (d *decoder) url(s string) {
	if s != "" {
		d.b.URL(s)
	}
}

// people tells who wrote the post and whom it concerns.
func (d *decoder) people(p *post) {
	d.b.Author(p.author)
	from := d.user(p.author)
	d.b.From(p.author, name(from))
	if from != nil {
		d.b.Bio(from.bio)
		d.b.BioName(from.name)
		d.b.BioLocation(from.location)
		if from.hasCounts {
			d.b.Counts(from.followers, from.following, from.posts, from.listed)
		}
		if from.verified {
			d.b.Is("verified")
		}
	}
	if p.replyUser != "" {
		d.b.Concerns(p.replyUser)
		d.b.To(p.replyUser, d.nameOf(0, p.replyUser))
	}
	if p.reply != "" {
		d.b.InReplyTo(p.reply)
		d.b.Is("reply")
	} else if first := d.firstMention(); p.replyUser == "" && first != "" {
		d.b.Concerns(first) // a reply by hand
	}
	if p.quote != "" {
		d.b.Is("quote")
	}
	if p.repost == "" {
		return
	}
	d.b.Is("retweet")
	d.b.RetweetOf(p.repost)
	if inner := d.envelope.post(p.repost); inner > 0 {
		author := d.posts[inner].author
		d.b.Concerns(author)
		d.b.RetweetsOf(author, d.nameOf(inner, author))
	}
}

func name(u *user) string {
	if u == nil {
		return ""
	}
	return u.username
}

// nameOf is the name of a user: of includes.users, or as e.posts[n] mentions it.
func (e *envelope) nameOf(n int, id string) string {
	if u := e.user(id); u != nil {
		return u.username
	}
	for i := range e.marks {
		if m := &e.marks[i]; m.post == n && m.kind == mention && m.b == id {
			return m.a
		}
	}
	return ""
}

// firstMention is the id of whoever the text of the post begins with.
func (d *decoder) firstMention() string {
	for i := range d.marks {
		if m := &d.marks[i]; m.post == 0 && m.kind == mention && m.first {
			return m.b
		}
	}
	return ""
}

// where tells the place. Reposts have none.
func (d *decoder) where(p *post) {
	if p.repost != "" {
		return
	}
	at := d.place(p.placeID)
	if p.hasPoint || p.placeID != "" {
		d.b.Has("geo")
	}
	if p.hasPoint {
		d.b.Point(p.point[0], p.point[1])
	}
	if p.placeID != "" && at == nil {
		d.b.Place(p.placeID)
	}
	if at == nil {
		return
	}
	d.b.Place(at.id, at.fullName, at.name)
	d.b.Country(at.code)
	if at.hasBox {
		d.b.Area(filter.Box{West: at.box[0], South: at.box[1], East: at.box[2], North: at.box[3]})
	}
}

// content tells what kinds of things are in the post itself.
func (d *decoder) content(p *post) {
	var has [5]bool // by markKind
	for i := range d.marks {
		m := &d.marks[i]
		if m.post != 0 {
			continue
		}
		switch m.kind {
		case hashtag, cashtag, mention, link:
			has[m.kind] = true
		case mediaKey:
			d.b.Has("media")
			switch found := d.medium(m.a); {
			case found == nil:
			case found.kind == "photo":
				d.b.Has("images")
			case found.kind == "video":
				d.b.Has("video_link")
			}
		}
	}
	for kind, what := range map[markKind]string{hashtag: "hashtags", cashtag: "cashtags", mention: "mentions", link: "links"} {
		if has[kind] {
			d.b.Has(what)
		}
	}
}

// refs names the posts whose words this message carries, the answered one too:
// its text stands in includes, and must go when it is deleted.
func (d *decoder) refs() {
	p := &d.posts[0]
	own := [...]string{p.repost, p.quote}
	for _, id := range own {
		d.b.Ref(id)
	}
	listed := 0
	for i := 1; i < len(d.posts) && listed < 2*maxNesting; i++ {
		id := d.posts[i].id
		if !validID(id) || id == own[0] || id == own[1] || id == p.id {
			continue
		}
		d.b.Ref(id)
		listed++
	}
}

// mediaLink says that a link only stands for an attached picture or film.
func (m *mark) mediaLink() bool {
	return m.first || strings.HasPrefix(m.c, "pic.twitter.com/") || strings.HasPrefix(m.c, "pic.x.com/")
}
