// Package twitter is the source for Twitter's v1.1 streaming API: the client,
// and the dialect, which is what the gateway knows of v1.1 JSON. The endpoints
// of Twitter itself were switched off in 2023; the dialect lives on in archives,
// clients and compatible servers (the simulator beside this package is one).
//
// # Client
//
// One Stream is one request: POST /1.1/statuses/filter.json with the
// predicates as a form, or GET /1.1/statuses/sample.json if there are none,
// signed with OAuth 1.0a by dghubble/oauth1. Every connection dials afresh (DNS
// too), offers gzip and nothing else, follows no redirect, and is closed when
// Stream returns. There is no client timeout: the Runner's stall timer watches
// all of it, from dialling to the last byte.
//
// How an answer is classed:
//
//	200                     the stream; a web page or an empty one instead: HTTP
//	420, 429                RateLimit, with Retry-After and x-rate-limit-reset
//	5xx, other 2xx          HTTP
//	401                     Fatal; if the server's Date says that our clock is off, so does the hint
//	other 4xx, 3xx          Fatal, with a hint for each
//	cannot connect, cut     Network
//
// What the upstream says is shortened to one clean line for error messages: JSON
// errors in their three shapes, HTML, plain text. Every error and hint passes
// one veil on its way out, which blanks the four credentials and the nonce and
// signature of the request, however they are escaped; disconnect and warning
// messages, which clients see too, pass it as well.
//
// # Search
//
// A Searcher asks GET /1.1/search/tweets.json for one page at a time, always with
// tweet_mode=extended. A bearer token is used if there is one (as it is: its
// escapes are part of it), else OAuth 1.0a; with the consumer key and secret
// alone the token is fetched from oauth2/token, once, and again when the server
// calls it invalid (89). Each request has a connection of its own and 15 s; an
// answer is read up to 8 MiB.
//
// The budget is what the x-rate-limit headers say, by the server's own clock. A
// request is taken from it before it is sent, so that however many ask at once
// none goes out that the window does not hold; what was sent and never answered
// counts as spent. After a 429 nothing goes out until the reset, or Retry-After,
// or 1, 2, 4 … 16 minutes when it names neither. Turn keeps whoever walks over
// many pages at the distance that the budget sustains. Budget and turns belong
// to the credentials: others begin anew.
//
// How an answer is classed:
//
//	200 with statuses       the page; one with error 130 or 131 in a post's place: HTTP
//	88, 420, 429            RateLimit
//	130, 131, 5xx, any other 200   HTTP
//	cannot connect, cut     Network
//	anything else           Fatal, with a hint for the code or the status
//
// # Messages
//
// A message is decoded by Decode, which see. One that cannot be decoded and holds
// bare LFs is split at them, and what can be decoded is taken: a broken line may
// have swallowed whole ones. A whole message at the end of the body counts even
// without its line end. A plain text line between the messages is dropped as
// malformed, but for "Exceeded connection limit …", which ends the stream as
// RateLimit. A disconnect message is passed on and
// ends the stream: codes 5, 6, 7, 9, 13 and 14 are Fatal, 2 is a Conflict (the
// Runner decides), any other is the clean end of a stream. A message that is
// longer than upstream.MaxMessage becomes a KindGap event.
//
// # What filters know of a post
//
// Of the post and of those inside it, four deep: texts, links as expanded and as
// shown, hashtags, mentions, cashtags, kinds of media. A text that comes cut and
// whole counts once, as the whole; a repost's, which repeats the beginning of the
// other one, as "RT @name: " and all of that. The link to itself that a cut text
// ends with is found by its words, but is not a link of the post.
//
// Of the outermost post only:
//
//	user                          id, screen_name, name, description, location, verified, four counts
//	in_reply_to_…                 whom and what it answers: a reply is what names a post
//	retweeted_status              whom and what it reposts; a retweet
//	quoted_status, …_id, is_quote_status   a quote: a repost of a quote is one too, as its JSON says
//	source                        the name between the tags
//	place, coordinates            id, names, country code, point or box; not of a repost
//	lang, filter_level
//
// Media are sorted by extended_entities, or by entities where these are missing: a
// photo is an image, a video a video, an animated_gif neither. v1.1 has no
// conversations: a post that answers nothing, a repost too, begins its own and has
// its id. To which one an answer belongs is not known, unless conversation_id is
// there, which compatible servers send.
//
// # JSON
//
// A post is walked once, by a reader that checks and picks at the same time;
// on a 3 KB post that takes a fraction of what two libraries (one to check, one
// to pick) take: see the benchmarks. The JSON itself is passed on byte for
// byte as fanout.NewEvent normalised it.
//
// For clients of API v2 a post is made into an envelope of that API, with package
// objects: once, and only if one asks.
package twitter
