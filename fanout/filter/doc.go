// Package filter decides which posts a client gets. It holds the language of
// filters (the streaming parameters of Twitter's API v1.1), what a filter needs
// to know of a post, and the search for many filters or many posts at once. It
// knows no JSON and does no I/O; everything else in the gateway stands on it.
//
// # The language
//
// A filter is five parameters, all optional, of the decoded form url.Values:
//
//	track         phrases, any one of which is enough; the words of a phrase must all be there
//	follow        numeric user ids
//	locations     boxes of four degrees: west,south,east,north
//	language      language tags (BCP 47), compared without case
//	filter_level  the least level of a post: none, low, medium
//
// A post passes if
//
//	(track OR follow OR locations) AND language AND filter_level
//
// and without any of the first three every post passes that has the language and
// the level. Each value is a comma list; to repeat a parameter is to write on in
// its list, and an empty value is as good as none. There is no NOT, no quoting
// and no "both track and locations" in this language.
//
// # What track finds
//
// Looked at are texts, hashtags, mentions, cashtags, and links both as expanded
// and as shown, of a post and of the posts inside it (which of them belong, the
// dialect of a source decides). Names, descriptions and places of users are not.
// All of it, terms and posts alike, is brought to Unicode's NFC and folded in
// case; accents count. "&amp;", "&lt;" and "&gt;" in texts are undone.
//
// A post then holds
//
//   - bare tokens: runs of letters, digits, combining marks and "_". Everything
//     else divides, inside links too: https://news.example/re-open holds news,
//     example, re and open. Languages that write no spaces are divided by
//     punctuation only, so that a run of their letters is one token;
//   - whole words: what stands between white space, without the punctuation
//     around it, and links, without scheme, leading "www." and final "/". Of a
//     word with # or @ in front, the name is a bare token and only what follows
//     the name is looked at as a word;
//   - entities: hashtags, mentions, cashtags, exactly and as a whole.
//
// A term of a phrase is looked up in one of the three, by its looks:
//
//	term               looked up as   finds                              does not find
//	Twitter            bare token     TWITTER. #twitter @twitter         TwitterTracker #newtwitter
//	                                  http://twitter.com
//	Twitter's          whole word     "Twitter's"                        @Twitter's
//	example.com        whole word     www.example.com                    example.com/a
//	example.com/a      whole word     http://www.example.com/a/          example.com
//	example com        bare tokens    foo.example.com/b, "an example     example.org
//	                                  of a dot com"
//	#go                hashtag        #Go                                go #gopher
//	@kestrel $abc      mention,       .@Kestrel: $ABC                    kestrel abc
//	                   cashtag
//	c++ <3 🔭          whole word     (C++) &lt;3 🔭                      c 🔭🔭
//
// The table and more is in the tests.
//
// # What follow and locations find
//
// follow finds the author of a post and whom it concerns: the author of the post
// that it answers or reposts, and the one it addresses first thing in its text.
// A mention further on, or the author of a quoted post, is not found.
//
// locations finds a post whose point lies in a box, borders included. Only where
// a post has no point, the place it was tagged with counts, and has to share at
// least a border with a box, however large it is. Reposts have no place.
//
// # Refused
//
// Parse refuses, with an [Error] that says where and often what was meant instead,
//
//   - what is malformed: an empty item in a list, numbers that are none, names
//     where ids belong, control characters, bytes that are not UTF-8;
//   - what can never match, rather than let a client wait for ever: a term with
//     "www." in front or with punctuation around it, since posts are compared
//     without ("hello." is another term than "hello", and finds nothing; only a
//     link with a path may end in punctuation), a box whose west is east of its
//     east; across the 180th meridian one writes two boxes;
//   - what is too much: 400 phrases, 5,000 ids, 25 boxes (see [Limits], counted as
//     written), a phrase of more than 60 bytes, be it as written or as understood.
//
// # Canonical form
//
// [Filter.String] is the same for all filters that ask for the same words, users,
// boxes, languages and level, whatever their order, case, repeats and spaces, and
// it parses to itself. Clients whose filters have the same text are matched once.
//
// # Matching
//
// A [Builder] turns a post into a [Post] once, when it arrives: a short sorted list
// of hashes, its features. A filter is compiled to the same hashes, so a match
// is a few look-ups. Hashes are seeded anew by every process and never leave it.
//
// [Index] finds the filters for a post, [Postings] the posts for a filter. Both
// are plain lists inside for now; their methods are the seam behind which an
// inverted index can grow without anybody else noticing.
package filter
