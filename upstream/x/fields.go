package x

import (
	"net/url"
	"strconv"
	"strings"
)

// wanted are the fields and expansions of every request for posts: all that the
// filters and the compact form look at, that v1.1 has a member for, and that clients
// of the gateway's own v2 routes may ask for without another charge. The users that a
// post mentions are not asked for: their ids and names stand in its entities.
var wanted = map[string][]string{
	"tweet.fields": {
		"id", "text", "author_id", "created_at", "lang", "conversation_id", "in_reply_to_user_id", "referenced_tweets",
		"entities", "attachments", "geo", "note_tweet", "possibly_sensitive", "withheld", "source", "public_metrics",
		"edit_history_tweet_ids", "reply_settings",
	},
	"expansions": {
		"author_id", "in_reply_to_user_id", "referenced_tweets.id", "referenced_tweets.id.author_id",
		"referenced_tweets.id.attachments.media_keys", "attachments.media_keys", "attachments.poll_ids", "geo.place_id",
	},
	"user.fields": {
		"id", "username", "name", "created_at", "description", "location", "url", "profile_image_url", "protected",
		"verified", "public_metrics",
	},
	"media.fields": {"media_key", "type", "url", "preview_image_url", "width", "height", "duration_ms", "alt_text", "variants"},
	"place.fields": {"id", "full_name", "name", "place_type", "country", "country_code", "geo"},
	"poll.fields":  {"id", "options", "duration_minutes", "end_datetime", "voting_status"},
}

// fields are the parameters that ask for all of it.
func fields() url.Values {
	v := url.Values{}
	for name, list := range wanted {
		v.Set(name, strings.Join(list, ","))
	}
	return v
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
