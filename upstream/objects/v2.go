package objects

// Envelope is a post of API v2 and what it refers to.
type Envelope struct {
	Data     Tweet     `json:"data"`
	Includes *Includes `json:"includes,omitempty"`
}

// Includes are the objects that posts refer to, each once.
type Includes struct {
	Users  []UserV2  `json:"users,omitempty"`
	Tweets []Tweet   `json:"tweets,omitempty"`
	Media  []MediaV2 `json:"media,omitempty"`
	Places []PlaceV2 `json:"places,omitempty"`
}

// Tweet is a post of API v2.
type Tweet struct {
	ID           string      `json:"id"`
	EditHistory  []string    `json:"edit_history_tweet_ids"`
	Text         string      `json:"text"`
	Author       string      `json:"author_id,omitempty"`
	Created      string      `json:"created_at,omitempty"`
	Lang         string      `json:"lang,omitempty"`
	Source       string      `json:"source,omitempty"`
	Sensitive    bool        `json:"possibly_sensitive"`
	Conversation string      `json:"conversation_id,omitempty"`
	ReplyUser    string      `json:"in_reply_to_user_id,omitempty"`
	Refs         []Ref       `json:"referenced_tweets,omitempty"`
	Geo          *GeoV2      `json:"geo,omitempty"`
	Entities     *EntitiesV2 `json:"entities,omitempty"`
	Attachments  *Attached   `json:"attachments,omitempty"`
	Note         *Note       `json:"note_tweet,omitempty"`
	Withheld     *Withheld   `json:"withheld,omitempty"`
	Metrics      *Metrics    `json:"public_metrics,omitempty"`
}

// Ref is a post that another one refers to: retweeted, quoted or replied_to.
type Ref struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// GeoV2 is where a post is; the point is longitude first.
type GeoV2 struct {
	Place       string `json:"place_id,omitempty"`
	Coordinates *Point `json:"coordinates,omitempty"`
}

// Attached are the keys of what hangs on a post.
type Attached struct {
	Media []string `json:"media_keys,omitempty"`
}

// Note is the whole of a text that is too long for Tweet.Text.
type Note struct {
	Text     string      `json:"text"`
	Entities *EntitiesV2 `json:"entities,omitempty"`
}

// Withheld says where a post is not shown.
type Withheld struct {
	Copyright bool     `json:"copyright"`
	Countries []string `json:"country_codes"`
	Scope     string   `json:"scope,omitempty"`
}

// Metrics are the counts of a post.
type Metrics struct {
	Reposts int64 `json:"retweet_count"`
	Replies int64 `json:"reply_count"`
	Likes   int64 `json:"like_count"`
	Quotes  int64 `json:"quote_count"`
}

// EntitiesV2 are what stands in a text. Media stand among the links.
type EntitiesV2 struct {
	Hashtags []TagV2     `json:"hashtags,omitempty"`
	Cashtags []TagV2     `json:"cashtags,omitempty"`
	Mentions []MentionV2 `json:"mentions,omitempty"`
	URLs     []URLV2     `json:"urls,omitempty"`
}

// TagV2 is a hashtag or a cashtag, from Start up to End.
type TagV2 struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Tag   string `json:"tag"`
}

// MentionV2 is a user in a text.
type MentionV2 struct {
	Start    int    `json:"start"`
	End      int    `json:"end"`
	Username string `json:"username"`
	ID       string `json:"id,omitempty"`
}

// URLV2 is a link; with a key it stands for an attached medium.
type URLV2 struct {
	Start    int    `json:"start"`
	End      int    `json:"end"`
	URL      string `json:"url"`
	Expanded string `json:"expanded_url,omitempty"`
	Display  string `json:"display_url,omitempty"`
	MediaKey string `json:"media_key,omitempty"`
}

// UserV2 is a user of API v2. Of one that v1.1 only mentions the first three are known.
type UserV2 struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Username    string       `json:"username"`
	Created     string       `json:"created_at,omitempty"`
	Description *string      `json:"description,omitempty"`
	Location    string       `json:"location,omitempty"`
	URL         string       `json:"url,omitempty"`
	Avatar      string       `json:"profile_image_url,omitempty"`
	Protected   *bool        `json:"protected,omitempty"`
	Verified    *bool        `json:"verified,omitempty"`
	Metrics     *UserMetrics `json:"public_metrics,omitempty"`
}

// UserMetrics are the counts of a user.
type UserMetrics struct {
	Followers int64  `json:"followers_count"`
	Following int64  `json:"following_count"`
	Posts     int64  `json:"tweet_count"`
	Listed    int64  `json:"listed_count"`
	Likes     *int64 `json:"like_count,omitempty"`
}

// MediaV2 is a picture or a film.
type MediaV2 struct {
	Key      string      `json:"media_key"`
	Type     string      `json:"type"`
	URL      string      `json:"url,omitempty"`               // of a photo
	Preview  string      `json:"preview_image_url,omitempty"` // of anything else
	Width    int         `json:"width,omitempty"`
	Height   int         `json:"height,omitempty"`
	Duration int64       `json:"duration_ms,omitempty"`
	Alt      string      `json:"alt_text,omitempty"`
	Variants []VariantV2 `json:"variants,omitempty"`
}

// VariantV2 is one file of a film.
type VariantV2 struct {
	Bitrate int64  `json:"bit_rate,omitempty"`
	Type    string `json:"content_type"`
	URL     string `json:"url"`
}

// PlaceV2 is a place with its box: west, south, east, north.
type PlaceV2 struct {
	ID       string    `json:"id"`
	FullName string    `json:"full_name"`
	Name     string    `json:"name,omitempty"`
	Country  string    `json:"country,omitempty"`
	Code     string    `json:"country_code,omitempty"`
	Type     string    `json:"place_type,omitempty"`
	Geo      *PlaceGeo `json:"geo,omitempty"`
}

// PlaceGeo is a GeoJSON feature without more than its box.
type PlaceGeo struct {
	Type       string    `json:"type"`
	Box        []float64 `json:"bbox"`
	Properties struct{}  `json:"properties"`
}
