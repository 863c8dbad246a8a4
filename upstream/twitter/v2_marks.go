package twitter

import (
	"cmp"
	"slices"

	"aviary/upstream/objects"
)

// marks makes the entities of a text, and adds the media that stand in it.
func (c *envelope) marks(in *objects.Entities, media []objects.Media, t *objects.Tweet) *objects.EntitiesV2 {
	to := &objects.EntitiesV2{}
	for _, h := range in.Hashtags {
		to.Hashtags = append(to.Hashtags, objects.TagV2{Start: h.Indices[0], End: h.Indices[1], Tag: h.Text})
	}
	for _, h := range in.Symbols {
		to.Cashtags = append(to.Cashtags, objects.TagV2{Start: h.Indices[0], End: h.Indices[1], Tag: h.Text})
	}
	for _, m := range in.Mentions {
		id := objects.Best(m.IDStr, m.ID)
		to.Mentions = append(to.Mentions, objects.MentionV2{Start: m.Indices[0], End: m.Indices[1], Username: m.Username, ID: id})
		if id != "" {
			c.known = append([]objects.UserV2{{ID: id, Name: m.Name, Username: m.Username}}, c.known...)
		}
	}
	for _, u := range in.URLs {
		to.URLs = append(to.URLs, objects.URLV2{Start: u.Indices[0], End: u.Indices[1], URL: u.URL, Expanded: u.Expanded, Display: u.Display})
	}
	for i := range media {
		m := &media[i]
		key := mediaKey(m)
		if key == "" {
			continue
		}
		to.URLs = append(to.URLs, objects.URLV2{Start: m.Indices[0], End: m.Indices[1], URL: m.URL, Expanded: m.Expanded, Display: m.Display, MediaKey: key})
		if t.Attachments == nil {
			t.Attachments = &objects.Attached{}
		}
		t.Attachments.Media = append(t.Attachments.Media, key)
		if !slices.ContainsFunc(c.in.Media, func(o objects.MediaV2) bool { return o.Key == key }) {
			c.in.Media = append(c.in.Media, medium(m, key))
		}
	}
	slices.SortStableFunc(to.URLs, func(a, b objects.URLV2) int { return cmp.Compare(a.Start, b.Start) })
	if len(to.Hashtags)+len(to.Cashtags)+len(to.Mentions)+len(to.URLs) == 0 {
		return nil
	}
	return to
}

// kinds of media begin their keys with a number.
var kindNumber = map[string]string{"photo": "3", "video": "7", "animated_gif": "16"}

func mediaKey(m *objects.Media) string {
	id := objects.Best(m.IDStr, m.ID)
	if id == "" {
		return ""
	}
	return cmp.Or(kindNumber[m.Type], "3") + "_" + id
}

func medium(m *objects.Media, key string) objects.MediaV2 {
	to := objects.MediaV2{Key: key, Type: m.Type, Alt: m.Alt, Width: m.Sizes["large"].W, Height: m.Sizes["large"].H}
	if m.Type == "photo" || m.Video == nil {
		to.URL = m.Secure
		return to
	}
	to.Preview, to.Duration = m.Secure, m.Video.Duration
	for _, v := range m.Video.Variants {
		to.Variants = append(to.Variants, objects.VariantV2(v))
	}
	return to
}

// cutMarks keeps the entities that lie within room code points, and makes the room
// smaller where one would be cut.
func cutMarks(all *objects.EntitiesV2, room *int) *objects.EntitiesV2 {
	if all == nil {
		return nil
	}
	spans := [][2]int{}
	for _, t := range slices.Concat(all.Hashtags, all.Cashtags) {
		spans = append(spans, [2]int{t.Start, t.End})
	}
	for _, m := range all.Mentions {
		spans = append(spans, [2]int{m.Start, m.End})
	}
	for _, u := range all.URLs {
		spans = append(spans, [2]int{u.Start, u.End})
	}
	for _, s := range spans {
		if s[0] < *room && s[1] > *room {
			*room = max(s[0], 0)
		}
	}
	in := func(end int) bool { return end <= *room }
	to := &objects.EntitiesV2{}
	to.Hashtags = filtered(all.Hashtags, func(t objects.TagV2) bool { return in(t.End) })
	to.Cashtags = filtered(all.Cashtags, func(t objects.TagV2) bool { return in(t.End) })
	to.Mentions = filtered(all.Mentions, func(m objects.MentionV2) bool { return in(m.End) })
	to.URLs = filtered(all.URLs, func(u objects.URLV2) bool { return in(u.End) })
	if len(to.Hashtags)+len(to.Cashtags)+len(to.Mentions)+len(to.URLs) == 0 {
		return nil
	}
	return to
}

func filtered[T any](list []T, keep func(T) bool) (out []T) {
	for _, v := range list {
		if keep(v) {
			out = append(out, v)
		}
	}
	return out
}
