package x

import (
	"strconv"

	"aviary/upstream/jsontext"
)

// envelope is one walk over one message of API v2:
//
//	{"data":{…},"includes":{"users":[…],"tweets":[…],"media":[…],"places":[…]},
//	 "matching_rules":[…],"errors":[…]}
//
// It only collects: what belongs together is known by ids, and only at the end. All
// strings are views of the message. Lists keep their memory from one message to
// the next.
type envelope struct {
	jsontext.Reader

	posts  []post // the first is data, the others came in includes
	users  []user
	media  []medium
	places []place
	marks  []mark // of all posts

	hasErrors bool
	duty      duty
	versions  []string // of data: the ids of an edited post's forms, its own too
}

// post is one post object.
type post struct {
	id, author, text, note, created, lang  string
	conversation, replyUser, app, placeID  string
	repost, quote, reply                   string // ids of the posts it refers to
	point                                  [2]float64
	hasPoint, sensitive, fromData, hasNote bool
}

// mark is one entry of a list of a post.
type mark struct {
	post    int // index in posts
	kind    markKind
	note    bool   // of note_tweet
	a, b, c string // by kind
	first   bool   // of a mention: it begins the text
}

// markKind says what the strings of a mark are.
type markKind uint8

const (
	hashtag  markKind = iota // a: the tag
	cashtag                  // a: the tag
	mention                  // a: user name, b: id
	link                     // a: url, b: expanded_url, c: display_url
	unwound                  // a: unwound_url, of the link before it
	mediaKey                 // a
	withheld                 // a: country
)

type user struct {
	id, username, name, bio, location, avatar string
	followers, following, posts, listed       int64
	verified, hasVerified, hasCounts          bool
}

type medium struct{ key, kind, url, preview, film, alt string }

type place struct {
	id, name, fullName, country, code string
	box                               [4]float64 // west, south, east, north
	hasBox                            bool
}

// read walks one whole message.
func (e *envelope) read(json []byte) error {
	e.Reset(json)
	e.posts, e.users, e.media, e.places, e.marks = append(e.posts[:0], post{}), e.users[:0], e.media[:0], e.places[:0], e.marks[:0]
	e.hasErrors, e.duty, e.versions = false, duty{}, e.versions[:0]
	if e.Peek() != '{' {
		return jsontext.ErrSyntax
	}
	e.Object()
	for e.Key() {
		switch e.Name {
		case "data":
			e.readPost(0)
		case "includes":
			e.includes()
		case "errors":
			e.hasErrors = e.Peek() == '['
			e.Skip()
		default:
			e.Skip()
		}
	}
	if !e.End() {
		return jsontext.ErrSyntax
	}
	return nil
}

// maxIncluded bounds each list of includes: 100 posts refer to a few hundred
// objects, one to a handful.
const maxIncluded = 1000

func (e *envelope) includes() {
	if !e.Object() {
		return
	}
	for e.Key() {
		switch e.Name {
		case "tweets":
			e.Each(func() {
				if len(e.posts) > maxIncluded {
					e.Skip()
					return
				}
				e.posts = append(e.posts, post{})
				e.readPost(len(e.posts) - 1)
			})
		case "users":
			e.Each(e.readUser)
		case "media":
			e.Each(e.readMedium)
		case "places":
			e.Each(e.readPlace)
		default:
			e.Skip()
		}
	}
}

// readPost reads an object that may be a post into e.posts[n]. data may as well
// be a message of the compliance streams.
func (e *envelope) readPost(n int) {
	if e.Peek() != '{' {
		e.Skip()
		return
	}
	p := post{fromData: n == 0}
	e.Object()
	for e.Key() {
		switch e.Name {
		case "id":
			p.id = e.Numeral()
		case "text":
			p.text, _ = e.Str()
		case "author_id":
			p.author = e.Numeral()
		case "created_at":
			p.created, _ = e.Str()
		case "lang":
			p.lang, _ = e.Str()
		case "conversation_id":
			p.conversation = e.Numeral()
		case "in_reply_to_user_id":
			p.replyUser = e.Numeral()
		case "source":
			p.app, _ = e.Str()
		case "possibly_sensitive":
			p.sensitive = e.IsTrue()
		case "entities":
			e.entities(n, false)
		case "note_tweet":
			e.note(n, &p)
		case "referenced_tweets":
			e.Each(func() { e.reference(&p) })
		case "attachments":
			e.attachments(n)
		case "geo":
			e.geo(&p)
		case "withheld":
			e.withheld(n)
		case "edit_history_tweet_ids":
			if n == 0 {
				e.readVersions()
			} else {
				e.Skip()
			}
		default:
			if n == 0 {
				e.readDuty()
			} else {
				e.Skip()
			}
		}
	}
	e.posts[n] = p
}

func (e *envelope) note(n int, p *post) {
	if !e.Object() {
		return
	}
	for e.Key() {
		switch e.Name {
		case "text":
			p.note, p.hasNote = e.Str()
		case "entities":
			e.entities(n, true)
		default:
			e.Skip()
		}
	}
}

func (e *envelope) reference(p *post) {
	var kind, id string
	e.Object()
	for e.Key() {
		switch e.Name {
		case "type":
			kind, _ = e.Str()
		case "id":
			id = e.Numeral()
		default:
			e.Skip()
		}
	}
	if !validID(id) {
		return
	}
	switch kind {
	case "retweeted":
		p.repost = id
	case "quoted":
		p.quote = id
	case "replied_to":
		p.reply = id
	}
}

func (e *envelope) attachments(n int) {
	if !e.Object() {
		return
	}
	for e.Key() {
		if e.Name != "media_keys" || !e.Array() {
			if e.Name != "media_keys" {
				e.Skip()
			}
			continue
		}
		for e.Item() {
			if key, ok := e.Str(); ok {
				e.mark(mark{post: n, kind: mediaKey, a: key})
			}
		}
	}
}

func (e *envelope) geo(p *post) {
	if !e.Object() {
		return
	}
	for e.Key() {
		switch e.Name {
		case "place_id":
			p.placeID, _ = e.Str()
		case "coordinates":
			if !e.Object() {
				continue
			}
			for e.Key() {
				if e.Name == "coordinates" {
					p.point, p.hasPoint = e.Position()
				} else {
					e.Skip()
				}
			}
		default:
			e.Skip()
		}
	}
}

// maxMarks bounds the entities of one message.
const maxMarks = 10_000

func (e *envelope) mark(m mark) {
	if len(e.marks) < maxMarks {
		e.marks = append(e.marks, m)
	}
}

// validID says whether s is an unsigned 64-bit number in decimal.
func validID(s string) bool {
	if s == "" || s[0] == '+' || len(s) > 20 {
		return false
	}
	_, err := strconv.ParseUint(s, 10, 64)
	return err == nil
}
