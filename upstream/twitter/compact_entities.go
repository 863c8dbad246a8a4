package twitter

// entities reads entities or extended_entities into e. Media come in both; the
// extended ones know more (all pictures, the films), so they replace the others.
func (d *composer) entities(e *entities) {
	extended := d.name == "extended_entities"
	if !d.object() {
		return
	}
	for d.key() {
		switch d.name {
		case "hashtags":
			d.each(func() {
				if v := d.field("text"); v != "" {
					e.hashtags = union(e.hashtags, []string{v})
				}
			})
		case "user_mentions":
			d.each(func() {
				if v := d.mention(); v != (mention{}) {
					e.mentions = union(e.mentions, []mention{v})
				}
			})
		case "urls":
			d.each(func() {
				if v := d.link(); v != (link{}) {
					e.urls = union(e.urls, []link{v})
				}
			})
		case "media":
			var all []media
			d.each(func() {
				if v := d.media(); v != (media{}) {
					all = union(all, []media{v})
				}
			})
			if extended || e.media == nil {
				e.media = all
			}
		default:
			d.skip()
		}
	}
}

// field reads an object and returns one of its texts.
func (d *composer) field(name string) (v string) {
	d.object()
	for d.key() {
		if d.name == name {
			v, _ = d.str()
		} else {
			d.skip()
		}
	}
	return v
}

func (d *composer) mention() (m mention) {
	d.object()
	for d.key() {
		switch d.name {
		case "id":
			m.id.number = d.numeral()
		case "id_str":
			m.id.text = d.numeral()
		case "screen_name":
			m.username, _ = d.str()
		default:
			d.skip()
		}
	}
	return m
}

func (d *composer) link() (l link) {
	d.object()
	for d.key() {
		switch d.name {
		case "url":
			l.url, _ = d.str()
		case "expanded_url":
			l.expanded, _ = d.str()
		case "display_url":
			l.display, _ = d.str()
		default:
			d.skip()
		}
	}
	return l
}

// media reads one medium. Its url is what a page would embed: the picture, or
// of a film the MP4 of the highest bit rate, where one is listed.
func (d *composer) media() (m media) {
	var film string
	d.object()
	for d.key() {
		switch d.name {
		case "type":
			m.kind, _ = d.str()
		case "media_url_https":
			m.url, _ = d.str()
		case "ext_alt_text":
			m.alt, _ = d.str()
		case "video_info":
			film = d.film()
		default:
			d.skip()
		}
	}
	if film != "" {
		m.url = film
	}
	return m
}

func (d *composer) film() (url string) {
	if !d.object() {
		return ""
	}
	best := -1.0
	for d.key() {
		if d.name != "variants" {
			d.skip()
			continue
		}
		d.each(func() {
			var rate float64
			var kind, address string
			d.object()
			for d.key() {
				switch d.name {
				case "bitrate":
					rate, _ = d.float()
				case "content_type":
					kind, _ = d.str()
				case "url":
					address, _ = d.str()
				default:
					d.skip()
				}
			}
			if kind == "video/mp4" && rate > best {
				url, best = address, rate
			}
		})
	}
	return url
}
