package twitter

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"aviary/upstream/objects"
)

// appendV2 is Dialect.V2. What v1.1 does not say is left out: where the conversation
// of an answer began, what a user has pinned, edits. Of a user who is only mentioned
// there are id and names. As in v2 a post takes along what it reposts or quotes, and
// of what those quote the id alone.
func appendV2(dst, raw []byte) ([]byte, error) {
	s := new(objects.Status)
	if err := objects.Read(raw, s); err != nil {
		return dst, err
	}
	if statusID(s) == "" {
		return dst, errNoPost
	}
	c := &envelope{}
	out := objects.Envelope{Data: c.tweet(s), Includes: &c.in}
	for _, inner := range []*objects.Status{s.Reposted, s.Quoted} {
		if inner != nil && statusID(inner) != "" && (s.Reposted == nil || inner == s.Reposted) {
			c.in.Tweets = append(c.in.Tweets, c.tweet(inner))
		}
	}
	c.people()
	return objects.Append(dst, out)
}

func statusID(s *objects.Status) string { return objects.Best(s.IDStr, s.ID) }

// envelope collects what the posts of one message refer to.
type envelope struct {
	in    objects.Includes
	known []objects.UserV2 // mentioned only
}

// user adds a user; one that is whole takes the place of one that is not.
func (c *envelope) user(u objects.UserV2) {
	if u.ID != "" && !slices.ContainsFunc(c.in.Users, func(o objects.UserV2) bool { return o.ID == u.ID }) {
		c.in.Users = append(c.in.Users, u)
	}
}

// people adds those who were only mentioned, behind the others.
func (c *envelope) people() {
	for _, u := range c.known {
		c.user(u)
	}
}

// tweet makes a post object and adds what it refers to.
func (c *envelope) tweet(s *objects.Status) objects.Tweet {
	id := statusID(s)
	t := objects.Tweet{
		ID: id, EditHistory: []string{id}, Author: objects.Best(s.User.IDStr, s.User.ID),
		Source: objects.AppName(s.Source), Sensitive: s.Sensitive != nil && *s.Sensitive,
		Metrics: &objects.Metrics{Reposts: s.Reposts, Replies: s.Replies, Likes: s.Likes, Quotes: s.Quotes},
	}
	if s.Lang != nil {
		t.Lang = *s.Lang
	}
	if at, ok := parseCreated(s.Created); ok {
		t.Created = objects.CreatedV2(at)
	}
	if len(s.WithheldIn) > 0 || s.WithheldCopy {
		t.Withheld = &objects.Withheld{Copyright: s.WithheldCopy, Countries: slices.Clip(append([]string{}, s.WithheldIn...))}
	}
	c.user(userV2(&s.User))
	c.refs(s, &t)
	c.where(s, &t)
	c.words(s, &t)
	return t
}

// refs says what a post refers to.
func (c *envelope) refs(s *objects.Status, t *objects.Tweet) {
	t.ReplyUser = ref(s.ReplyUserStr, s.ReplyUser)
	if name := known(s.ReplyUserName); t.ReplyUser != "" && name != "" {
		c.known = append(c.known, objects.UserV2{ID: t.ReplyUser, Name: name, Username: name})
	}
	reply := ref(s.ReplyToStr, s.ReplyTo)
	if reply == "" {
		t.Conversation = t.ID
	}
	if s.Reposted != nil {
		t.Refs = []objects.Ref{{Type: "retweeted", ID: statusID(s.Reposted)}}
		return
	}
	quoted := ref(s.QuotedIDStr, s.QuotedID)
	if s.Quoted != nil {
		quoted = cmp.Or(quoted, statusID(s.Quoted))
	}
	if quoted != "" {
		t.Refs = append(t.Refs, objects.Ref{Type: "quoted", ID: quoted})
	}
	if reply != "" {
		t.Refs = append(t.Refs, objects.Ref{Type: "replied_to", ID: reply})
	}
}

