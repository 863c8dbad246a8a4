package sim

// AllFields are the parameters that ask API v2 for everything that this package knows.
var AllFields = map[string][]string{
	"tweet.fields": {"author_id,created_at,lang,conversation_id,in_reply_to_user_id,referenced_tweets,entities,attachments,geo,note_tweet,possibly_sensitive,withheld,source,public_metrics"},
	"expansions":   {"author_id,in_reply_to_user_id,referenced_tweets.id,referenced_tweets.id.author_id,referenced_tweets.id.attachments.media_keys,attachments.media_keys,geo.place_id"},
	"user.fields":  {"created_at,description,location,url,profile_image_url,protected,verified,public_metrics"},
	"media.fields": {"url,preview_image_url,width,height,duration_ms,alt_text,variants"},
	"place.fields": {"name,place_type,country,country_code,geo"},
}

// X returns a message of the corpus in the form of API v2, as the filtered stream
// (a post) or a compliance stream (a notice) has it. fields are the parameters of a
// request, such as AllFields. To be called before the next Next.
func (c *Corpus) X(m Message, fields map[string][]string) []byte {
	if m.of == nil {
		return m.duty
	}
	return c.envelope(m.of, readAsked(fields), []matchedRule{{"1600000000000000001", "corpus"}})
}
