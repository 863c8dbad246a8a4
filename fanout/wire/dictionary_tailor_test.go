package wire_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// tailor dresses simulated posts as the real service: its hosts, its clients,
// the profiles that the simulator leaves out. What stands in them is chance.
type tailor struct{ *rand.Rand }

func (t tailor) one(of ...string) string { return of[t.IntN(len(of))] }
func (t tailor) chance(percent int) bool { return t.IntN(100) < percent }

// word is n characters that nobody can foresee.
func (t tailor) word(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
	b := make([]byte, n)
	for i := range b {
		b[i] = letters[t.IntN(len(letters))]
	}
	return string(b)
}

func (t tailor) number(digits int) json.Number {
	b := []byte{byte('1' + t.IntN(9))}
	for range digits - 1 {
		b = append(b, byte('0'+t.IntN(10)))
	}
	return json.Number(b)
}

// post is p as it was streamed, before 2018 or after.
func (t tailor) post(p object) object { return t.postOf(p, t.chance(50)) }

func (t tailor) postOf(p object, classic bool) object {
	p = inside(p, func(inner object) object { return t.postOf(inner, classic) })
	for i, m := range p {
		switch m.key {
		case "source":
			p = p.with("source", t.client())
		case "user":
			p = p.with("user", t.user(m.value.(object), classic))
		case "entities", "extended_entities", "extended_tweet":
			p[i].value = t.media(m.value)
		case "retweet_count", "favorite_count":
			if p.get("timestamp_ms") == nil { // it lies inside another
				p = p.with(m.key, t.number(1+t.IntN(5)))
			}
		}
	}
	if classic {
		p = p.without("quote_count", "reply_count", "quoted_status_permalink")
	}
	return p
}

// client is the source of a post.
func (t tailor) client() string {
	from := func(url, name string) string { return `<a href="` + url + `" rel="nofollow">` + name + `</a>` }
	switch n := t.IntN(100); {
	case n < 35:
		return from("http://twitter.com/download/iphone", "Twitter for iPhone")
	case n < 62:
		return from("http://twitter.com/download/android", "Twitter for Android")
	case n < 75:
		return from("http://twitter.com", "Twitter Web Client")
	case n < 85:
		return from("https://mobile.twitter.com", "Twitter Web App")
	case n < 88:
		return from("http://twitter.com/#!/download/ipad", "Twitter for iPad")
	case n < 91:
		return from("https://mobile.twitter.com", "Twitter Lite")
	case n < 94:
		return from("https://about.twitter.com/products/tweetdeck", "TweetDeck")
	}
	return from(t.one("http://", "https://", "http://www.")+t.word(8)+".com", t.word(9))
}

// user is u with the profile that was shown.
func (t tailor) user(u object, classic bool) object {
	id := t.number([]int{8, 9, 9, 10, 10, 18, 18, 18, 19}[t.IntN(9)])
	u = u.with("id", id).with("id_str", id.String())
	for i, key := range []string{"friends_count", "followers_count", "listed_count", "favourites_count", "statuses_count"} {
		u = u.with(key, t.number(1+t.IntN([]int{4, 5, 3, 5, 6}[i])))
	}
	u = u.with("verified", t.chance(8)).with("geo_enabled", t.chance(50))
	if t.chance(30) {
		u = u.with("url", "http://www."+t.word(9)+".com")
	}
	if classic {
		u = u.without("translator_type").with("lang", t.one("en", "en", "en", "es", "pt", "ja", "fr", "ar"))
		if t.chance(45) {
			zone := t.one("-25200 Pacific Time (US & Canada)", "-14400 Eastern Time (US & Canada)", "-18000 Central Time (US & Canada)",
				"3600 London", "7200 Amsterdam", "-10800 Brasilia", "32400 Tokyo", "-10800 Atlantic Time (Canada)", "-18000 Quito")
			offset, name, _ := strings.Cut(zone, " ")
			u = u.with("utc_offset", json.Number(offset)).with("time_zone", name)
		}
	}
	u = t.theme(u)
	image := "pbs.twimg.com/profile_images/" + t.number(18).String() + "/" + t.word(8) + "_normal.jpg"
	u = u.with("profile_image_url", "http://"+image).with("profile_image_url_https", "https://"+image)
	if t.chance(80) {
		u = u.with("profile_banner_url", "https://pbs.twimg.com/profile_banners/"+id.String()+"/"+t.number(10).String())
	}
	return u.pick(streamUser)
}

// theme gives a profile its colours: of a new account, of an old one, or chosen ones.
func (t tailor) theme(u object) object {
	colours, picture, tile := strings.Fields("F5F8FA 1DA1F2 C0DEED DDEEF6 333333"), "", false
	const first = "https://abs.twimg.com/images/themes/theme1/bg.png"
	switch n := t.IntN(100); {
	case n < 30:
		colours[0], picture = "C0DEED", first
	case n < 65:
		link := t.one("1DA1F2", "19CF86", "E81C4F", "1B95E0", "ABB8C2", "7FDBB6", "981CEB")
		colours, picture = []string{"000000", link, "000000", "000000", "000000"}, first
		u = u.with("profile_use_background_image", false)
	case n < 75:
		colours = []string{t.number(6).String(), t.number(6).String(), "FFFFFF", t.one("EFEFEF", "DDEEF6", "FFFFFF"), "333333"}
		picture, tile = fmt.Sprintf("https://abs.twimg.com/images/themes/theme%d/bg.%s", 1+t.IntN(19), t.one("png", "gif")), true
	}
	for i, key := range []string{"profile_background_color", "profile_link_color", "profile_sidebar_border_color", "profile_sidebar_fill_color", "profile_text_color"} {
		u = u.with(key, colours[i])
	}
	return u.with("profile_background_tile", tile).with("profile_background_image_url_https", picture).
		with("profile_background_image_url", strings.Replace(picture, "https", "http", 1)).
		with("default_profile", colours[0] != "000000" && !tile)
}

// media puts pictures and films where the service kept them.
func (t tailor) media(v any) any {
	o, is := v.(object)
	if !is {
		return eachIn(v, t.media)
	}
	if o.get("media_url") != nil {
		picture := "pbs.twimg.com/media/" + t.word(15) + ".jpg"
		o = o.with("media_url", "http://"+picture).with("media_url_https", "https://"+picture)
	}
	if o.get("variants") != nil {
		film := "https://video.twimg.com/ext_tw_video/" + t.number(18).String() + "/pu/vid/" + t.one("640x360", "320x180", "1280x720") + "/" + t.word(16)
		o = o.with("variants", []any{
			object{{"bitrate", json.Number("832000")}, {"content_type", "video/mp4"}, {"url", film + ".mp4"}},
			object{{"content_type", "application/x-mpegURL"}, {"url", film + ".m3u8"}},
		})
	}
	return eachIn(o, t.media)
}

// eachIn is v with each value in it changed, if it has any.
func eachIn(v any, change func(any) any) any {
	switch v := v.(type) {
	case object:
		v = slices.Clone(v)
		for i := range v {
			v[i].value = change(v[i].value)
		}
		return v
	case []any:
		v = slices.Clone(v)
		for i := range v {
			v[i] = change(v[i])
		}
		return v
	}
	return v
}
