package twitter

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
		case "text", "full_text":
			d.text()
		case "extended_tweet":
			d.walkExtended(s)
		case "entities", "extended_entities":
			d.walkEntities(s)
		case "user":
			d.walkUser(s)
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
	case "in_reply_to_status_id", "in_reply_to_status_id_str":
		if !d.Null() {
			s.replyStatus = true
			d.Skip()
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

// text gives a text to the builder, which undoes HTML entities itself.
func (d *decoder) text() {
	if v, ok := d.Str(); ok {
		d.b.Text(v)
	}
}

// walkInner reads a reposted or quoted post.
func (d *decoder) walkInner(s *status, level int, repost bool) {
	var inner status
	d.walkStatus(&inner, level+1)
	id := inner.id.best()
	if id == "" {
		return
	}
	d.ref(id)
	if repost {
		s.isRepost, s.reposted = true, inner.user
	}
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
			d.text()
		case "entities", "extended_entities":
			d.walkEntities(s)
		default:
			d.Skip()
		}
	}
}

func (d *decoder) walkUser(s *status) {
	if d.Peek() != '{' {
		d.Skip()
		return
	}
	s.hasUser = true
	var user id
	d.Object()
	for d.Key() {
		switch d.Name {
		case "id":
			user.number = d.Numeral()
		case "id_str":
			user.text = d.Numeral()
		default:
			d.Skip()
		}
	}
	s.user = user.best()
}

func (d *decoder) walkEntities(s *status) {
	if !d.Object() {
		return
	}
	for d.Key() {
		switch d.Name {
		case "urls", "media":
			d.Each(d.walkLink)
		case "hashtags":
			d.Each(func() { d.walkTag(d.b.Hashtag) })
		case "symbols":
			d.Each(func() { d.walkTag(d.b.Cashtag) })
		case "user_mentions":
			d.Each(func() { d.walkMention(s) })
		default:
			d.Skip()
		}
	}
}

// walkLink reads a url or media entity. A post names the same picture in
// entities and in extended_entities: the builder need not hear it twice.
func (d *decoder) walkLink() {
	d.Object()
	for d.Key() {
		switch d.Name {
		case "expanded_url", "display_url":
			expanded := d.Name == "expanded_url"
			if v, ok := d.Str(); ok && (!expanded || v != d.lastURL) {
				d.b.URL(v)
				if expanded {
					d.lastURL = v
				}
			}
		default:
			d.Skip()
		}
	}
}

func (d *decoder) walkTag(add func(string)) {
	d.Object()
	for d.Key() {
		if d.Name != "text" {
			d.Skip()
		} else if v, ok := d.Str(); ok {
			add(v)
		}
	}
}

func (d *decoder) walkMention(s *status) {
	var user id
	first := false
	d.Object()
	for d.Key() {
		switch d.Name {
		case "screen_name":
			if v, ok := d.Str(); ok {
				d.b.Mention(v)
			}
		case "id":
			user.number = d.Numeral()
		case "id_str":
			user.text = d.Numeral()
		case "indices":
			if d.Array() {
				for n := 0; d.Item(); n++ {
					if v, ok := d.Num(); ok && n == 0 {
						first = v == "0"
					}
				}
			}
		default:
			d.Skip()
		}
	}
	if first {
		s.firstMention = user.best()
	}
}
