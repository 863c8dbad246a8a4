package twitter

import (
	"strconv"
	"strings"

	"aviary/fanout/filter"
)

// walkStatus reads an object that may be a post. At level 0 it may as well be
// any other message. Words, links, tags and names go to the builder as they
// come, from every level: deliveries of track match inside reposted and quoted
// posts too.
func (d *decoder) walkStatus(s *status, level int) {
	if level > maxNesting || !d.Object() {
		if level > maxNesting {
			d.Skip()
		}
		return
	}
	for d.Key() {
		switch d.Name {
		case "id":
			s.id.number = d.Numeral()
		case "id_str":
			s.id.text = d.Numeral()
		case "text":
			s.texts.text, _ = d.Str()
		case "full_text":
			s.texts.full, _ = d.Str()
		case "extended_tweet":
			d.walkExtended(s)
		case "entities", "extended_entities":
			d.walkEntities(s)
		case "user":
			d.walkUser(s, level)
		case "retweeted_status":
			d.walkInner(s, level, true)
		case "quoted_status":
			d.walkInner(s, level, false)
		case "quoted_status_id":
			s.quoted.number = d.Numeral()
		case "quoted_status_id_str":
			s.quoted.text = d.Numeral()
		default:
			if level > 0 {
				d.Skip()
			} else {
				d.walkOuter(s)
			}
		}
	}
	if q := s.quoted.best(); q != "" {
		d.ref(q)
	}
	if s.extended != 0 {
		d.media |= s.extended
	} else {
		d.media |= s.media
	}
}

// walkOuter reads the keys that count on the outermost object only.
func (d *decoder) walkOuter(s *status) {
	switch d.Name {
	case "created_at":
		d.created, _ = d.Str()
	case "timestamp_ms":
		d.stamp = d.Numeral()
	case "in_reply_to_user_id":
		s.replyUser.number = d.Numeral()
	case "in_reply_to_user_id_str":
		s.replyUser.text = d.Numeral()
	case "in_reply_to_status_id":
		if !d.Null() {
			s.replyStatus = true
			s.replyTo.number = d.Numeral()
		}
	case "in_reply_to_status_id_str":
		if !d.Null() {
			s.replyStatus = true
			s.replyTo.text = d.Numeral()
		}
	case "in_reply_to_screen_name":
		s.replyName, _ = d.Str()
	case "conversation_id":
		s.conversation.number = d.Numeral()
	case "conversation_id_str":
		s.conversation.text = d.Numeral()
	case "is_quote_status":
		s.isQuote = d.IsTrue()
	case "source":
		if v, ok := d.Str(); ok {
			d.b.Source(program(v))
		}
	case "coordinates":
		s.point, s.hasPoint = d.walkCoordinates()
	case "place":
		s.place = d.walkPlace()
	case "lang":
		if v, ok := d.Str(); ok {
			d.b.Lang(v)
		}
	case "filter_level":
		if v, ok := d.Str(); ok {
			d.b.Level(v)
		}
	default:
		d.walkControl()
	}
}

// program is the name in <a href="…" rel="nofollow">Name</a>.
func program(source string) string {
	if from, to := strings.IndexByte(source, '>'), strings.LastIndexByte(source, '<'); from >= 0 && from < to {
		return source[from+1 : to]
	}
	return source
}

// walkInner reads a reposted or quoted post. The text of a reposted one is said
// together with that of the repost.
func (d *decoder) walkInner(s *status, level int, repost bool) {
	var inner status
	d.walkStatus(&inner, level+1)
	id := inner.id.best()
	if id == "" {
		d.say(&inner)
		return
	}
	d.ref(id)
	if !repost {
		s.isQuote = true
		d.say(&inner)
		return
	}
	d.sayRest(&inner)
	s.isRepost, s.repost = true, reposted{id, inner.user.best(), inner.username, inner.texts.whole()}
}

// walkExtended reads extended_tweet, which holds the whole of a text beyond 140
// characters and the entities that belong to it.
func (d *decoder) walkExtended(s *status) {
	if !d.Object() {
		return
	}
	for d.Key() {
		switch d.Name {
		case "full_text":
			s.texts.extended, _ = d.Str()
		case "entities", "extended_entities":
			d.walkEntities(s)
		default:
			d.Skip()
		}
	}
}

// walkUser reads an author, who counts for more at the outermost level.
func (d *decoder) walkUser(s *status, level int) {
	if d.Peek() != '{' {
		d.Skip()
		return
	}
	s.hasUser = true
	s.user = id{}
	counts := [4]int64{-1, -1, -1, -1}
	d.Object()
	for d.Key() {
		switch d.Name {
		case "id":
			s.user.number = d.Numeral()
		case "id_str":
			s.user.text = d.Numeral()
		case "screen_name":
			s.username, _ = d.Str()
		default:
			if level > 0 {
				d.Skip()
			} else {
				d.walkProfile(&counts)
			}
		}
	}
	if level == 0 {
		d.b.Counts(counts[0], counts[1], counts[2], counts[3])
	}
}

// walkProfile reads what the author of the outermost post is known by.
func (d *decoder) walkProfile(counts *[4]int64) {
	switch d.Name {
	case "name":
		if v, ok := d.Str(); ok {
			d.b.BioName(v)
		}
	case "location":
		if v, ok := d.Str(); ok {
			d.b.BioLocation(v)
		}
	case "description":
		if v, ok := d.Str(); ok {
			d.b.Bio(v)
		}
	case "followers_count":
		counts[filter.CountFollowers] = d.count()
	case "friends_count":
		counts[filter.CountFollowing] = d.count()
	case "statuses_count":
		counts[filter.CountPosts] = d.count()
	case "listed_count":
		counts[filter.CountListed] = d.count()
	case "verified":
		if d.IsTrue() {
			d.b.Is("verified")
		}
	default:
		d.Skip()
	}
}

// count reads a count; -1: it is none.
func (d *decoder) count() int64 {
	n, err := strconv.ParseInt(d.Numeral(), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
