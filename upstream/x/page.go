package x

import (
	"encoding/json"
	"slices"

	"aviary/fanout"
)

// answerPage is a page of search or look-up.
type answerPage struct {
	Data     []json.RawMessage `json:"data"`
	Includes struct {
		Users  []json.RawMessage `json:"users"`
		Tweets []json.RawMessage `json:"tweets"`
		Media  []json.RawMessage `json:"media"`
		Places []json.RawMessage `json:"places"`
		Polls  []json.RawMessage `json:"polls"`
	} `json:"includes"`
	Meta struct {
		Count  int    `json:"result_count"`
		Newest string `json:"newest_id"`
		Next   string `json:"next_token"`
	} `json:"meta"`
	Errors []json.RawMessage `json:"errors"`
}

// refersTo is what an object is known by, and what it refers to.
type refersTo struct {
	ID          string `json:"id"`
	MediaKey    string `json:"media_key"`
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
	Versions []string `json:"edit_history_tweet_ids"`
}

// index finds included objects.
type index map[string]json.RawMessage

func indexOf(list []json.RawMessage) index {
	byID := make(index, len(list))
	for _, raw := range list {
		var r refersTo
		_ = json.Unmarshal(raw, &r) // members of other types stay zero
		if id := r.ID + r.MediaKey; id != "" {
			byID[id] = raw
		}
	}
	return byID
}

// included is what one post takes along of the includes of its page, in the order
// of their first mention.
type included struct {
	Users  []json.RawMessage `json:"users,omitempty"`
	Tweets []json.RawMessage `json:"tweets,omitempty"`
	Media  []json.RawMessage `json:"media,omitempty"`
	Places []json.RawMessage `json:"places,omitempty"`
	Polls  []json.RawMessage `json:"polls,omitempty"`
}

// single is an envelope as the stream would have it.
type single struct {
	Data     json.RawMessage `json:"data"`
	Includes *included       `json:"includes,omitempty"`
	Filled   bool            `json:"gap_filled,omitempty"`
}

// split makes of each post of a page the envelope that the stream would have
// sent, with those of the includes that it refers to. What cannot be decoded is left
// out. filled marks the posts as found by search after an outage:
// "gap_filled":true behind the envelope's own members.
func (p *answerPage) split(filled bool) (events []*fanout.Event) {
	users, tweets, media, places, polls := indexOf(p.Includes.Users), indexOf(p.Includes.Tweets), indexOf(p.Includes.Media), indexOf(p.Includes.Places), indexOf(p.Includes.Polls)
	for _, raw := range p.Data {
		one := single{Data: raw, Includes: &included{}, Filled: filled}
		in := one.Includes
		var taken []string
		take := func(to *[]json.RawMessage, from index, kind, id string) bool {
			found, ok := from[id]
			if !ok || slices.Contains(taken, kind+id) {
				return false
			}
			taken = append(taken, kind+id)
			*to = append(*to, found)
			return true
		}
		var follow func(raw json.RawMessage, level int)
		follow = func(raw json.RawMessage, level int) {
			var r refersTo
			_ = json.Unmarshal(raw, &r)
			take(&in.Users, users, "u", r.Author)
			take(&in.Users, users, "u", r.ReplyUser)
			take(&in.Places, places, "p", r.Geo.Place)
			for _, key := range r.Attachments.Media {
				take(&in.Media, media, "m", key)
			}
			for _, id := range r.Attachments.Polls {
				take(&in.Polls, polls, "o", id)
			}
			for _, ref := range r.Refs {
				if take(&in.Tweets, tweets, "t", ref.ID) && level < maxNesting {
					follow(tweets[ref.ID], level+1)
				}
			}
		}
		follow(raw, 0)
		if len(taken) == 0 {
			one.Includes = nil
		}
		line, err := json.Marshal(one)
		if err != nil {
			continue
		}
		if e := decode(line); e != nil && e.Kind == fanout.KindPost {
			events = append(events, e)
		}
	}
	return events
}
