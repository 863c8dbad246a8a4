package sim

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"aviary/fanout/filter"
)

// Message is one message of a corpus.
type Message struct {
	JSON  []byte // one JSON object, no line end; the caller's
	Post  bool   // a post; else a notice: delete, scrub_geo, status_withheld, user_withheld
	about []byte // the post that decides which filters let the message through; nil: all do

	of       *post  // the post itself
	duty     []byte // of a notice: the form of the compliance streams
	dutyUser bool
}

// Corpus is a seeded source of synthetic posts: the same seed and the same
// times give the same bytes. It is not safe for concurrent use.
type Corpus struct {
	rng      *rand.Rand
	users    []*user
	speakers [][]*user // by language
	byName   map[string]*user
	compose  composer
	w        writer

	lastID uint64
	ring   [1024]*post // what can be answered, passed on, deleted
	made   int         // posts put into the ring
	drafts map[uint64]*post

	topic int // of the post being made
	hot   int // the topic of the burst
	burst int // posts left of it
}

// post is one post, as long as it is remembered.
type post struct {
	id                  uint64
	at                  int64 // Unix ms
	user                *user
	text, short         text // short: the form of a text that is too long
	lang, level, source string
	replyID             uint64
	replyUser           *user
	repost, quote       *post
	quoted              uint64 // id of quote, which may be forgotten
	permalink           string // the t.co address of quote
	place               *place
	clockwise           bool
	point               []float64 // lon, lat
	sensitive           bool
	withheld            string
	ascii               bool
	dead                bool      // deleted
	versions            *[]uint64 // ids of all forms of an edited post, oldest first; nil: it was never edited
	raw                 []byte
	view                *filter.Post // raw as searches look at it; made when first asked
}

// file is one picture or film of a post.
type file struct {
	id             uint64
	kind, url, alt string
}

func (p *post) quoteID() uint64 {
	if p.repost != nil {
		return p.repost.quoted
	}
	return p.quoted
}

func (p *post) url() string {
	return "https://twitter.com/" + p.user.screen + "/status/" + strconv.FormatUint(p.id, 10)
}

// warmUp is how many posts exist before the first one is told, so that there
// is something to answer and to pass on.
const warmUp = 300

// NewCorpus makes a corpus whose past ends at now.
func NewCorpus(seed uint64, now time.Time) *Corpus {
	c := &Corpus{
		rng: rand.New(rand.NewPCG(seed, 0xa71a7)), byName: map[string]*user{}, drafts: map[uint64]*post{},
		speakers: make([][]*user, len(languages())),
	}
	c.compose.link = c.link
	c.compose.user = func(name string) *user { return c.byName[name] }
	c.populate()
	for i := range warmUp {
		c.write(now.Add(time.Duration(i-warmUp) * 200 * time.Millisecond))
	}
	return c
}

// Next makes the next message: about 1 in 50 is a delete, a few in a thousand
// are other notices, the rest posts.
func (c *Corpus) Next(now time.Time) Message {
	switch n := c.rng.IntN(10_000); {
	case n < 200:
		if p := c.earlier(false); p != nil {
			return c.delete(p, now)
		}
	case n < 203:
		who := pick(c, c.users).id
		return Message{JSON: c.notice(`{"scrub_geo":{`, "user_id", who, "up_to_status_id", c.lastID), dutyUser: true,
			duty: fmt.Appendf(nil, `{"data":{"scrub_geo":{"user":{"id":"%d"},"up_to_tweet_id":"%d","event_at":%q}}}`, who, c.lastID, eventAt(now))}
	case n < 213:
		if p := c.earlier(false); p != nil {
			return c.withhold(p, now)
		}
	case n < 214:
		id, country := strconv.FormatUint(pick(c, c.users).id, 10), pick(c, countries)
		return Message{JSON: []byte(`{"user_withheld":{"id":` + id + `,"withheld_in_countries":["` + country + `"]}}`), dutyUser: true,
			duty: fmt.Appendf(nil, `{"data":{"user_withheld":{"user":{"id":%q},"withheld_in_countries":[%q],"event_at":%q}}}`, id, country, eventAt(now))}
	}
	p := c.write(now)
	return Message{JSON: p.raw, Post: true, about: p.raw, of: p}
}

// delete takes a post back.
func (c *Corpus) delete(p *post, now time.Time) Message {
	p.dead = true
	return Message{JSON: appendDelete(nil, p, now), about: p.raw,
		duty: fmt.Appendf(nil, `{"data":{"delete":{"tweet":{"id":"%d","author_id":"%d"},"event_at":%q}}}`, p.id, p.user.id, eventAt(now))}
}

func (c *Corpus) withhold(p *post, now time.Time) Message {
	id, who, country := strconv.FormatUint(p.id, 10), strconv.FormatUint(p.user.id, 10), pick(c, countries)
	return Message{about: p.raw,
		JSON: []byte(`{"status_withheld":{"id":` + id + `,"user_id":` + who + `,"withheld_in_countries":["` + country + `"]}}`),
		duty: fmt.Appendf(nil, `{"data":{"withheld":{"tweet":{"id":%q,"author_id":%q},"withheld_in_countries":[%q],"event_at":%q}}}`, id, who, country, eventAt(now))}
}

// eventAt is a time in the form of API v2.
func eventAt(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

var countries = []string{"DE", "FR", "TR", "BR", "IN"}

// notice is a control message with two ids.
func (c *Corpus) notice(head, key1 string, id1 uint64, key2 string, id2 uint64) []byte {
	w := writer{b: []byte(head)}
	w.id(key1, id1)
	w.id(key2, id2)
	return append(w.b[:len(w.b)-1], "}}"...)
}

// snowflake is an id of the given time: milliseconds since Twitter's epoch
// above 22 bits of anything. A time before that epoch, as virtual clocks show
// it, counts from 1970: the ids stay beyond 2^53 and rise.
func snowflake(at time.Time, low uint64) uint64 {
	const epoch = 1288834974657
	ms := at.UnixMilli()
	if ms > epoch {
		ms -= epoch
	}
	return uint64(ms)<<22 | low&(1<<22-1)
}

// nextID is an id of that time, above all before it.
func (c *Corpus) nextID(at time.Time) uint64 {
	c.lastID = max(c.lastID+1, snowflake(at, 0x155<<12))
	return c.lastID
}

// link is a new t.co address, 23 characters as all of them.
func (c *Corpus) link() string {
	const letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
	b := []byte("https://t.co/sim0000000")
	for i := len(b) - 7; i < len(b); i++ {
		b[i] = letters[c.rng.IntN(len(letters))]
	}
	return string(b)
}

// earlier picks a post that still stands, newer ones more often; original: no repost.
func (c *Corpus) earlier(original bool) *post {
	for range 8 {
		back := int(c.rng.ExpFloat64()*120) + 1
		if back > min(c.made, len(c.ring)) {
			continue
		}
		p := c.ring[(c.made-back)%len(c.ring)]
		if p.repost != nil && original {
			p = p.repost
		}
		if !p.dead && p.raw != nil {
			return p
		}
	}
	return nil
}

// keep renders a post and remembers it in the place of the oldest one, which
// lets go of what hangs on it.
func (c *Corpus) keep(p *post) {
	c.w.b, c.w.ascii = c.w.b[:0], p.ascii
	c.w.status(p, false, false)
	p.raw = append([]byte(nil), c.w.b...)
	slot := &c.ring[c.made%len(c.ring)]
	if old := *slot; old != nil && c.drafts[old.id] == nil {
		old.raw, old.view, old.repost, old.quote = nil, nil, nil, nil
	}
	*slot = p
	c.made++
}
