package twitter

import "aviary/upstream/compact"

// entities reads entities or extended_entities into e. Media come in both; the
// extended ones know more (all pictures, the films), so they replace the others.
func (d *composer) entities(e *entities) {
	extended := d.Name == "extended_entities"
	if !d.Object() {
		return
	}
	for d.Key() {
		switch d.Name {
		case "hashtags":
			d.Each(func() {
				if v := d.field("text"); v != "" {
					e.hashtags = compact.Union(e.hashtags, []string{v})
				}
			})
		case "user_mentions":
			d.Each(func() {
				if v := d.mention(); v != (compact.Person{}) {
					e.mentions = compact.Union(e.mentions, []compact.Person{v})
				}
			})
		case "urls":
			d.Each(func() {
				if v := d.link(); v != (compact.Link{}) {
					e.urls = compact.Union(e.urls, []compact.Link{v})
				}
			})
		case "media":
			var all []compact.Media
			d.Each(func() {
				if v := d.media(); v != (compact.Media{}) {
					all = compact.Union(all, []compact.Media{v})
				}
			})
			if extended || e.media == nil {
				e.media = all
			}
		default:
			d.Skip()
		}
	}
}

// field reads an object and returns one of its texts.
func (d *composer) field(name string) (v string) {
	d.Object()
	for d.Key() {
		if d.Name == name {
			v, _ = d.Str()
		} else {
			d.Skip()
		}
	}
	return v
}

func (d *composer) mention() (m compact.Person) {
	var user id
	d.Object()
	for d.Key() {
		switch d.Name {
		case "id":
			user.number = d.Numeral()
		case "id_str":
			user.text = d.Numeral()
		case "screen_name":
			m.Username, _ = d.Str()
		default:
			d.Skip()
		}
	}
	m.ID = user.best()
	return m
}

func (d *composer) link() (l compact.Link) {
	d.Object()
	for d.Key() {
		switch d.Name {
		case "url":
			l.URL, _ = d.Str()
		case "expanded_url":
			l.Expanded, _ = d.Str()
		case "display_url":
			l.Display, _ = d.Str()
		default:
			d.Skip()
		}
	}
	return l
}

// media reads one medium. Its url is what a page would embed: the picture, or
// of a film the MP4 of the highest bit rate, where one is listed.
func (d *composer) media() (m compact.Media) {
	var film string
	d.Object()
	for d.Key() {
		switch d.Name {
		case "type":
			m.Type, _ = d.Str()
		case "media_url_https":
			m.URL, _ = d.Str()
		case "ext_alt_text":
			m.Alt, _ = d.Str()
		case "video_info":
			film = d.film()
		default:
			d.Skip()
		}
	}
	if film != "" {
		m.URL = film
	}
	return m
}

func (d *composer) film() (url string) {
	if !d.Object() {
		return ""
	}
	best := -1.0
	for d.Key() {
		if d.Name != "variants" {
			d.Skip()
			continue
		}
		d.Each(func() {
			var rate float64
			var kind, address string
			d.Object()
			for d.Key() {
				switch d.Name {
				case "bitrate":
					rate, _ = d.Float()
				case "content_type":
					kind, _ = d.Str()
				case "url":
					address, _ = d.Str()
				default:
					d.Skip()
				}
			}
			if kind == "video/mp4" && rate > best {
				url, best = address, rate
			}
		})
	}
	return url
}
