package sim

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// status is a post as a consumer reads it.
type status struct {
	ID               uint64          `json:"id"`
	IDStr            string          `json:"id_str"`
	CreatedAt        string          `json:"created_at"`
	Timestamp        string          `json:"timestamp_ms"`
	Text             string          `json:"text"`
	Truncated        bool            `json:"truncated"`
	Range            []int           `json:"display_text_range"`
	Source           string          `json:"source"`
	Lang             string          `json:"lang"`
	Level            string          `json:"filter_level"`
	User             account         `json:"user"`
	ReplyTo          string          `json:"in_reply_to_status_id_str"`
	ReplyUser        string          `json:"in_reply_to_user_id_str"`
	ReplyName        string          `json:"in_reply_to_screen_name"`
	Entities         entities        `json:"entities"`
	ExtendedEntities *entities       `json:"extended_entities"`
	Extended         *extended       `json:"extended_tweet"`
	Retweeted        *status         `json:"retweeted_status"`
	Quoted           *status         `json:"quoted_status"`
	QuotedID         string          `json:"quoted_status_id_str"`
	Permalink        *permalink      `json:"quoted_status_permalink"`
	IsQuote          bool            `json:"is_quote_status"`
	Coordinates      *point          `json:"coordinates"`
	Geo              *point          `json:"geo"`
	Place            *placed         `json:"place"`
	Sensitive        *bool           `json:"possibly_sensitive"`
	Withheld         []string        `json:"withheld_in_countries"`
	Contributors     json.RawMessage `json:"contributors"`
}

type account struct {
	ID     uint64 `json:"id"`
	IDStr  string `json:"id_str"`
	Name   string `json:"name"`
	Screen string `json:"screen_name"`
	Avatar string `json:"profile_image_url_https"`
	Verify bool   `json:"verified"`
	Bio    string `json:"description"`
	Where  string `json:"location"`
	Counts
}

// Counts are how known an account is.
type Counts struct {
	Followers int `json:"followers_count"`
	Following int `json:"friends_count"`
	Posts     int `json:"statuses_count"`
	Listed    int `json:"listed_count"`
}

type extended struct {
	FullText         string    `json:"full_text"`
	Range            []int     `json:"display_text_range"`
	Entities         entities  `json:"entities"`
	ExtendedEntities *entities `json:"extended_entities"`
}

type entities struct {
	Hashtags []mark `json:"hashtags"`
	URLs     []mark `json:"urls"`
	Mentions []mark `json:"user_mentions"`
	Symbols  []mark `json:"symbols"`
	Media    []mark `json:"media"`
}

type mark struct {
	Text     string `json:"text"`
	URL      string `json:"url"`
	Expanded string `json:"expanded_url"`
	Display  string `json:"display_url"`
	Screen   string `json:"screen_name"`
	MediaURL string `json:"media_url_https"`
	Alt      string `json:"ext_alt_text"`
	Type     string `json:"type"`
	Indices  []int  `json:"indices"`
}

type permalink struct{ URL, Expanded, Display string }

type point struct {
	Type        string
	Coordinates []float64
}

type placed struct {
	ID      string
	Name    string
	Full    string                              `json:"full_name"`
	Country string                              `json:"country_code"`
	Box     struct{ Coordinates [][][]float64 } `json:"bounding_box"`
}

func decode(t *testing.T, raw []byte) status {
	t.Helper()
	var s status
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return s
}

// checkStatus checks what any post must fulfil, and the posts inside it.
func checkStatus(t *testing.T, s *status) {
	t.Helper()
	if strconv.FormatUint(s.ID, 10) != s.IDStr || strconv.FormatUint(s.User.ID, 10) != s.User.IDStr {
		t.Errorf("id %d %s, user %d %s", s.ID, s.IDStr, s.User.ID, s.User.IDStr)
	}
	at, err := time.Parse("Mon Jan 02 15:04:05 -0700 2006", s.CreatedAt)
	if err != nil || at.Year() > 2010 && at.Unix() != int64(s.ID>>22+1288834974657)/1000 {
		t.Errorf("created_at %q (%v) does not fit the id", s.CreatedAt, err)
	}
	if n := utf8.RuneCountInString(s.Text); n == 0 || n > classicRunes {
		t.Errorf("text of %d code points", n)
	}
	if s.Level != "none" && s.Level != "low" && s.Level != "medium" || s.Lang == "" || !strings.HasPrefix(s.Source, "<a href=") {
		t.Errorf("level %q, lang %q, source %q", s.Level, s.Lang, s.Source)
	}
	if s.Truncated != (s.Extended != nil) || s.IsQuote != (s.QuotedID != "") {
		t.Error("truncated or is_quote_status does not fit")
	}
	checkText(t, s.Text, s.Range, &s.Entities, s.ExtendedEntities)
	if e := s.Extended; e != nil {
		if utf8.RuneCountInString(e.FullText) <= classicRunes {
			t.Error("extended for no reason")
		}
		checkText(t, e.FullText, e.Range, &e.Entities, e.ExtendedEntities)
	}
	checkGeo(t, s)
	if r := s.Retweeted; r != nil {
		if !strings.HasPrefix(s.Text, "RT @"+r.User.Screen+": ") || r.Retweeted != nil || r.Timestamp != "" || s.Place != nil {
			t.Error("not a native retweet")
		}
		checkStatus(t, r)
	}
	if q := s.Quoted; q != nil {
		if s.QuotedID != q.IDStr || s.Permalink == nil || !strings.HasSuffix(s.Permalink.Expanded, "/status/"+q.IDStr) || q.Quoted != nil {
			t.Error("quote and permalink don't fit")
		}
		checkStatus(t, q)
	}
}

