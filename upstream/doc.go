// Package upstream keeps one connection to a source of events alive. It knows
// no API: a Source opens one connection and says how it ended, the Runner
// decides when the next one may be opened.
//
// # The life of a connection
//
//	connecting ──first byte──► streaming ──ends──► backing_off ──wait over──► connecting
//	    └────────── fails ─────────────────────────────┘  └── Fatal ──► halted ──Reconnect──► connecting
//	                              streaming ──Switch──► switching ──► streaming
//
// Reconnect leaves backing_off and halted, and while streaming it closes the
// stream in order and goes straight to connecting: no ladder, no cooling slot,
// and the immediate reconnect of the minute is not used up.
//
// A connection is established once it brought one whole message, or bytes for
// 30 s. Only the end of an established one is answered by an immediate
// reconnect, at most once a minute, and only an established one takes the
// ladders back to their first step: an upstream that answers 200 and closes is
// met with ladders, not with a hot loop. Streams that bring a message and end,
// again and again, are flapping: between the immediate reconnects they meet a
// linear ladder of their own, which only a stream that lasts a minute takes back.
// A disconnect message alone makes a connection established unless it ends as
// RateLimit: being turned away must not take back the ladder for being turned away.
//
// # Ladders
//
// The figures are those that Twitter published for its streams; each is a
// setting.
//
//	Network, Stall   250 ms, 500 ms, 750 ms … 16 s     (+ 250 ms each)
//	HTTP             5 s, 10 s, 20 s … 320 s           (doubling)
//	RateLimit        1 m, 2 m, 4 m … 16 m              (doubling)
//	Fatal            halts: no attempt until Reconnect
//
// Each class climbs its own ladder. The wait is the ladder's step or what the
// server asked for (RetryAfter, at most RateLimitMax), whichever is longer,
// and 0–10 % of jitter on top (two minutes at most); it is never shorter than the figure. An upstream
// that will not serve us before a time it names (NotBefore: a month's quota is
// spent) is left alone until then, however far that is.
//
// The stall timer runs from before the connection is dialled; any byte
// restarts it. When it fires the context of the stream is cancelled.
//
// # Slots
//
// At most StreamLimit streams are open at the upstream, and each has one of the
// Slots. A stream that died uncleanly (a stall, a reset, a truncated body) may still
// be counted by the upstream: its slot cools for StallTimeout. When no slot is left
// but such, a v1.1 upstream cuts the oldest, so its slot is taken; an upstream that
// refuses instead (HoldsSlots) is left alone until one has cooled. NewSlots are
// those of a process that has the upstream for itself; several processes share
// others.
//
// # Switching
//
// Switch says that the source would ask for something else. The new stream is
// opened in a second slot while the old one goes on. Its first message (or 30 s of
// bytes) makes it the active one; the old one is read for 2 s more, as what the
// upstream sent before may be on its way, and is closed in order. Both publish:
// whoever keeps the log drops what comes twice. The state is "switching" until the
// old one is closed.
//
//	the new one fails           the old one stays, and shows why; another is tried by
//	                            the ladder of the failure, in a slot that is free
//	it fails as Fatal           nothing is tried until the next Switch
//	the old one ends meanwhile  the new one takes its place: an upstream that cuts the
//	                            old one (code 7) does what was wanted
//	no slot is certainly free   the old one is closed first, and the gap is told
//
// Calls within 250 ms and those while a switch is under way are one. A switch waits
// until it and one connection in reserve fit ConnectLimit in ConnectsWithin (5 in
// 5 minutes, as v1.1 allows); reconnects count, but never wait for it.
//
// # One after another
//
// Run can be called again, and another process can go on where this one stopped:
// the Keeper keeps the state, the ladders' steps, the time of the next attempt and
// the last connects. A halt stays one, in whatever process, until Reconnect.
// Opened lets the first byte of a stream through, after whatever has to be said
// before; while Valid is false the end of a stream is not taken for what it says.
//
// # What is told
//
// State changes are published as KindUpstream events and shown by Status.
// After an outage a KindGap event, from the last byte to now, is published
// right before the first post. If the process was held up and the last post was read
// that much later than others, the gap begins so much earlier: what was lost may have
// lain behind it. Panics in a source are recovered, counted and treated like HTTP errors.
//
// # Frames
//
// Frames splits a byte stream into messages; sources share it.
//
// # Searching
//
// A Searcher is how the past of a source is asked for, whatever its API.
package upstream
