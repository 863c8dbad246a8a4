// Package filter decides which posts a client gets. It holds the language of
// filters (the streaming parameters of Twitter's API v1.1, and the rules of X's
// filtered stream), what a filter needs to know of a post, and the search for many
// filters or many posts at once. It knows no JSON and does no I/O; everything else
// in the gateway stands on it.
//
// # The parameters
//
// A filter is these parameters, all optional, of the decoded form url.Values:
//
//	track         phrases, any one of which is enough; the words of a phrase must all be there
//	follow        numeric user ids
//	locations     boxes of four degrees: west,south,east,north
//	language      language tags (BCP 47), compared without case
//	filter_level  the least level of a post: none, low, medium
//	q             a rule, see below
//	filter.NAME   a rule with a name of its own, at most 32 of them; NAME is 1 to 64
//	              letters, digits, "_" and "-", and its case counts
//
// A post passes if
//
//	(track OR follow OR locations) AND language AND filter_level AND q AND (any filter.NAME)
//
// where what is not given is true. The first five are comma lists; to repeat one
// is to write on in its list. A rule has OR for that: a second q, or the same
// filter.NAME twice, is refused. An empty value is as good as none, except that a
// rule with a name must not be empty. [Filter.AppendNames] tells which of the
// named rules a post matches.
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
//     the name is looked at as a word. Each emoji in a word is one by itself too,
//     with what joiners and selectors make of it: ❤ and ❤️ are two;
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
//	c++ <3             whole word     (C++) &lt;3                         c <33
//	🔭                 emoji          🔭 hi🔭 🔭✨                          ✨
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
// # Rules
//
// A rule of X's filtered stream means here what it means there:
//
//	(observatory OR #stargazing) "opening hours" -is:retweet has:links
//
// is a post with the word or the hashtag, with the phrase and with a link, that is
// no repost. The grammar, in EBNF; letters in quotation marks may be of either case
// where they are part of a name:
//
//	rule        = conjunction { space "OR" space conjunction } .
//	conjunction = term { [ space ] term } .
//	term        = [ "-" ] ( group | operand ) .
//	group       = "(" rule ")" .
//	operand     = phrase | entity | operator | keyword .
//	phrase      = quoted [ "~" near ] .
//	near        = "1" | "2" | "3" | "4" | "5" | "6" .
//	quoted      = '"' { character - '"' } '"' .
//	entity      = ( "#" | "@" | "$" ) word .
//	operator    = name ":" ( word | quoted | bracket ) .
//	name        = letter { letter | "_" } .
//	bracket     = "[" number { ( " " | "," ) number } "]" .
//	keyword     = word .
//	word        = { character - ( space | "(" | ")" | '"' ) } .
//	space       = white space of Unicode .
//
// A space is AND and binds tighter than OR: "apple OR iphone ipad" is "apple OR
// (iphone ipad)". The minus stands directly before what it negates. OR is written
// in upper case: "or", "and" and also "AND" and "NOT" are words like others, and
// [Understand] warns of them. No space is needed around parentheses.
//
//	operator                     the post
//	keyword                      holds the bare token, in its text, entities or links. With
//	                             punctuation or symbols inside it is divided as posts are:
//	                             coca-cola is "coca cola"
//	🔭                           holds the emoji, whatever it is glued to; several in a row (🔭✨)
//	                             are looked for as a whole word
//	"exact phrase"               holds the tokens in a row, in one text or one link
//	"a b"~N                      holds them with at most N tokens between (N ≤ 6); in the other
//	                             order at most N-2. Of several, N is how far any two of them are
//	                             moved against one another
//	#tag @name $cash             holds the hashtag, mention, cashtag, whole
//	from: to: retweets_of:       is from the user, answers or reposts one of the user's; by name,
//	                             with or without @, or by id
//	url:                         has a link with these tokens in a row; scheme and www. are ignored
//	url_contains:                has a link with this piece of text in it
//	conversation_id:             belongs to the conversation with this number
//	in_reply_to_tweet_id:        answers the post with this number
//	retweets_of_tweet_id:        reposts the post with this number
//	place:                       is tagged with a place: its id, or tokens of its names in a row
//	place_country:               is tagged with a place in the country, two letters of ISO 3166
//	point_radius:[lon lat 5km]   lies wholly in the circle; km or mi, at most 25 mi
//	bounding_box:[w s e n]       lies wholly in the box; each side at most 25 mi
//	bio: bio_name:               is by somebody whose description or name holds the tokens in a row,
//	bio_location:                or the place they say to live at
//	source:                      was written with the program of exactly this name
//	followers_count:             is by somebody with so many followers: 500 or more, 500..999
//	following_count:             … who follows so many
//	tweets_count:                … who wrote so many posts
//	listed_count:                … who is in so many lists
//	min_followers:               the same as followers_count, for one number
//	is:                          *  is a retweet, reply, quote, or from somebody verified
//	has:                         *  has hashtags, cashtags, links, mentions, media, images,
//	                             video_link, geo
//	lang:                        *  is in the language
//	sample:                      *  is one of so many in a hundred, 1 to 100, the same ones for
//	                             everybody and at any time: a hash of the post's id
//	-is:nullcast                 *  is public: always true, accepted for the sake of X's rules
//
// Any value may stand in quotation marks. Names that X has or had for the same are
// understood: retweets_of_user, in_reply_to_status_id, retweets_of_status_id,
// statuses_count, friends_count, geo_bounding_box, geo_point_radius, user_bio,
// user_bio_location.
//
// What is marked * cannot stand alone: each alternative of a rule must look for
// something that can, and something negated cannot either. A group may be negated,
// as X does not allow, where that holds for what De Morgan's laws make of it. sample:
// counts for the whole rule, wherever it stands; it cannot be negated.
//
// A post that was written nowhere in particular is found by no operator of places,
// and so by all of them negated; the same goes for everything else that a source
// does not tell. The sides of boxes and circles have X's limits so that a rule means
// the same there; locations has none.
//
// Beside the texts of a post, the post that it quotes or reposts is looked at, and
// accents count: as in X's stream, not as in its search.
//
// # Refused
//
// Parse refuses, with an [Error] that says where and often what was meant instead,
//
//   - what is malformed: an empty item in a list, numbers that are none, names
//     where ids belong, control characters, bytes that are not UTF-8; a parenthesis
//     or quotation mark that is not closed, an operator that does not exist;
//   - what can never match, rather than let a client wait for ever: a term with
//     "www." in front or with punctuation around it, since posts are compared
//     without ("hello." is another term than "hello", and finds nothing; only a
//     link with a path may end in punctuation), a box whose west is east of its
//     east; across the 180th meridian one writes two boxes; a rule such as
//     "go -go", or one in two languages at once;
//   - operators for which no source here has the data: context, entity, embedding,
//     embedding_threshold, url_title, url_description, from_affiliate_of,
//     to_affiliate_of;
//   - what is too much: 400 phrases, 5,000 ids, 25 boxes (see [Limits], counted as
//     written), a phrase of more than 60 bytes, be it as written or as understood;
//     of a rule more than [MaxRule] code points, [MaxTerms] terms, [MaxDepth]
//     parentheses within one another, 64 words in a phrase.
//
// # Canonical form
//
// [Filter.String] is the same for all filters that ask for the same, however they
// are written, and it parses to itself. Clients whose filters have the same text
// are matched once. In detail:
//
//   - order, case, repeats and spaces do not count, nor does how a literal is
//     written: min_followers:500 is followers_count:500, 1mi is 1.609344km;
//   - what is the same by the laws of AND, OR and NOT is the same: "go OR (go rust)"
//     is "go", "(go rust) OR (go -rust)" too. What follows only from the meaning of
//     operators is not: that "a b" holds a, or that nobody is from:a and from:b. One
//     thing is known: a post has one language;
//   - a rule is printed as a tree of parts that share no literal, "x (a OR b)", with
//     what is looked for first, then groups, then what must not be there; groups
//     are multiplied out where a branch would only negate: "(a -b) OR (a -c)";
//   - language, and track if neither follow nor locations stands beside it, are
//     looked at together with q. A language that all of it asks for is printed as
//     language, and what track can say as track: "q=go lang:en" and
//     "language=en&q=go" are "track=go&language=en". Each filter.NAME is a rule by
//     itself.
//
// A rule that has more than 512 alternatives when it is multiplied out, or becomes
// longer than its limits, is only sorted: of such rules, two that ask for the same
// may have two texts. Matching is right either way.
//
// # Matching
//
// A [Builder] turns a post into a [Post] once, when it arrives: a short sorted list
// of hashes, its features, and the order of its tokens. A filter is compiled to the
// same hashes, so a match is a few look-ups. Hashes are seeded anew by every process
// and never leave it.
//
// [Index] finds the filters for a post, [Postings] the posts for a filter.
// [Filter.Explain] tells people why a post passes, [Filter.Terms] what is looked for.
package filter
