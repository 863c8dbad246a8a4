// Package sim is a fake Twitter: the v1.1 streaming endpoints and search, and
// the same posts by API v2, on the real wire, with synthetic posts. It is the gateway's default source (in process, but
// over HTTP, so that every layer runs), the command "aviary sim", and the
// upstream of whole-program tests. Nothing in it comes from real people: names,
// texts, companies and links are made up, screen names of the population end in
// _sim, links lead to hosts reserved for examples.
//
// # Wire
//
//	POST /1.1/statuses/filter.json   (or GET)  track, follow, locations: at least one
//	GET  /1.1/statuses/sample.json             every post of the simulated world
//
// Both take language, filter_level, delimited=length and stall_warnings=true;
// unknown parameters are ignored, as they were. Requests are signed with OAuth
// 1.0a; the signature is recomputed from RFC 5849 by code of this package's own.
//
//	400  code 215   no OAuth header, or one that can't be read
//	401  code 32    wrong key or signature, a nonce used before; 89: wrong token;
//	                135: the timestamp is more than 15 minutes off (see Date)
//	403  code 220   a bearer token
//	404, 405        anything else
//	406             a parameter is missing or wrong: a phrase of more than 60 bytes,
//	                a box side outside 0.1 to 360 degrees, a follow that is no number
//	413             more than 400 phrases, 5,000 ids, 25 boxes
//	416             count: backfill was for other roles
//	420             more connects than Config.MaxConnects
//
// Errors about credentials are JSON, those of the streaming hosts plain text.
//
// A stream is chunked, gzip if the client offers it, one JSON object a line,
// lines end in CRLF. Each message is flushed through the compressor; messages
// that wait together share a write. After 30 s of silence comes a blank line. One
// stream too many for the credential closes the oldest with disconnect code 7.
// A reader that lags far behind gets a FALLING_BEHIND warning, then code 4. A
// delete goes where its post went: to streams whose filter the post matches.
//
// # Search
//
//	GET  /1.1/search/tweets.json     q, count, lang, until, since_id, max_id, result_type
//	POST /oauth2/token               a bearer token for consumer key and secret
//
// A search is signed as above or brings the bearer token; the two have budgets
// of their own (Config.SearchLimit and SearchAppLimit in a SearchWindow), told
// in the x-rate-limit headers of every answer; beyond them comes 429 with code
// 88. Posts come newest first in the form of tweet_mode=extended, with
// next_results while there are older ones. What is found is what is remembered:
// the last 1,024 posts, 300 of them older than the server, and all that Post
// made, but for what was deleted. A query knows words, "phrases", OR between
// two, -word and from:name; other operators are passed over.
//
//	400  code 25    no q; 195: another parameter is wrong
//	401  code 89    a bearer token that was revoked
//	403  code 99    oauth2/token: wrong key or secret
//
// # API v2
//
//	GET         /2/tweets/search/stream              backfill_minutes, fields, expansions
//	GET, POST   /2/tweets/search/stream/rules        add, delete, dry_run; pages of 1,000
//	GET         /2/tweets/search/stream/rules/counts
//	GET         /2/tweets/search/recent              query, max_results, since_id, until_id, start_time, end_time, next_token
//	GET         /2/tweets                            ids
//	GET, DELETE /2/connections                       and DELETE …/all, …/{endpoint}
//	GET         /2/tweets/compliance/stream, /2/users/compliance/stream   partition
//
// All take the bearer token of search and have the documented budgets, told in the
// x-rate-limit headers. A message holds the fields and expansions that were asked
// for; a post that refers to a deleted one comes with errors beside its data. Rules
// outlive connections; they know words, "phrases", #, @, $, from:, to:,
// retweets_of:, lang:, is:, has: and bounding_box:, with OR, - and parentheses. A
// blank line comes after 20 s of silence. Notices go to the first partition of the
// compliance streams.
//
//	400  invalid-request            a parameter is wrong
//	401  about:blank                no token, or a wrong one
//	403  unsupported-authentication an OAuth 1.0a header; client-forbidden: what Config does not allow
//	409                             a stream without rules
//	429  streaming-connection       one stream too many: the new one is refused
//	429  usage-capped               Config.XPostCap posts were delivered this month
//	429  rate-limit-exceeded        a budget is used up
//
// A stream whose client leaves without a word keeps its slot for Config.XSlotHold,
// or until the Connections API ends it.
//
// # Posts
//
// A Corpus makes posts from a seed and the time: the same seed and times give
// the same bytes. The sentences are in phrases/*.txt, one file for each of 18
// languages (und: emoji only); a file is all it takes to add one. Some 200
// users speak of seven topics, each with a keyword that shows as a word or a
// hashtag: football, go, music (16 to 17 % each), weather, cooking, trains, space
// (10 to 11 % each). Now and then everybody speaks of one thing for a while.
// Of 100 posts about 18 are reposts, 9 quotes, 12 replies, 11 extended; others have
// links, mentions, cashtags, media with alt texts, places with their box in
// either point order, points. One post in four is escaped to ASCII as the real
// service did, the others are plain UTF-8. Of 1,000 messages some 20 are deletes,
// one is a status_withheld, and rarely comes a scrub_geo or user_withheld.
// Ids are snowflakes of the current time, beyond 2^53, and rise.
//
// The pace is a Poisson process around Config.Rate that swells and ebbs over a
// minute and doubles in bursts. The world stands still while no stream is open.
//
// # Faults
//
// A script says what goes wrong. It is text, one order a line, # begins a comment:
//
//	[after WHEN] FAULT [words] [for DURATION | times N]
//
// WHEN is a duration (30s, 1m30s), "N posts", "N connects" or "N searches" (pages
// served), counted from the moment the line before it was carried out; without it the line follows at once.
// Config.Faults starts with the first request, Do at once. Texts with spaces
// stand in quotes, "…" or `…` as in Go.
//
// On the streams that are open now, in order with their posts:
//
//	disconnect CODE [reason]   the disconnect message, then the end
//	problem TYPE               of v2: errors of that type, then the end
//	close                      an end in order
//	drop                       the connection is cut
//	truncate                   half of a message, then the end: gzip cut in the middle
//	stall DURATION             nothing is written, not even keep-alives
//	limit N                    N more posts over the limit: a notice with the stream's total
//	warning PERCENT            a FALLING_BEHIND warning
//	line TEXT                  any line, such as "Exceeded connection limit for user"
//	duplicate N                the last N posts again, at most 256
//	oversize SIZE              a valid post of 300KB, 5MB, … (at most 64MB)
//	garbage                    lines that aren't JSON, UTF-8, objects, posts
//
// On the connects to come: for a DURATION, N times, or just the next one. A new
// line takes the place of the one before:
//
//	status CODE [body html|text|json|code|empty|TYPE] [retry-after DURATION] [reset DURATION]
//	                           TYPE: a type of problem of v2, such as usage-capped
//	rate-limit [420|429] …     the same as status 420 …
//	close-after-200            accepted, and closed at once
//	refuse                     closed without an answer (a reset on TCP)
//	hang                       never answered
//	open                       all is well again
//
// On the searches to come, in the same way; they are counted against the budget:
//
//	search CODE [body KIND] [retry-after D] [reset D]   503 body json is code 130, any other 5xx 131, 429 is 88;
//	                                                    429 with a reset uses the window up, without it has no headers
//	search delay DURATION                               answered late
//	search refuse, search hang, search open             as above
//
// and "calls" in place of "search" for the requests of v2 that are neither a stream
// nor a search: rules, look-ups, connections.
//
// On everything:
//
//	chunk N [for DURATION]     bodies are written N bytes at a time; 0: as usual
//	quiet DURATION             the generator pauses, keep-alives come
//	loop                       begin again with the first line
//
// For example, an outage every five minutes:
//
//	after 5m   drop
//	           status 503 body html for 20s
//	after 1m   stall 95s
//	loop
//
// # Tests
//
// A Server with Rate 0 sends only what Push and Post inject; Post makes a right
// post from a Draft, and Delete takes it back. All times come from package time
// and all goroutines end with Close, so a Server lives in a testing/synctest
// bubble, behind an http.Server on net.Pipes. Push and Post never wait: a test
// may inject faster than a stream reads; only generated posts are bounded by
// Config.Queue.
package sim