// known is a text that may be null.
func known(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// ref is an id that may be null, and that may be there as a number alone.
func ref(text *string, number *json.Number) string {
	if number == nil {
		return objects.Best(known(text), "")
	}
	return objects.Best(known(text), *number)
}

// where says where a post is. Native retweets carry no geo.
func (c *envelope) where(s *objects.Status, t *objects.Tweet) {
	if s.Reposted != nil || s.Coordinates == nil && s.Place == nil {
		return
	}
	t.Geo = &objects.GeoV2{Coordinates: s.Coordinates}
	p := s.Place
	if p == nil {
		return
	}
	t.Geo.Place = p.ID
	if slices.ContainsFunc(c.in.Places, func(o objects.PlaceV2) bool { return o.ID == p.ID }) {
		return
	}
	to := objects.PlaceV2{ID: p.ID, FullName: p.FullName, Name: p.Name, Country: p.Country, Code: p.Code, Type: p.Type}
	if p.Box != nil && len(p.Box.Coordinates) > 0 && len(p.Box.Coordinates[0]) > 0 {
		first := p.Box.Coordinates[0][0]
		box := []float64{first[0], first[1], first[0], first[1]}
		for _, corner := range p.Box.Coordinates[0] {
			box[0], box[2] = min(box[0], corner[0]), max(box[2], corner[0])
			box[1], box[3] = min(box[1], corner[1]), max(box[3], corner[1])
		}
		to.Geo = &objects.PlaceGeo{Type: "Feature", Box: box}
	}
	c.in.Places = append(c.in.Places, to)
}

// userV2 is a user who is there whole.
func userV2(u *objects.User) objects.UserV2 {
	protected, verified, likes, bio := u.Protected, u.Verified, u.Likes, known(u.Description)
	to := objects.UserV2{
		ID: objects.Best(u.IDStr, u.ID), Name: u.Name, Username: u.Username, Description: &bio, Location: known(u.Location),
		URL: known(u.URL), Avatar: u.AvatarHTTPS, Protected: &protected, Verified: &verified,
		Metrics: &objects.UserMetrics{Followers: u.Followers, Following: u.Friends, Posts: u.Posts, Listed: u.Listed, Likes: &likes},
	}
	if at, ok := parseCreated(u.Created); ok {
		to.Created = objects.CreatedV2(at)
	}
	return to
}

// noteRunes is the longest text that fits Tweet.Text.
const noteRunes = 280

// words makes the text, its entities and its media.
func (c *envelope) words(s *objects.Status, t *objects.Tweet) {
	text, in, more := cmp.Or(s.FullText, s.Text), &s.Entities, s.More
	if s.Extended != nil && s.Extended.FullText != "" {
		text, in, more = s.Extended.FullText, &s.Extended.Entities, cmp.Or(s.Extended.More, s.More)
	}
	media := in.Media
	if more != nil && len(more.Media) > 0 {
		media = more.Media
	}
	all := c.marks(in, media, t)
	t.Text, t.Entities = text, all
	if s.Reposted != nil || objects.Runes(text) <= noteRunes {
		return
	}
	t.Note = &objects.Note{Text: text, Entities: all}
	t.Text, t.Entities = short(text, all, s)
}

// short is a long text cut to what fits, with the link that the cut text of v1.1
// ends with, and the entities that are whole in it.
func short(text string, all *objects.EntitiesV2, s *objects.Status) (string, *objects.EntitiesV2) {
	tail := objects.URL{}
	if n := len(s.Entities.URLs); n > 0 && s.Extended != nil && strings.HasSuffix(s.Text, s.Entities.URLs[n-1].URL) {
		tail = s.Entities.URLs[n-1]
	}
	room := noteRunes - 2 - objects.Runes(tail.URL)
	kept := cutMarks(all, &room)
	cut := objects.Cut(text, room)
	if tail.URL == "" {
		return cut + "…", kept
	}
	at := objects.Runes(cut) + 2
	if kept == nil {
		kept = &objects.EntitiesV2{}
	}
	kept.URLs = append(kept.URLs, objects.URLV2{Start: at, End: at + objects.Runes(tail.URL), URL: tail.URL, Expanded: tail.Expanded, Display: tail.Display})
	return cut + "… " + tail.URL, kept
}
