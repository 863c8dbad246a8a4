// Package compat is the paths of Twitter's v1.1 API and of X's API v2, so that
// programs written for those run against the gateway unchanged. package server mounts
// it and lends it its streams' places, its search and its limits.
//
// # Forms
//
// A post goes out in the form of the path, whatever its source: fanout.Dialect makes
// v1.1 statuses and v2 envelopes, once an event, in the last encoding slots. A v2
// envelope holds all that is known; each client's [projection] picks the fields and
// expansions it asked for. What v1.1 sends of a post of v1.1 is the event's own JSON.
//
// # Writing
//
// These streams are chunked, as Twitter's were: clients that read 512 bytes at a time
// get a line when it comes, which they would not from a body without chunks. Each is
// served by the goroutine of its request (conn), gathers what waits into writes of at
// most 64 KiB with a deadline each, and sends a blank line after silence, 30 s of
// v1.1 and 20 s of v2, or twice HEARTBEAT where that is less. In gzip every line is a
// deflate block of its own that ends on a byte: v1.1 streams share the blocks, and no
// stream keeps a compressor.
//
// # v1.1
//
// A stream is a subscription of the hub with the client's filter; the [bell]'s loop
// wakes those whose group has something new. What the gateway has to say and v1.1 has no
// word for is left out, but for losses, which become the limit notice:
//
//	a gap of known size          limit grows by it
//	a gap of unknown size        limit grows by one: it is the least that was lost
//	the upstream's own limit     is added, by what it has grown
//	overtaken, stall_warnings    a FALLING_BEHIND before it
//	upstream, disconnect, other  nothing: they are about the gateway's own connection
//	bye                          disconnect 1; 7 if an operator ended it
//
// # v2
//
// Rules belong to a bearer token: the [book] holds them by a hash of it, within bounds
// (maxRules and its neighbours); when there are too many tokens, the rules of those
// that were not used for longest go. The [desk] is one loop that follows the log while
// any v2 stream is open. It matches every post once, against one index of the rules of all
// tokens with open streams, and puts it into the queue of each stream concerned,
// with the rules that matched. A change of rules takes the same lock: it falls between
// two posts, so that nothing is lost or sent twice.
//
// A queue holds maxHits posts. Behind them its client is too slow and is
// disconnected, as X does. A notice that takes posts away takes them out of the queues
// too. What of the past was asked for (recovery) is a subscription that ends where
// the stream's queue begins.
//
// What a projection shows of a post is made once for all streams that ask for the
// same, and so is its deflated form ([views]); only the rules behind it are each
// token's own.
//
// There is no message in v2 for a loss before the gateway, so there is none here.
//
// # Searches
//
// Both ask through Options.Search, which is the cache and the budget of /search. Times of
// v2 become ids, and a next_token is the max_id of the next page.
package compat
