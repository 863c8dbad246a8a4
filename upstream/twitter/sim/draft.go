package sim

import (
	"fmt"
	"strconv"
	"time"
)

// Draft is a post to be made by Post. Hashtags, mentions, cashtags and links
// in Text become entities; a text of more than 140 code points becomes an
// extended tweet. Zero fields take plain defaults.
type Draft struct {
	Text    string    // as a person types it: & < > are escaped
	Author  string    // screen name; made up if nobody has it; "": "test_sim"
	Lang    string    // "": "en"
	Level   string    // filter_level; "": "low"
	ReplyTo string    // id of a post
	Retweet string    // id of a post; Text is not used
	Quote   string    // id of a post
	Edits   string    // id of the post that this is a later form of
	Point   []float64 // lon, lat; nil: no coordinates
	Place   []float64 // west, south, east, north of a place's bounding_box; nil: no place
}

// Posted is what Post made and sent.
type Posted struct {
	ID     string // id_str
	UserID string // the author's id_str
	JSON   []byte // the message as sent, without its line end; not to be changed
}

// Post makes a post and sends it to the streams whose filter it matches. Ids
// in the draft are of posts made by Post, or lately by the generator; unknown
// ones are ignored.
func (s *Server) Post(d Draft) Posted {
	s.mu.Lock()
	defer s.mu.Unlock()
	made := s.corpus().Post(d, s.now())
	p := s.corpus().find(made.ID)
	m := message{raw: made.JSON, about: made.JSON, post: true, of: p}
	if p.versions != nil {
		m.duty = fmt.Appendf(nil, `{"data":{"tweet_edit":{"tweet":{"id":"%d"},"initial_tweet_id":"%d","edit_tweet_ids":%s,"event_at":%q}}}`,
			p.id, (*p.versions)[0], p.history(), eventAt(s.now()))
	}
	s.publish(m, false)
	return made
}

// Delete sends the delete notice of a post to the streams that the post
// matched; of a post never made, to every stream.
func (s *Server) Delete(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _ := strconv.ParseUint(id, 10, 64)
	p := s.corpus().find(id)
	if p == nil {
		p = &post{id: n, user: &user{id: 1}}
	}
	m := s.corpus().delete(p, s.now())
	s.publish(message{raw: m.JSON, about: m.about, duty: m.duty}, false)
}

// Post makes a post; it is remembered for good.
func (c *Corpus) Post(d Draft, now time.Time) Posted {
	p := &post{
		id: c.nextID(now), at: now.UnixMilli(), user: c.userNamed(or(d.Author, "test_sim")),
		lang: or(d.Lang, "en"), level: or(d.Level, "low"), source: sources[0], point: d.Point,
	}
	if to := c.find(d.ReplyTo); to != nil {
		p.replyID, p.replyUser = to.id, to.user
	}
	if old := c.find(d.Edits); old != nil {
		if old.versions == nil {
			old.versions = &[]uint64{old.id}
		}
		p.versions = old.versions
		*p.versions = append(*p.versions, p.id)
	}
	if len(d.Place) == 4 {
		p.place = &place{"51a00000000000ff", "city", "Testville", "Testville", "XX", "Testland", [4]float64(d.Place)}
	}
	if p.repost = c.find(d.Retweet); p.repost != nil {
		p.text = p.repost.text.repost(p.repost.user)
	} else {
		p.quote = c.find(d.Quote)
		c.typed(p, d.Text)
	}
	c.drafts[p.id] = p
	c.keep(p)
	return Posted{ID: strconv.FormatUint(p.id, 10), UserID: strconv.FormatUint(p.user.id, 10), JSON: p.raw}
}

// typed gives p a text of a draft: whoever it mentions exists.
func (c *Corpus) typed(p *post, s string) {
	known := c.compose.user
	c.compose.user = c.mentioned
	defer func() { c.compose.user = known }()
	c.compose.reset()
	c.compose.plain(s)
	if p.quote != nil {
		c.compose.to = c.compose.runes
		c.compose.raw(" ")
		p.quoted, p.permalink = p.quote.id, c.link()
		c.compose.mark(p.permalink, entity{kind: link, value: p.permalink, expanded: p.quote.url()})
	}
	p.text = c.compose.text()
	p.shorten(c.link)
}

func (c *Corpus) mentioned(name string) *user {
	if name == "" || len(name) > 15 {
		return nil
	}
	return c.userNamed(name)
}

// find returns a post that is remembered, or nil.
func (c *Corpus) find(id string) *post {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return nil
	}
	if p := c.drafts[n]; p != nil {
		return p
	}
	for _, p := range c.ring {
		if p != nil && p.id == n {
			return p
		}
	}
	return nil
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
