package twitter

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream/jsontext"
)

// Name is the name of the dialect, and the source of its posts' keys.
const Name = "twitter"

// Dialect is what the gateway knows of v1.1 JSON.
var Dialect = &fanout.Dialect{Name: Name, Post: decodePost, Compact: appendCompact, V2: appendV2}

// maxNesting is how many posts inside posts are looked at: a repost of a quote
// of a quote. Deeper ones are checked and passed on, but not searched.
const maxNesting = 4

// Decode turns one raw message, without its line end, into an event: it is
// normalised, checked to be one valid JSON object, recognised by its top-level
// keys and, if it is a post, made into what filters look at. Kind, Dialect,
// Post, Target and Sent are set. The raw bytes are not kept.
//
// A site stream's envelope {"for_user":…,"message":{…}} is taken off. What is
// valid and not a known kind is KindOther, whatever it calls itself.
func Decode(raw []byte) (*fanout.Event, error) {
	e := fanout.NewEvent(Dialect, raw)
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	if err := d.walk(e.JSON); err != nil {
		return nil, err
	}
	if d.message.ok && d.forUser {
		e = fanout.NewEvent(Dialect, e.JSON[d.message.from:d.message.to])
		if err := d.walk(e.JSON); err != nil {
			return nil, err
		}
	}
	e.Dialect = Dialect
	e.Kind, e.Target = d.kind()
	e.Sent = d.sent()
	if e.Kind == fanout.KindPost {
		e.Post = d.post()
	}
	return e, nil
}

// decodePost is Dialect.Post.
func decodePost(json []byte) (*filter.Post, error) {
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	if err := d.walk(json); err != nil {
		return nil, err
	}
	if kind, _ := d.kind(); kind != fanout.KindPost {
		return nil, errNoPost
	}
	return d.post(), nil
}

var errNoPost = errors.New("the JSON is not a post: it has no id with a user")

// decoders keeps their builders and scratch buffers.
var decoders = sync.Pool{New: func() any { return new(decoder) }}

// decoder makes one walk over one message. All strings it holds are views of
// the message.
type decoder struct {
	reader
	b        filter.Builder
	status   status // the outermost
	refs     [2 * maxNesting]string
	lastURL  string
	shownURL string
	media    mediaKinds // of all posts
	joined   []byte

	// Control messages: what the first well-formed one says, by precedence.
	control   fanout.Kind // KindPost: none
	target    fanout.Target
	stamp     string // timestamp_ms, of the message or inside delete
	created   string
	forUser   bool
	message   span
	container bool // some control key with any value but null was there
}

// span is a part of the message.
type span struct {
	from, to int
	ok       bool
}

// status is what a post says besides what goes to the builder as it comes.
type status struct {
	id           id
	user         id
	username     string
	hasUser      bool
	texts        texts
	media        mediaKinds // of entities, where every medium is called a photo
	extended     mediaKinds // of extended_entities
	isRepost     bool
	repost       reposted
	replyUser    id
	replyName    string
	replyTo      id
	replyStatus  bool
	firstMention string // id of the user mentioned at index 0
	quoted       id
	isQuote      bool
	conversation id
	point        [2]float64
	hasPoint     bool
	place        place
}

// reposted is what a post says of the one that it reposts.
type reposted struct{ id, user, username, text string }

// id is an id as two keys bring it, each as a number or as a text.
type id struct{ text, number string }

// best prefers the text: numbers beyond 2^53 have been rounded by others.
func (i id) best() string {
	if validID(i.text) {
		return i.text
	}
	if validID(i.number) {
		return i.number
	}
	return ""
}

// validID says whether s is an unsigned 64-bit number in decimal.
func validID(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return false
		}
	}
	if len(s) < 20 {
		return true
	}
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}

// walk reads one whole message.
func (d *decoder) walk(json []byte) error {
	d.Reader.Reset(json)
	d.b.Reset(filter.Key{Source: Name})
	*d = decoder{reader: d.reader, b: d.b, joined: d.joined}
	if d.Peek() != '{' {
		return jsontext.ErrSyntax
	}
	d.walkStatus(&d.status, 0)
	d.say(&d.status)
	if !d.End() {
		return jsontext.ErrSyntax
	}
	return nil
}

// post makes the filter's view of the walked message, which is a post.
func (d *decoder) post() *filter.Post {
	s := &d.status
	d.b.Author(s.user.best())
	d.b.From(s.user.best(), s.username)
	d.whom(s)
	d.where(s)
	d.media.tell(&d.b)
	for _, ref := range d.refs {
		d.b.Ref(ref)
	}
	d.b.ID(s.id.best())
	return d.b.Post()
}

// whom tells what a post has to do with others and their posts. v1.1 has no
// conversations: a post that answers none begins its own; what another one
// belongs to is not known, unless the server is kind enough to say.
func (d *decoder) whom(s *status) {
	d.b.Concerns(s.replyUser.best())
	d.b.To(s.replyUser.best(), s.replyName)
	d.b.InReplyTo(s.replyTo.best())
	conversation := s.conversation.best()
	if s.replyStatus {
		d.b.Is("reply")
	} else {
		d.b.Concerns(s.firstMention) // a reply by hand
		if conversation == "" {
			conversation = s.id.best()
		}
	}
	d.b.Conversation(conversation)
	if r := &s.repost; s.isRepost {
		d.b.Is("retweet")
		d.b.Concerns(r.user)
		d.b.RetweetsOf(r.user, r.username)
		d.b.RetweetOf(r.id)
	}
	if s.isQuote || s.quoted.best() != "" {
		d.b.Is("quote")
	}
}

// where tells where a post was written. Native retweets carry no geo.
func (d *decoder) where(s *status) {
	if s.isRepost {
		return
	}
	if s.hasPoint {
		d.b.Point(s.point[0], s.point[1])
	} else if s.place.hasArea {
		d.b.Area(s.place.area)
	}
	p := &s.place
	if p.id == "" && p.name == "" {
		return
	}
	d.b.Has("geo")
	d.b.Country(p.country)
	if strings.HasPrefix(p.name, p.short) {
		d.b.Place(p.id, p.name)
	} else {
		d.b.Place(p.id, p.short, p.name)
	}
}

// ref notes a post inside this one, once.
func (d *decoder) ref(id string) {
	for i := range d.refs {
		switch d.refs[i] {
		case id:
			return
		case "":
			d.refs[i] = id
			return
		}
	}
}

// sent is the upstream's own time stamp.
func (d *decoder) sent() time.Time {
	if t, ok := parseMillis(d.stamp); ok {
		return t
	}
	t, _ := parseCreated(d.created)
	return t
}

// parseMillis reads timestamp_ms: Unix milliseconds as text, of years that RFC 3339 can write.
func parseMillis(s string) (time.Time, bool) {
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ms <= 0 || ms > 253402300799999 {
		return time.Time{}, false
	}
	return time.UnixMilli(ms).UTC(), true
}

// parseCreated reads created_at: "Wed Nov 06 10:37:41 +0000 2019".
func parseCreated(s string) (time.Time, bool) {
	t, err := time.Parse(time.RubyDate, s)
	if err != nil || t.Year() < 1 {
		return time.Time{}, false
	}
	return t.UTC(), true
}
