package twitter

import "strings"

// walkEntities reads entities or extended_entities, which differ in media only.
func (d *decoder) walkEntities(s *status) {
	kinds := &s.media
	if d.Name == "extended_entities" {
		kinds = &s.extended
	}
	if !d.Object() {
		return
	}
	for d.Key() {
		switch d.Name {
		case "urls":
			d.Each(func() { d.walkLink(nil) })
		case "media":
			d.Each(func() { d.walkLink(kinds) })
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
// entities and in extended_entities: the builder need not hear it twice. The
// short form, which leads to the expanded one, stands in the text.
func (d *decoder) walkLink(kinds *mediaKinds) {
	if kinds != nil {
		*kinds |= someMedia
	}
	d.Object()
	for d.Key() {
		switch d.Name {
		case "expanded_url":
			d.link(&d.lastURL)
		case "display_url":
			d.link(&d.shownURL)
		case "type":
			if v, ok := d.Str(); ok && kinds != nil {
				*kinds |= mediaKind(v)
			}
		default:
			d.Skip()
		}
	}
}

// link reads one form of a link; last is that of the link before.
func (d *decoder) link(last *string) {
	v, ok := d.Str()
	if !ok || v == *last {
		return
	}
	*last = v
	if strings.HasPrefix(strings.TrimPrefix(v, "https://"), "twitter.com/i/web/status/") {
		d.b.OwnURL(v)
	} else {
		d.b.URL(v)
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
