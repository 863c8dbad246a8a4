package x

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"aviary/upstream/objects"
	"aviary/upstream/twitter"
)

// appendV1 is Dialect.V1. The text is whole, in "text", and nothing is truncated:
// clients that look for the whole text find it wherever they look. What v2 does not
// say is zero or left out; filter_level is "none".
func appendV1(dst, raw []byte) ([]byte, error) {
	in := new(objects.Envelope)
	if err := objects.Read(raw, in); err != nil {
		return dst, err
	}
	if !validID(in.Data.ID) {
		return dst, errNoPost
	}
	c := statuses{in.Includes}
	if c.in == nil {
		c.in = &objects.Includes{}
	}
	s := c.status(&in.Data, 0)
	if at := objects.ParseV1(s.Created); !at.IsZero() {
		s.Millis = millis(twitter.PostTime(in.Data.ID, at))
	}
	return objects.Append(dst, s)
}

func millis(t time.Time) string { return decimal(uint64(max(t.UnixMilli(), 0))) }

// statuses makes v1.1 objects of one message.
type statuses struct{ in *objects.Includes }

// status makes a post.
func (c statuses) status(t *objects.Tweet, level int) *objects.Status {
	s := &objects.Status{
		ID: objects.Number(t.ID), IDStr: t.ID, Text: t.Text, User: c.user(t.Author),
		IsQuote: c.ref(t, "quoted") != "", FilterLevel: "none",
	}
	if at := objects.ParseV2(t.Created); !at.IsZero() {
		s.Created = objects.CreatedV1(at)
	}
	if t.Source != "" {
		s.Source = `<a href="https://x.com" rel="nofollow">` + t.Source + `</a>`
	}
	if t.Lang != "" {
		s.Lang = &t.Lang
	}
	if m := t.Metrics; m != nil {
		s.Reposts, s.Replies, s.Likes, s.Quotes = m.Reposts, m.Replies, m.Likes, m.Quotes
	}
	if w := t.Withheld; w != nil {
		s.WithheldIn, s.WithheldCopy, s.WithheldScope = w.Countries, w.Copyright, "status"
		if w.Scope == "user" {
			s.WithheldScope = w.Scope
		}
	}
	in := t.Entities
	if t.Note != nil && t.Note.Text != "" {
		s.Text, in = t.Note.Text, t.Note.Entities
	}
	c.words(s, in, t)
	if t.Sensitive || len(s.Entities.URLs)+len(s.Entities.Media) > 0 {
		s.Sensitive = &t.Sensitive
	}
	c.where(s, t)
	c.replies(s, t, in)
	c.inner(s, t, level)
	return s
}

func (c statuses) ref(t *objects.Tweet, kind string) string {
	for _, r := range t.Refs {
		if r.Type == kind && validID(r.ID) {
			return r.ID
		}
	}
	return ""
}

// tweet finds a post in includes.
func (c statuses) tweet(id string) *objects.Tweet {
	i := slices.IndexFunc(c.in.Tweets, func(t objects.Tweet) bool { return t.ID == id })
	if id == "" || i < 0 {
		return nil
	}
	return &c.in.Tweets[i]
}

// replies says what a post answers. The name is looked for among the users, then
// among the mentions.
func (c statuses) replies(s *objects.Status, t *objects.Tweet, in *objects.EntitiesV2) {
	s.ReplyTo, s.ReplyToStr = objects.Link(c.ref(t, "replied_to"))
	s.ReplyUser, s.ReplyUserStr = objects.Link(t.ReplyUser)
	if s.ReplyUser == nil {
		return
	}
	name := ""
	if u := c.find(t.ReplyUser); u != nil {
		name = u.Username
	} else if in != nil {
		for _, m := range in.Mentions {
			if m.ID == t.ReplyUser {
				name = cmp.Or(name, m.Username)
			}
		}
	}
	if name != "" {
		s.ReplyUserName = &name
	}
}

// inner adds the posts inside a post.
func (c statuses) inner(s *objects.Status, t *objects.Tweet, level int) {
	repost, quote := c.tweet(c.ref(t, "retweeted")), c.tweet(c.ref(t, "quoted"))
	if repost != nil && level < maxNesting {
		s.Reposted = c.status(repost, level+1)
		// v1.1 says of the repost what its post quotes.
		s.QuotedID, s.QuotedIDStr, s.IsQuote = s.Reposted.QuotedID, s.Reposted.QuotedIDStr, s.Reposted.IsQuote
	}
	if id := c.ref(t, "quoted"); id != "" {
		s.QuotedID, s.QuotedIDStr = objects.Link(id)
		if quote != nil && level < maxNesting {
			s.Quoted = c.status(quote, level+1)
		}
	}
}

// where says where a post is.
func (c statuses) where(s *objects.Status, t *objects.Tweet) {
	if t.Geo == nil || c.ref(t, "retweeted") != "" {
		return
	}
	if p := t.Geo.Coordinates; p != nil {
		s.Coordinates = &objects.Point{Type: "Point", Coordinates: p.Coordinates}
		s.Geo = &objects.Point{Type: "Point", Coordinates: [2]float64{p.Coordinates[1], p.Coordinates[0]}}
	}
	i := slices.IndexFunc(c.in.Places, func(p objects.PlaceV2) bool { return p.ID == t.Geo.Place })
	if i < 0 {
		return
	}
	p := &c.in.Places[i]
	s.Place = &objects.Place{
		ID: p.ID, URL: "https://api.twitter.com/1.1/geo/id/" + p.ID + ".json", Type: p.Type,
		Name: cmp.Or(p.Name, p.FullName), FullName: p.FullName, Code: p.Code, Country: p.Country,
	}
	if p.Geo != nil && len(p.Geo.Box) == 4 {
		w, so, e, n := p.Geo.Box[0], p.Geo.Box[1], p.Geo.Box[2], p.Geo.Box[3]
		s.Place.Box = &objects.Area{Type: "Polygon", Coordinates: [][][2]float64{{{w, so}, {e, so}, {e, n}, {w, n}}}}
	}
}

func (c statuses) find(id string) *objects.UserV2 {
	i := slices.IndexFunc(c.in.Users, func(u objects.UserV2) bool { return u.ID == id })
	if id == "" || i < 0 {
		return nil
	}
	return &c.in.Users[i]
}

// user makes a user; of one that did not come along there is the id.
func (c statuses) user(id string) objects.User {
	to := objects.User{ID: objects.Number(id), IDStr: objects.Best(id, "")}
	u := c.find(id)
	if u == nil {
		return to
	}
	to.Name, to.Username, to.AvatarHTTPS = u.Name, u.Username, u.Avatar
	if rest, secure := strings.CutPrefix(u.Avatar, "https:"); secure {
		to.Avatar = "http:" + rest
	}
	for into, s := range map[**string]string{&to.Location: u.Location, &to.URL: u.URL} {
		if s != "" {
			*into = &s
		}
	}
	if u.Description != nil && *u.Description != "" {
		to.Description = u.Description
	}
	to.Protected, to.Verified = u.Protected != nil && *u.Protected, u.Verified != nil && *u.Verified
	if m := u.Metrics; m != nil {
		to.Followers, to.Friends, to.Posts, to.Listed = m.Followers, m.Following, m.Posts, m.Listed
		if m.Likes != nil {
			to.Likes = *m.Likes
		}
	}
	if at := objects.ParseV2(u.Created); !at.IsZero() {
		to.Created = objects.CreatedV1(at)
	}
	return to
}
