package x

import (
	"html"
	"slices"

	"aviary/upstream/compact"
	"aviary/upstream/twitter"
)

// appendCompact is Dialect.Compact. The result is that of v1.1 for the same post,
// but for "source" and for what v2 does not say: of a quoted post inside a repost
// the API gives the id alone.
func appendCompact(dst, json []byte) ([]byte, error) {
	d := envelopes.Get().(*decoder)
	defer envelopes.Put(d)
	if err := d.read(json); err != nil {
		return dst, err
	}
	if !validID(d.posts[0].id) {
		return dst, errNoPost
	}
	return d.compact(0, 0).Append(dst), nil
}

// compact makes the compact form of e.posts[n].
func (e *envelope) compact(n, level int) *compact.Post {
	p := &e.posts[n]
	to := &compact.Post{
		ID: ifID(p.id), Lang: p.lang, Text: html.UnescapeString(p.text), QuoteID: p.quote,
		Sensitive: p.sensitive, Source: Name,
	}
	if p.hasNote {
		to.Text = html.UnescapeString(p.note)
	}
	if created := parseTime(p.created); !created.IsZero() {
		to.Created = compact.Time(twitter.PostTime(p.id, created))
	}
	to.Author.ID = ifID(p.author)
	if u := e.user(p.author); u != nil {
		to.Author = compact.Author{ID: ifID(u.id), Username: u.username, Name: u.name, Avatar: u.avatar}
		if u.hasVerified {
			verified := u.verified
			to.Author.Verified = &verified
		}
	}
	to.URL = twitter.PostURL(to.Author.Username, to.ID)
	to.ReplyTo = compact.Person{ID: p.reply, Username: e.nameOf(n, p.replyUser)}
	e.list(n, to)
	e.inner(p, to, level)
	return to
}

// inner adds the posts inside a post. Only what is no repost has a place.
func (e *envelope) inner(p *post, to *compact.Post, level int) {
	quote, repost := -1, -1
	if level < maxNesting {
		quote, repost = e.post(p.quote), e.post(p.repost)
	}
	if p.quote != "" && quote > 0 {
		to.QuoteOf = e.compact(quote, level+1)
	}
	switch {
	case p.repost == "":
		to.Geo = e.where(p)
	case repost > 0:
		to.Repost(e.compact(repost, level+1))
		if to.QuoteID == "" { // v1.1 says so of the repost too
			to.QuoteID = e.posts[repost].quote
		}
	default: // it cannot be seen: its id is all
		to.RepostOf = &compact.Post{ID: p.repost}
	}
}

func (e *envelope) where(p *post) *compact.Geo {
	if p.hasPoint {
		point := p.point
		return &compact.Geo{Point: &point}
	}
	at := e.place(p.placeID)
	if at == nil {
		return nil
	}
	g := &compact.Geo{Place: at.fullName}
	if at.hasBox {
		box := at.box
		g.Box = &box
	}
	return g
}

// list fills in the lists. Of a long post the entities of the note are those of
// the whole text; a link that only the cut text has leads to the post itself.
func (e *envelope) list(n int, to *compact.Post) {
	var noted []compact.Link
	for i := range e.marks {
		m := &e.marks[i]
		if m.post != n {
			continue
		}
		switch m.kind {
		case hashtag:
			to.Hashtags = compact.Union(to.Hashtags, []string{m.a})
		case mention:
			to.Mentions = compact.Union(to.Mentions, []compact.Person{{ID: ifID(m.b), Username: m.a}})
		case link:
			if m.mediaLink() {
				continue
			}
			l := compact.Link{URL: m.a, Expanded: m.b, Display: m.c}
			to.URLs = compact.Union(to.URLs, []compact.Link{l})
			if m.note {
				noted = append(noted, l)
			}
		case mediaKey:
			if found := e.medium(m.a); found != nil {
				to.Media = compact.Union(to.Media, []compact.Media{found.form()})
			}
		case withheld:
			to.WithheldIn = compact.Union(to.WithheldIn, []string{m.a})
		}
	}
	if e.posts[n].hasNote {
		to.URLs = slices.DeleteFunc(to.URLs, func(l compact.Link) bool { return !slices.Contains(noted, l) })
	}
}

// form is a medium as it is embedded: the picture, the film, or its first frame.
func (m *medium) form() compact.Media {
	to := compact.Media{Type: m.kind, URL: m.url, Alt: m.alt}
	switch {
	case m.film != "":
		to.URL = m.film
	case to.URL == "":
		to.URL = m.preview
	}
	return to
}
