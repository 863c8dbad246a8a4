package compat

import (
	"encoding/json"
	"slices"
)

// projection is the fields and expansions that a client asked for. It never changes.
type projection struct {
	tweet, user, media, place, poll shown
	expand                          shown
	key                             wishKey
}

// object is a member of includes, or a post, as it came.
type object struct {
	id  string
	raw []byte
}

// found is what goes into includes, each object once, in the order it was met.
type found struct {
	users, tweets, media, places, polls []object
	lost                                []string // ids of posts that are referred to and not there
}

// envelope is a whole v2 answer, taken apart. The bytes are views.
type envelope struct {
	data     []byte
	includes map[string][]object
}

// refers is what a post refers to.
type refers struct {
	ID          string `json:"id"`
	Author      string `json:"author_id"`
	ReplyUser   string `json:"in_reply_to_user_id"`
	Attachments struct {
		Media []string `json:"media_keys"`
		Polls []string `json:"poll_ids"`
	} `json:"attachments"`
	Geo struct {
		Place string `json:"place_id"`
	} `json:"geo"`
	Refs []struct {
		ID string `json:"id"`
	} `json:"referenced_tweets"`
	Entities struct {
		Mentions []struct {
			ID string `json:"id"`
		} `json:"mentions"`
	} `json:"entities"`
}

// open takes an envelope apart, as far as p needs it; false: there is no post in it.
func (e *envelope) open(raw []byte, p *projection) bool {
	*e = envelope{}
	if len(p.expand) > 0 {
		e.includes = map[string][]object{}
	}
	members(raw, func(name string, value []byte) {
		switch name {
		case "data":
			e.data = value
		case "includes":
			if e.includes == nil {
				return
			}
			members(value, func(kind string, list []byte) {
				items(list, func(one []byte) {
					key := "id"
					if kind == "media" {
						key = "media_key"
					}
					e.includes[kind] = append(e.includes[kind], object{text(one, key), one})
				})
			})
		}
	})
	return len(e.data) > 0 && e.data[0] == '{'
}

// gather adds what a projection expands of an envelope. It is for one post, or for
// a page of them, one by one.
func (p *projection) gather(e *envelope, to *found) {
	if len(p.expand) == 0 {
		return
	}
	var r refers
	_ = json.Unmarshal(e.data, &r) // members of other types stay zero
	p.people(e, to, &r, "author_id")
	if p.expand["attachments.media_keys"] {
		take(&to.media, e.includes["media"], r.Attachments.Media...)
	}
	if p.expand["attachments.poll_ids"] {
		take(&to.polls, e.includes["polls"], r.Attachments.Polls...)
	}
	if p.expand["geo.place_id"] {
		take(&to.places, e.includes["places"], r.Geo.Place)
	}
	if p.expand["edit_history_tweet_ids"] {
		to.tweets = add(to.tweets, object{r.ID, e.data})
	}
	if !p.expand["referenced_tweets.id"] && !p.expand["referenced_tweets.id.author_id"] && !p.expand["referenced_tweets.id.attachments.media_keys"] {
		return
	}
	for _, ref := range r.Refs {
		i := slices.IndexFunc(e.includes["tweets"], func(o object) bool { return o.id == ref.ID })
		if i < 0 {
			if !slices.Contains(to.lost, ref.ID) {
				to.lost = append(to.lost, ref.ID)
			}
			continue
		}
		other := e.includes["tweets"][i]
		to.tweets = add(to.tweets, other)
		var inner refers
		_ = json.Unmarshal(other.raw, &inner)
		p.people(e, to, &inner, "referenced_tweets.id.author_id")
		if p.expand["referenced_tweets.id.attachments.media_keys"] {
			take(&to.media, e.includes["media"], inner.Attachments.Media...)
		}
		if p.expand["geo.place_id"] {
			take(&to.places, e.includes["places"], inner.Geo.Place)
		}
	}
}

// people adds the users of a post; author is the expansion that asks for who wrote it.
func (p *projection) people(e *envelope, to *found, r *refers, author string) {
	users := e.includes["users"]
	if p.expand[author] {
		take(&to.users, users, r.Author)
	}
	if p.expand["in_reply_to_user_id"] {
		take(&to.users, users, r.ReplyUser)
	}
	if p.expand["entities.mentions.username"] {
		for _, m := range r.Entities.Mentions {
			take(&to.users, users, m.ID)
		}
	}
}

// take adds the objects of these ids, as far as they are there.
func take(to *[]object, from []object, ids ...string) {
	for _, id := range ids {
		if i := slices.IndexFunc(from, func(o object) bool { return o.id == id }); id != "" && i >= 0 {
			*to = add(*to, from[i])
		}
	}
}

func add(list []object, o object) []object {
	if slices.ContainsFunc(list, func(old object) bool { return old.id == o.id }) {
		return list
	}
	return append(list, o)
}

// append appends includes and errors, as far as there are any, each behind a comma.
func (p *projection) append(dst []byte, in *found) []byte {
	first := true
	for _, group := range []struct {
		name string
		list []object
		keep shown
	}{{"users", in.users, p.user}, {"tweets", in.tweets, p.tweet}, {"media", in.media, p.media}, {"places", in.places, p.place}, {"polls", in.polls, p.poll}} {
		if len(group.list) == 0 {
			continue
		}
		if first {
			dst = append(dst, `,"includes":{`...)
		} else {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, '"'), group.name...), `":[`...)
		for i, o := range group.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = group.keep.append(dst, o.raw)
		}
		dst = append(dst, ']')
	}
	if !first {
		dst = append(dst, '}')
	}
	if len(in.lost) == 0 {
		return dst
	}
	list := make([]any, len(in.lost))
	for i, id := range in.lost {
		list[i] = notFound(id)
	}
	raw, err := json.Marshal(list)
	if err != nil {
		panic(err) // texts always encode
	}
	return append(append(dst, `,"errors":`...), raw...)
}

// append appends an object with the members that are shown.
func (keep shown) append(dst, raw []byte) []byte {
	dst = append(dst, '{')
	first := true
	members(raw, func(name string, value []byte) {
		if !keep[name] {
			return
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, '"'), name...), `":`...)
		dst = append(dst, value...)
	})
	return append(dst, '}')
}

// appendPost appends what this projection shows of one message of the stream, up to
// the rules, which are each token's own; false: the envelope has no post.
func (p *projection) appendPost(dst, raw []byte) ([]byte, bool) {
	var e envelope
	if !e.open(raw, p) {
		return dst, false
	}
	dst = p.tweet.append(append(dst, `{"data":`...), e.data)
	var in found
	p.gather(&e, &in)
	return p.append(dst, &in), true
}

// appendRules appends the rest of a message.
func appendRules(dst []byte, rules []*rule) []byte {
	dst = append(dst, `,"matching_rules":[`...)
	for i, r := range rules {
		if i > 0 {
			dst = append(dst, ',')
		}
		tag, err := json.Marshal(r.tag)
		if err != nil {
			panic(err) // texts always encode
		}
		// tag is always there: tweepy looks for it without asking.
		dst = append(dst, `{"id":"`+r.name()+`","tag":`...)
		dst = append(append(dst, tag...), '}')
	}
	return append(dst, "]}"...)
}
