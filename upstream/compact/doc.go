// Package compact is the compact form of a post: one small schema whatever the
// source, so that a client needs to know only one. A dialect fills in a Post
// and appends it; what it leaves empty is left out.
//
//	{"id_str","created_at","text","lang",
//	 "author":{"id_str","username","name","avatar","verified"},"url",
//	 "hashtags":[],"mentions":[{"id_str","username"}],
//	 "urls":[{"url","expanded","display"}],"media":[{"type","url","alt"}],
//	 "reply_to":{"id_str","username"},"repost_of":{…},"quote_of":{…},
//	 "geo":{"lon","lat"} or {"place","bbox"},
//	 "sensitive":true,"withheld_in":[],"source"}
//
// Texts are whole and plain: HTML entities are undone, there are no offsets.
package compact
