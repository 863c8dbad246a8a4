package sim

import (
	"strings"
	"unicode/utf8"
)

// entities appends "entities" and, with media, "extended_entities".
func (w *writer) entities(t *text) {
	w.lit(`"entities":{"hashtags":[`)
	w.each(t, hashtag, func(e *entity) {
		w.lit(`{"text":`)
		w.str(e.value)
	})
	w.lit(`],"urls":[`)
	w.each(t, link, func(e *entity) {
		w.lit(`{"url":`)
		w.str(e.value)
		w.lit(`,"expanded_url":`)
		w.str(e.expanded)
		w.lit(`,"display_url":`)
		w.str(displayURL(e.expanded))
	})
	w.lit(`],"user_mentions":[`)
	w.each(t, mention, func(e *entity) {
		w.lit(`{"screen_name":`)
		w.str(e.user.screen)
		w.lit(`,"name":`)
		w.str(e.user.name)
		w.lit(`,`)
		w.id("id", e.user.id)
		w.b = w.b[:len(w.b)-1]
	})
	w.lit(`],"symbols":[`)
	w.each(t, cashtag, func(e *entity) {
		w.lit(`{"text":`)
		w.str(e.value)
	})
	w.lit(`]`)
	if !t.has(medium, medium) {
		w.lit(`}`)
		return
	}
	w.lit(`,"media":[`)
	w.media(t, true)
	w.lit(`]},"extended_entities":{"media":[`)
	w.media(t, false)
	w.lit(`]}`)
}

// each appends the entities of one kind: open writes the object but for its
// indices and end.
func (w *writer) each(t *text, kind entityKind, open func(*entity)) {
	first := true
	for i := range t.entities {
		e := &t.entities[i]
		if e.kind != kind {
			continue
		}
		if !first {
			w.lit(`,`)
		}
		first = false
		open(e)
		w.lit(`,`)
		w.span("indices", e.from, e.to)
		w.lit(`}`)
	}
}

func (t *text) has(a, b entityKind) bool {
	for i := range t.entities {
		if k := t.entities[i].kind; k == a || k == b {
			return true
		}
	}
	return false
}

// media appends the files of a text's medium: the first as a plain photo for
// "entities", all of them for "extended_entities".
func (w *writer) media(t *text, firstOnly bool) {
	for i := range t.entities {
		e := &t.entities[i]
		if e.kind != medium {
			continue
		}
		for n, f := range e.files {
			if n > 0 {
				if firstOnly {
					break
				}
				w.lit(`,`)
			}
			w.file(e, &f, firstOnly)
		}
	}
}

func (w *writer) file(e *entity, f *file, plain bool) {
	w.lit(`{`)
	w.id("id", f.id)
	w.span("indices", e.from, e.to)
	w.lit(`,"media_url":`)
	w.str("http" + strings.TrimPrefix(f.url, "https"))
	w.lit(`,"media_url_https":`)
	w.str(f.url)
	w.lit(`,"url":`)
	w.str(e.value)
	w.lit(`,"display_url":`)
	w.str("pic.twitter.com/" + e.value[strings.LastIndexByte(e.value, '/')+1:])
	w.lit(`,"expanded_url":`)
	w.str(e.expanded)
	kind := f.kind
	if plain {
		kind = "photo"
	}
	w.lit(`,"type":"` + kind + `","sizes":{"thumb":{"w":150,"h":150,"resize":"crop"},"small":{"w":680,"h":454,"resize":"fit"},"medium":{"w":1200,"h":800,"resize":"fit"},"large":{"w":2048,"h":1366,"resize":"fit"}}`)
	if !plain && kind != "photo" {
		w.lit(`,"video_info":{"aspect_ratio":[3,2],"duration_millis":14000,"variants":[{"bitrate":832000,"content_type":"video/mp4","url":`)
		w.str(strings.TrimSuffix(f.url, ".jpg") + ".mp4")
		w.lit(`}]}`)
	}
	if f.alt != "" {
		w.lit(`,"ext_alt_text":`)
		w.str(f.alt)
	}
	w.lit(`}`)
}

// displayURL is a link as people see it: no scheme, no www., cut.
func displayURL(url string) string {
	_, s, _ := strings.Cut(url, "://")
	s = strings.TrimPrefix(s, "www.")
	const enough = 26
	if utf8.RuneCountInString(s) > enough {
		s = string([]rune(s)[:enough]) + "…"
	}
	return s
}

// place appends a place; its box has four points, not closed, that go round
// one way or the other.
func (w *writer) place(p *place, clockwise bool) {
	w.lit(`"place":{"id":"` + p.id + `","url":`)
	w.str("https://api.twitter.com/1.1/geo/id/" + p.id + ".json")
	w.lit(`,"place_type":"` + p.kind + `","name":`)
	w.str(p.name)
	w.lit(`,"full_name":`)
	w.str(p.full)
	w.lit(`,"country_code":"` + p.code + `","country":`)
	w.str(p.country)
	w.lit(`,"bounding_box":{"type":"Polygon","coordinates":[[`)
	west, south, east, north := p.box[0], p.box[1], p.box[2], p.box[3]
	points := [4][2]float64{{west, south}, {east, south}, {east, north}, {west, north}}
	if clockwise {
		points[1], points[3] = points[3], points[1]
	}
	for i, pt := range points {
		if i > 0 {
			w.lit(`,`)
		}
		w.lit(`[`)
		w.float(pt[0])
		w.lit(`,`)
		w.float(pt[1])
		w.lit(`]`)
	}
	w.lit(`]]},"attributes":{}},`)
}

// user appends a user, whose JSON is made once in each form.
func (w *writer) user(u *user) {
	form := 0
	if w.ascii {
		form = 1
	}
	if u.json[form] == nil {
		one := writer{ascii: w.ascii}
		one.profile(u)
		u.json[form] = one.b
	}
	w.b = append(w.b, u.json[form]...)
}

func (w *writer) profile(u *user) {
	w.lit(`{`)
	w.id("id", u.id)
	w.lit(`"name":`)
	w.str(u.name)
	w.lit(`,"screen_name":"` + u.screen + `","location":`)
	w.optional(u.location)
	w.lit(`,"url":`)
	w.optional(u.site)
	w.lit(`,"description":`)
	w.optional(u.bio)
	w.lit(`,"translator_type":"none","protected":false,"verified":`)
	w.bool(u.verified)
	for _, c := range []struct {
		key string
		n   uint64
	}{{"followers", u.followers}, {"friends", u.followers/3 + 40}, {"listed", u.followers / 90}, {"favourites", u.id % 9000}, {"statuses", u.id%30000 + 100}} {
		w.lit(`,"` + c.key + `_count":`)
		w.num(c.n)
	}
	w.lit(`,"created_at":`)
	w.created(u.since)
	w.lit(`,"utc_offset":null,"time_zone":null,"geo_enabled":true,"lang":null,"contributors_enabled":false,"is_translator":false,"profile_background_color":"F5F8FA","profile_link_color":"1DA1F2","profile_use_background_image":true,"profile_image_url":`)
	w.str("http" + strings.TrimPrefix(u.avatar, "https"))
	w.lit(`,"profile_image_url_https":`)
	w.str(u.avatar)
	w.lit(`,"default_profile":true,"default_profile_image":false,"following":null,"follow_request_sent":null,"notifications":null}`)
}

func (w *writer) optional(s string) {
	if s == "" {
		w.lit(`null`)
		return
	}
	w.str(s)
}
