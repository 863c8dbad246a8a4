// Package x is the source for X's API v2: the filtered stream with a bearer token,
// its rules, and the dialect, which is what the gateway knows of v2 JSON.
//
// # A connection
//
// Stream first brings the rules on the server in line with the settings, then opens
// GET /2/tweets/search/stream with all fields and expansions that filters and the
// compact form look at. Every connection dials afresh, offers gzip, follows no
// redirect and is closed when Stream returns. A blank line comes every 20 s, so the
// Runner's stall timer must be longer: at least LeastStall, 30 s. The 90 s of v1.1
// work as well; they only find out later.
// Source.Ask changes what is wanted while a stream goes on, and Source.Settle brings the
// rules in line then and there, with an edit and without a new connection.
//
// How an answer is classed, whichever of its three forms the error body has (a
// problem, a list of code and message, or the two alone); of a problem's type only
// the last segment counts:
//
//	200                     the stream; a web page instead: HTTP
//	401, 403, 400, 404, 3xx Fatal, with a hint for each
//	409                     there are no rules: they are brought in line again, else Fatal
//	429 with a used-up window   RateLimit, not before x-rate-limit-reset
//	429 TooManyConnections  see "The slot", else RateLimit
//	usage-capped            RateLimit, not before the day or month of UTC is over
//	5xx                     HTTP
//	cannot connect, cut     Network
//
// In the stream, data beside errors is a post of which something cannot be seen,
// and is passed on. Errors alone are passed on as a disconnect and end the stream:
// operational-disconnect as Network (it is opened again at once), usage-capped and
// the limits as above, the end of the token's access as Fatal, all else as HTTP.
//
// The documented budgets are kept by our own count in every 15 minutes, whatever an
// operator or a broken server makes of it: 50 streams, 450 and 100 requests for
// rules, 450 searches, 25 for connections.
//
// # Rules
//
// They are on the server, outlive every connection and may be shared with others:
// those whose tag begins with "aviary:" are ours. What is wanted comes from the v1.1
// predicates (Translate) and from a file (ReadRules, which describes its lines). The
// two are compared by value with what is there; what is new is added and only then
// what is old and ours deleted. A rule that the upstream refuses is named in the log
// and in the state while the others stream (Trouble). It is done at the first
// connect, when the file has changed (reconnect to have it read) and after a 409. A
// change takes some 20 seconds to count. Posts that only others' rules match come
// too: the upstream sends one stream to an app.
//
// # The slot
//
// A token may have one stream, and the server does not notice at once that one has
// died: the next one gets 429. The Connections API tells which are open; a dead one
// of ours is ended there and the stream opened again a second later. How ours are
// known is with the type connections. Where the token may not use that API it is
// told once, and the Runner's minute is waited. Set Runner.HoldsSlots to false: the
// slot is looked after here.
//
// # Gaps
//
// After an outage the Runner tells a gap. With a backfill that covers it the
// upstream sends what was missed. Else recent search is asked, 35 s after the new
// stream began (search knows no younger posts), for what our rules match between the
// last post before and the first one after, at most 2,000 posts; a search that fails is
// made again some times. They follow behind
// the live ones, oldest first, their JSON marked "gap_filled":true; doubles are
// dropped by the hub. Search does not find all that the stream brings (it folds
// accents, looks at no quoted text and since 2026 at no reposts), so a gap stays told.
//
// # Posts cost
//
// A Spend counts the posts of a month of UTC and stops everything that reads more
// once the budget is used: the state then names the end of the month as the next
// attempt. See it for what it remembers.
//
// # Deletes
//
// The filtered stream brings none. Duties follows the compliance streams where the
// token may, and looks up again what the gateway holds, a hundred posts a minute and
// each at most once an hour; with a budget at most a tenth of it goes there. Both
// become the notices of v1.1. An account that is deleted, suspended or made private
// has no notice there: each of its held posts is deleted.
//
// An edited post is a new one, and its earlier forms are taken back like deleted
// ones: what an author has replaced is not shown on. The new form matches rules by
// itself, and may match none.
//
// # Messages
//
// An event's JSON is the envelope as it came. Decode says what becomes of which. The
// compact form is that of v1.1 for the same post, field by field, but for "source"
// and for a post that a reposted one quotes, of which v2 sends the id alone. The
// milliseconds of a post are in its id: created_at has none. A message that holds
// the text of an answered post leaves the history with that post.
//
// Every error and hint passes a veil that blanks the token, and so do messages with
// errors, which clients see too.
package x
