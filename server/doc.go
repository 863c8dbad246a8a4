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
// No middleware that wraps the ResponseWriter stands around /stream: such
// wrappers hide Flush errors and write deadlines. A writer that takes no deadline
// is refused with a 500 before a stream begins.
//
// # Overload
//
// A browser's EventSource gives up for ever on anything but a 200. So whoever
// says Accept: text/event-stream is told to come back much later in a 200 with
// a bye event; everybody else gets 429 or 503 with Retry-After.
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
// deliver and a goroutine that trims the hub once a second, Close stops them.
package server
