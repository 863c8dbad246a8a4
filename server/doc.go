// Package server is the gateway's HTTP: the public listener that streams posts
// and the admin listener that watches over it.
//
// # Streams
//
// GET /stream is read in this order: parameters ([request]), form, resume point,
// a place ([deliver.Clients.Admit]), subscription, hello. Everything that can be wrong is
// found before the first byte and answered with a problem (RFC 9457); after the
// first byte only a bye event tells how it ended. The bytes after hello are
// package deliver's.
//
// On Linux a plain request for a stream never reaches net/http ([Server.Front]): it is
// read where it was accepted, and package deliver gets the socket. All other
// requests are net/http's; where one of them turns out to be for a stream, package
// deliver takes the connection from it, the handler returns and the stream goes on.
// Connections wait in the kernel, where they cost least, until they have asked
// something, and are let in only as fast as they are answered (front, throttle).
//
// A server that stops answers before it closes its listeners whoever has a connection
// then, also those that nobody has accepted yet ([Server.AnswerRest]): the kernel drops
// further handshakes, so that their number comes to an end.
//
// No middleware that wraps the ResponseWriter stands around /stream: such
// wrappers hide Flush errors and write deadlines. A writer that takes no deadline
// is refused with a 500 before a stream begins.
//
// # Compression
//
// Streams are compressed where Accept-Encoding asks for it ([coding]), from bytes
// that all clients share: see package wire. The dictionary of dcz has a route of
// its own, whose address holds its hash; the page fetches it before it opens its
// stream. Nothing else compresses: the other answers are small.
//
// # Filters
//
// /filters/check reads the parameters of a filter with the code that /stream
// reads them with, so that a filter is refused there in the same words. A post in
// its body goes through [fanout.Normalize] and the dialect of the source, as one
// from the upstream does; a bug that it finds there costs that one answer. At most
// maxChecks such bodies of at most maxPost bytes are held at once, each for
// little longer than WriteTimeout.
//
// Options.Judge says of a filter what the upstream can do for it: one that it can
// never satisfy is refused with a 400 that names the parameter, and what comes only
// by chance is told in the warnings of hello and of /filters/check. On the drop-in
// routes the first is a 406, or a rule that is not taken; for the second they have
// no words. Asked is what their rules ask for.
//
// # Search
//
// /search answers with one page, /search/pages walks over them. What both ask goes
// through one place (search.ask): the same question of clients that may see the
// same (Options.SearchScope) within SEARCH_CACHE, or at the same time, is one
// request of the [Searcher]. Nodes of a cluster share their answers too
// (Options.SearchShared), under a hash of the question, and wait for that 50 ms at
// most. What is asked for several goes on when one of them
// leaves. /search retries for 15 s and then gives up.
//
// A pager never gives up on what passes: each of its requests waits for a turn
// of the Searcher, climbs the back-off ladder after a failure and waits for the
// reset while the budget is used up; its client gets heartbeats. It is a
// goroutine and one page of memory, counts as a client, and holds nothing shared
// while it writes. Back in time it asks with max_id below the lowest id of the
// page and sends each page newest first, so that a post's id alone says what has
// been sent: the ids of its events (place) hold that, the counts so far and a
// hash of the question, and work in any process. Forward it pages back to the
// newest post it has sent before it sends anything, oldest first; a round of more
// than 16 MiB keeps its oldest posts, and the next round finds the others.
//
// A refusal that comes within a second is the pager's answer; a later one is the
// event "problem", after which the id ends in .end as after done. An id of
// another search, or one that cannot be read, begins anew, with a comment.
//
// # Twitter's and X's own paths
//
// Package compat answers them; here they are only mounted, and lent the places, the
// search and the limits of this server.
//
// # The last hour
//
// A sampler reads the metrics every five seconds, those of this package and those
// that Options brings, and keeps what happened in between: the numbers that
// /status?history= tells cannot be others than those of /metrics. It counts nothing
// itself, so no stream pays for it. Of filters it knows how many clients have each
// ([fanout.Stats]), not which they are: /status is public.
//
// # Overload
//
// A browser's EventSource gives up for ever on anything but a 200. So whoever
// says Accept: text/event-stream is told to come back much later in a 200 with
// a bye event; everybody else gets 429 or 503 with Retry-After.
//
// # Nodes
//
// A gateway may be one of several, with a history that comes from a bus. What the
// server needs of that are functions (Options.Cluster, Filling, Delete): it shows
// the state, serves no stream before the history is whole, and hands an operator's
// delete to who tells all nodes. A node that serves no clients at all
// (Options.Elsewhere) has only the routes that say how it is.
//
// # Trust
//
// Clients are counted by address: the peer's, or what the X-Forwarded-For of a
// trusted proxy says, read from the right; IPv6 by /64. Loopback is not counted.
// The admin listener is for operators: what changes something is checked for a
// Host that a DNS rebinding page cannot have, for Sec-Fetch-Site, and for the
// bearer token if one is set. With a token set everything there but /metrics asks for it.
//
// # Who owns what
//
// The caller owns the hub and the listeners; New starts the shards of package
// deliver, a goroutine that trims the hub once a second and one that takes the
// samples; Close stops them.
package server
