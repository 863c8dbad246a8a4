package objects

import "encoding/json"

// Status is a post of v1.1. Members that only the outermost post of a stream has
// are left out where they are empty.
type Status struct {
	Created       string       `json:"created_at"`
	ID            json.Number  `json:"id"`
	IDStr         string       `json:"id_str"`
	Text          string       `json:"text"`
	FullText      string       `json:"full_text,omitempty"`
	TextRange     []int        `json:"display_text_range,omitempty"`
	Source        string       `json:"source"`
	Truncated     bool         `json:"truncated"`
	ReplyTo       *json.Number `json:"in_reply_to_status_id"`
	ReplyToStr    *string      `json:"in_reply_to_status_id_str"`
	ReplyUser     *json.Number `json:"in_reply_to_user_id"`
	ReplyUserStr  *string      `json:"in_reply_to_user_id_str"`
	ReplyUserName *string      `json:"in_reply_to_screen_name"`
	User          User         `json:"user"`
	Geo           *Point       `json:"geo"`         // latitude first
	Coordinates   *Point       `json:"coordinates"` // longitude first
	Place         *Place       `json:"place"`
	Contributors  *int         `json:"contributors"`
	IsQuote       bool         `json:"is_quote_status"`
	Extended      *Extended    `json:"extended_tweet,omitempty"`
	Reposted      *Status      `json:"retweeted_status,omitempty"`
	QuotedID      *json.Number `json:"quoted_status_id,omitempty"`
	QuotedIDStr   *string      `json:"quoted_status_id_str,omitempty"`
	Quoted        *Status      `json:"quoted_status,omitempty"`
	Quotes        int64        `json:"quote_count"`
	Replies       int64        `json:"reply_count"`
	Reposts       int64        `json:"retweet_count"`
	Likes         int64        `json:"favorite_count"`
	Entities      Entities     `json:"entities"`
	More          *Entities    `json:"extended_entities,omitempty"`
	Favorited     bool         `json:"favorited"`
	Retweeted     bool         `json:"retweeted"`
	Sensitive     *bool        `json:"possibly_sensitive,omitempty"`
	WithheldIn    []string     `json:"withheld_in_countries,omitempty"`
	WithheldCopy  bool         `json:"withheld_copyright,omitempty"`
	WithheldScope string       `json:"withheld_scope,omitempty"`
	FilterLevel   string       `json:"filter_level,omitempty"`
	Lang          *string      `json:"lang"`
	Millis        string       `json:"timestamp_ms,omitempty"`
}

// Extended is the whole of a text that is cut in Status.Text.
type Extended struct {
	FullText string    `json:"full_text"`
	Range    []int     `json:"display_text_range,omitempty"`
	Entities Entities  `json:"entities"`
	More     *Entities `json:"extended_entities,omitempty"`
}

// Entities are what stands in a text. Lists of entities are there even if they are
// empty; extended_entities have no other list than media, and leave out the nil ones.
type Entities struct {
	Hashtags []Tag     `json:"hashtags,omitzero"`
	URLs     []URL     `json:"urls,omitzero"`
	Mentions []Mention `json:"user_mentions,omitzero"`
	Symbols  []Tag     `json:"symbols,omitzero"`
	Media    []Media   `json:"media,omitempty"`
}

// Tag is a hashtag or a symbol.
type Tag struct {
	Text    string `json:"text"`
	Indices [2]int `json:"indices"`
}

// URL is a link.
type URL struct {
	URL      string `json:"url"`
	Expanded string `json:"expanded_url"`
	Display  string `json:"display_url"`
	Indices  [2]int `json:"indices"`
}

// Mention is a user in a text.
type Mention struct {
	Username string      `json:"screen_name"`
	Name     string      `json:"name"`
	ID       json.Number `json:"id"`
	IDStr    string      `json:"id_str"`
	Indices  [2]int      `json:"indices"`
}

// Media is a picture or a film.
type Media struct {
	ID       json.Number     `json:"id"`
	IDStr    string          `json:"id_str"`
	Indices  [2]int          `json:"indices"`
	Plain    string          `json:"media_url"`
	Secure   string          `json:"media_url_https"`
	URL      string          `json:"url"`
	Display  string          `json:"display_url"`
	Expanded string          `json:"expanded_url"`
	Type     string          `json:"type"`
	Sizes    map[string]Size `json:"sizes,omitempty"`
	Video    *Video          `json:"video_info,omitempty"`
	Alt      string          `json:"ext_alt_text,omitempty"`
}

// Size is one of the sizes of a picture, in pixels.
type Size struct {
	W      int    `json:"w"`
	H      int    `json:"h"`
	Resize string `json:"resize"`
}

// Video is what a film has besides.
type Video struct {
	Aspect   []int     `json:"aspect_ratio,omitempty"`
	Duration int64     `json:"duration_millis,omitempty"`
	Variants []Variant `json:"variants"`
}

// Variant is one file of a film.
type Variant struct {
	Bitrate int64  `json:"bitrate,omitempty"`
	Type    string `json:"content_type"`
	URL     string `json:"url"`
}

// Point is a GeoJSON point. The order of its numbers is with the member that holds it.
type Point struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"`
}

// Place is a place with its box, four corners in one of two orders.
type Place struct {
	ID       string `json:"id"`
	URL      string `json:"url"`
	Type     string `json:"place_type"`
	Name     string `json:"name"`
	FullName string `json:"full_name"`
	Code     string `json:"country_code"`
	Country  string `json:"country"`
	Box      *Area  `json:"bounding_box"`

	Attributes struct{} `json:"attributes"`
}

// Area is a GeoJSON polygon, longitude first.
type Area struct {
	Type        string         `json:"type"`
	Coordinates [][][2]float64 `json:"coordinates"`
}

// User is a user of v1.1.
type User struct {
	ID          json.Number `json:"id"`
	IDStr       string      `json:"id_str"`
	Name        string      `json:"name"`
	Username    string      `json:"screen_name"`
	Location    *string     `json:"location"`
	URL         *string     `json:"url"`
	Description *string     `json:"description"`
	Protected   bool        `json:"protected"`
	Verified    bool        `json:"verified"`
	Followers   int64       `json:"followers_count"`
	Friends     int64       `json:"friends_count"`
	Listed      int64       `json:"listed_count"`
	Likes       int64       `json:"favourites_count"`
	Posts       int64       `json:"statuses_count"`
	Created     string      `json:"created_at,omitempty"` // clients cannot read a null
	Avatar      string      `json:"profile_image_url,omitempty"`
	AvatarHTTPS string      `json:"profile_image_url_https,omitempty"`
}
