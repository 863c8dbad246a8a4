package compat

import "strings"

// projectionParams are the parameters that choose what an answer holds.
var projectionParams = []string{"tweet.fields", "expansions", "user.fields", "media.fields", "place.fields", "poll.fields"}

// fieldNames are the names that API v2 knows for each. Those of which no source
// here knows anything are never in an answer, as those that a post does not have.
var fieldNames = map[string][]string{
	"tweet.fields": split(`article attachments author_id card_uri community_id context_annotations conversation_id created_at
		display_text_range edit_controls edit_history_tweet_ids entities geo id in_reply_to_user_id lang media_metadata
		non_public_metrics note_tweet organic_metrics paid_partnership possibly_sensitive promoted_metrics public_metrics
		referenced_tweets reply_settings scopes source suggested_source_links suggested_source_links_with_counts text withheld`),
	"expansions": split(`article.cover_media article.media_entities attachments.media_keys attachments.media_source_tweet
		attachments.poll_ids author_id author_screen_name edit_history_tweet_ids entities.mentions.username
		entities.note.mentions.username geo.place_id in_reply_to_user_id referenced_tweets.id
		referenced_tweets.id.attachments.media_keys referenced_tweets.id.author_id`),
	"user.fields": split(`affiliation confirmed_email connection_status created_at description entities id is_identity_verified
		location most_recent_tweet_id name parody pinned_tweet_id profile_banner_url profile_image_url protected
		public_metrics receives_your_dm subscription subscription_type url username verified verified_followers_count
		verified_type withheld`),
	"media.fields": split(`alt_text duration_ms height media_key non_public_metrics organic_metrics preview_image_url
		promoted_metrics public_metrics type url variants width`),
	"place.fields": split(`contained_within country country_code full_name geo id name place_type`),
	"poll.fields":  split(`duration_minutes end_datetime id options voting_status`),
}

func split(list string) []string { return strings.Fields(list) }

func joined(names []string) string { return strings.Join(names, ",") }

// shown are the members of an object that an answer holds.
type shown map[string]bool

// Members that are there whether they are asked for or not.
var (
	alwaysTweet = split("id text edit_history_tweet_ids")
	alwaysUser  = split("id name username")
	alwaysMedia = split("media_key type")
	alwaysPlace = split("id full_name")
	alwaysPoll  = split("id options")
)

// implied are the members that an expansion brings along: the ids it goes by.
var implied = map[string]string{
	"author_id": "author_id", "in_reply_to_user_id": "in_reply_to_user_id", "geo.place_id": "geo",
	"attachments.media_keys": "attachments", "attachments.poll_ids": "attachments",
	"referenced_tweets.id": "referenced_tweets", "referenced_tweets.id.author_id": "referenced_tweets",
	"referenced_tweets.id.attachments.media_keys": "referenced_tweets", "entities.mentions.username": "entities",
}

// ask adds one name of a parameter.
func (p *projection) ask(param, name string) {
	to := map[string]*shown{
		"tweet.fields": &p.tweet, "user.fields": &p.user, "media.fields": &p.media,
		"place.fields": &p.place, "poll.fields": &p.poll, "expansions": &p.expand,
	}[param]
	if *to == nil {
		*to = shown{}
	}
	(*to)[name] = true
}

// imply completes what was asked for.
func (p *projection) imply() {
	for param, names := range map[string][]string{
		"tweet.fields": alwaysTweet, "user.fields": alwaysUser, "media.fields": alwaysMedia, "place.fields": alwaysPlace, "poll.fields": alwaysPoll,
	} {
		for _, name := range names {
			p.ask(param, name)
		}
	}
	for what := range p.expand {
		if name := implied[what]; name != "" {
			p.ask("tweet.fields", name)
		}
	}
	p.key = p.wishKey()
}

// wishKey is a projection as a set of names: equal for all who get the same. It has
// a bit for each name of each parameter.
type wishKey [2]uint64

func (p *projection) wishKey() (key wishKey) {
	bit := 0
	for i, asked := range []shown{p.tweet, p.expand, p.user, p.media, p.place, p.poll} {
		for _, name := range fieldNames[projectionParams[i]] {
			if asked[name] {
				key[bit/64] |= 1 << (bit % 64)
			}
			bit++
		}
	}
	return key
}