// checkText checks that indices are code points of the escaped text.
func checkText(t *testing.T, text string, shown []int, e, ext *entities) {
	t.Helper()
	runes := []rune(text)
	at := func(m mark) string {
		if len(m.Indices) != 2 || m.Indices[0] < 0 || m.Indices[1] > len(runes) || m.Indices[0] >= m.Indices[1] {
			t.Errorf("indices %v in %d code points", m.Indices, len(runes))
			return ""
		}
		return string(runes[m.Indices[0]:m.Indices[1]])
	}
	for _, m := range e.Hashtags {
		if got := at(m); got != "#"+m.Text {
			t.Errorf("hashtag %q at %q", m.Text, got)
		}
	}
	for _, m := range e.Symbols {
		if got := at(m); got != "$"+m.Text {
			t.Errorf("cashtag %q at %q", m.Text, got)
		}
	}
	for _, m := range e.Mentions {
		if got := at(m); got != "@"+m.Screen {
			t.Errorf("mention %q at %q", m.Screen, got)
		}
	}
	links := append(e.URLs[:len(e.URLs):len(e.URLs)], e.Media...)
	if ext != nil {
		links = append(links, ext.Media...)
	}
	for _, m := range links {
		if got := at(m); got != m.URL || len(got) != 23 || !strings.HasPrefix(m.Expanded, "http") || strings.HasPrefix(m.Display, "www.") || m.Display == "" {
			t.Errorf("link %+v at %q", m, got)
		}
	}
	if (ext != nil) != (len(e.Media) > 0) || len(e.Media) > 1 {
		t.Error("media in only one place, or several in entities")
	}
	if shown != nil && (len(shown) != 2 || shown[0] > shown[1] || shown[1] > len(runes)) {
		t.Errorf("display_text_range %v of %d", shown, len(runes))
	}
	for rest := text; ; {
		i := strings.IndexAny(rest, "&<>")
		if i < 0 {
			break
		}
		if !strings.HasPrefix(rest[i:], "&amp;") && !strings.HasPrefix(rest[i:], "&lt;") && !strings.HasPrefix(rest[i:], "&gt;") {
			t.Errorf("not escaped: %q", text)
		}
		rest = rest[i+1:]
	}
}

func checkGeo(t *testing.T, s *status) {
	t.Helper()
	if (s.Coordinates == nil) != (s.Geo == nil) {
		t.Error("coordinates without geo, or the other way round")
	}
	if c := s.Coordinates; c != nil && (c.Coordinates[0] != s.Geo.Coordinates[1] || c.Coordinates[1] != s.Geo.Coordinates[0]) {
		t.Error("geo is not latitude first")
	}
	if s.Place != nil && (len(s.Place.Box.Coordinates) != 1 || len(s.Place.Box.Coordinates[0]) != 4) {
		t.Error("a bounding box has four points")
	}
}

func tally(s *status, raw []byte, count map[string]int) {
	whole := s.Text
	e, media := &s.Entities, s.ExtendedEntities
	if s.Extended != nil {
		whole, e, media = s.Extended.FullText, &s.Extended.Entities, s.Extended.ExtendedEntities
	}
	alt := false
	if media != nil {
		for _, m := range media.Media {
			alt = alt || m.Alt != ""
		}
		count[media.Media[0].Type]++
	}
	count["by "+s.Source]++
	if p := s.Place; p != nil && p.ID != "" && p.Full != "" && len(p.Country) == 2 {
		count["place with names and country"]++
	}
	for what, is := range map[string]bool{
		"retweet": s.Retweeted != nil, "retweet of an extended": s.Retweeted != nil && s.Retweeted.Extended != nil,
		"quote": s.Quoted != nil, "reply": s.ReplyTo != "", "extended": s.Extended != nil,
		"hashtag": len(e.Hashtags) > 0, "mention": len(e.Mentions) > 0, "cashtag": len(e.Symbols) > 0, "link": len(e.URLs) > 0,
		"media": media != nil, "alt": alt, "place": s.Place != nil, "point": s.Coordinates != nil,
		"sensitive": s.Sensitive != nil && *s.Sensitive, "withheld": len(s.Withheld) > 0, "verified": s.User.Verify,
		"bio": s.User.Bio != "", "location": s.User.Where != "", "known": s.User.Followers > 1000, "little known": s.User.Followers < 100,
		"following, posts": s.User.Following > 0 && s.User.Posts > 0, "listed": s.User.Listed > 0, "reply with a name": s.ReplyTo != "" && s.ReplyName != "",
		"escaped as ASCII":   bytes.Contains(raw, []byte(`https:\/\/`)),
		"&amp; &lt; &gt;":    strings.Contains(whole, "&amp;") || strings.Contains(whole, "&lt;") || strings.Contains(whole, "&gt;"),
		"emoji with ZWJ":     strings.Contains(whole, "\u200d"),
		"newline":            strings.Contains(whole, "\n"),
		"Latin beyond ASCII": strings.ContainsFunc(whole, func(r rune) bool { return r > 127 && unicode.Is(unicode.Latin, r) }),
	} {
		if is {
			count[what]++
		}
	}
	for _, script := range []string{"Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Thai", "Hiragana", "Hangul", "Han"} {
		if strings.ContainsFunc(whole, func(r rune) bool { return unicode.Is(unicode.Scripts[script], r) }) {
			count[script]++
		}
	}
}
