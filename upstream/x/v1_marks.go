package x

import (
	"slices"
	"strings"

	"aviary/upstream/objects"
)

// words makes the entities of a status, in v1.1's lists, which are never null.
func (c statuses) words(s *objects.Status, in *objects.EntitiesV2, t *objects.Tweet) {
	s.Entities = objects.Entities{Hashtags: []objects.Tag{}, URLs: []objects.URL{}, Mentions: []objects.Mention{}, Symbols: []objects.Tag{}}
	if in == nil {
		in = &objects.EntitiesV2{}
	}
	for _, h := range in.Hashtags {
		s.Entities.Hashtags = append(s.Entities.Hashtags, objects.Tag{Text: h.Tag, Indices: [2]int{h.Start, h.End}})
	}
	for _, h := range in.Cashtags {
		s.Entities.Symbols = append(s.Entities.Symbols, objects.Tag{Text: h.Tag, Indices: [2]int{h.Start, h.End}})
	}
	for _, m := range in.Mentions {
		to := objects.Mention{Username: m.Username, Name: m.Username, ID: objects.Number(m.ID), IDStr: objects.Best(m.ID, ""), Indices: [2]int{m.Start, m.End}}
		if u := c.find(m.ID); u != nil {
			to.Name = u.Name
		}
		s.Entities.Mentions = append(s.Entities.Mentions, to)
	}
	keys := []string{}
	if t.Attachments != nil {
		keys = t.Attachments.Media
	}
	var at objects.URLV2 // the link that stands for the media
	for _, u := range in.URLs {
		if u.MediaKey == "" && !strings.HasPrefix(u.Display, "pic.twitter.com/") && !strings.HasPrefix(u.Display, "pic.x.com/") {
			s.Entities.URLs = append(s.Entities.URLs, objects.URL{URL: u.URL, Expanded: u.Expanded, Display: u.Display, Indices: [2]int{u.Start, u.End}})
			continue
		}
		at = u
		if u.MediaKey != "" && !slices.Contains(keys, u.MediaKey) {
			keys = append(slices.Clip(keys), u.MediaKey)
		}
	}
	for _, key := range keys {
		c.medium(s, key, at)
	}
}

// medium adds a medium: the first one as a photo to the entities, all of them to
// the extended ones.
func (c statuses) medium(s *objects.Status, key string, at objects.URLV2) {
	i := slices.IndexFunc(c.in.Media, func(m objects.MediaV2) bool { return m.Key == key })
	if i < 0 {
		return
	}
	m := &c.in.Media[i]
	_, id, _ := strings.Cut(key, "_")
	picture := m.URL
	if m.Type != "photo" && m.Preview != "" {
		picture = m.Preview
	}
	to := objects.Media{
		ID: objects.Number(id), IDStr: objects.Best(id, ""), Indices: [2]int{at.Start, at.End},
		Plain: strings.Replace(picture, "https:", "http:", 1), Secure: picture,
		URL: at.URL, Display: at.Display, Expanded: at.Expanded, Type: m.Type, Alt: m.Alt,
	}
	if m.Width > 0 && m.Height > 0 {
		to.Sizes = map[string]objects.Size{"large": {W: m.Width, H: m.Height, Resize: "fit"}}
	}
	if len(m.Variants) > 0 {
		to.Video = &objects.Video{Duration: m.Duration}
		for _, v := range m.Variants {
			to.Video.Variants = append(to.Video.Variants, objects.Variant(v))
		}
	}
	if s.More == nil {
		s.More = &objects.Entities{}
		plain := to
		plain.Type, plain.Video = "photo", nil
		s.Entities.Media = []objects.Media{plain}
	}
	s.More.Media = append(s.More.Media, to)
}
