package x

func (e *envelope) readUser() {
	var u user
	e.Object()
	for e.Key() {
		switch e.Name {
		case "id":
			u.id = e.Numeral()
		case "username":
			u.username, _ = e.Str()
		case "name":
			u.name, _ = e.Str()
		case "description":
			u.bio, _ = e.Str()
		case "location":
			u.location, _ = e.Str()
		case "profile_image_url":
			u.avatar, _ = e.Str()
		case "verified":
			if u.hasVerified = !e.Null(); u.hasVerified {
				u.verified = e.IsTrue()
			}
		case "public_metrics":
			e.counts(&u)
		default:
			e.Skip()
		}
	}
	if len(e.users) < maxIncluded {
		e.users = append(e.users, u)
	}
}

func (e *envelope) counts(u *user) {
	u.followers, u.following, u.posts, u.listed = -1, -1, -1, -1
	if !e.Object() {
		return
	}
	for e.Key() {
		var to *int64
		switch e.Name {
		case "followers_count":
			to = &u.followers
		case "following_count":
			to = &u.following
		case "tweet_count":
			to = &u.posts
		case "listed_count":
			to = &u.listed
		default:
			e.Skip()
			continue
		}
		if n, ok := e.Float(); ok && n >= 0 && n < 1<<53 {
			*to, u.hasCounts = int64(n), true
		}
	}
}

func (e *envelope) readMedium() {
	var m medium
	best := -1.0
	e.Object()
	for e.Key() {
		switch e.Name {
		case "media_key":
			m.key, _ = e.Str()
		case "type":
			m.kind, _ = e.Str()
		case "url":
			m.url, _ = e.Str()
		case "preview_image_url":
			m.preview, _ = e.Str()
		case "alt_text":
			m.alt, _ = e.Str()
		case "variants":
			e.Each(func() { e.variant(&m, &best) })
		default:
			e.Skip()
		}
	}
	if len(e.media) < maxIncluded {
		e.media = append(e.media, m)
	}
}

// variant reads one coding of a film: the MP4 of the highest bit rate is kept.
func (e *envelope) variant(m *medium, best *float64) {
	var rate float64
	var kind, address string
	e.Object()
	for e.Key() {
		switch e.Name {
		case "bit_rate":
			rate, _ = e.Float()
		case "content_type":
			kind, _ = e.Str()
		case "url":
			address, _ = e.Str()
		default:
			e.Skip()
		}
	}
	if kind == "video/mp4" && rate > *best {
		m.film, *best = address, rate
	}
}

func (e *envelope) readPlace() {
	var p place
	e.Object()
	for e.Key() {
		switch e.Name {
		case "id":
			p.id, _ = e.Str()
		case "name":
			p.name, _ = e.Str()
		case "full_name":
			p.fullName, _ = e.Str()
		case "country":
			p.country, _ = e.Str()
		case "country_code":
			p.code, _ = e.Str()
		case "geo":
			if !e.Object() {
				continue
			}
			for e.Key() {
				if e.Name == "bbox" {
					p.box, p.hasBox = e.box()
				} else {
					e.Skip()
				}
			}
		default:
			e.Skip()
		}
	}
	if len(e.places) < maxIncluded {
		e.places = append(e.places, p)
	}
}

// box reads a GeoJSON bbox: west, south, east, north.
func (e *envelope) box() (b [4]float64, ok bool) {
	if !e.Array() {
		return b, false
	}
	n := 0
	for e.Item() {
		if v, isNumber := e.Float(); isNumber && n < 4 {
			b[n] = v
			n++
		}
	}
	return b, n == 4
}

// Finders: the lists are short, and a map would cost more than it saves.

func (e *envelope) post(id string) int {
	for i := range e.posts {
		if i > 0 && e.posts[i].id == id {
			return i
		}
	}
	return -1
}

func (e *envelope) user(id string) *user {
	for i := range e.users {
		if e.users[i].id == id && id != "" {
			return &e.users[i]
		}
	}
	return nil
}

func (e *envelope) medium(key string) *medium {
	for i := range e.media {
		if e.media[i].key == key {
			return &e.media[i]
		}
	}
	return nil
}

func (e *envelope) place(id string) *place {
	for i := range e.places {
		if e.places[i].id == id && id != "" {
			return &e.places[i]
		}
	}
	return nil
}
