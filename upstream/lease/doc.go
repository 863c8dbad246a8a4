// Package lease sees to it that of all nodes one opens the upstream's streams, and
// that together they never hold more of them than the upstream allows. One node
// alone goes through the same states with everything in memory.
//
// # States
//
//	follower ──leader's key gone, taken──► elect ──► acquire ──► connect ──► stream
//	    ▲                                    │          (upstream.Runner)      │
//	    │                                    └── a halt is on record ─► halted │
//	    ├── demoted ◄── the lease ran out, or a higher term was read ──────────┤
//	    └── leaving ◄── asked to stop, a second stream is allowed ─────────────┘
//
// A Node campaigns: it watches the leader's key, asks for it every eighth of the
// TTL as well (an Edge every TTL), and creates it when it is gone, or takes it over when
// it is offered. Who has it leads: Config.Lead
// runs the Runner, whose slots, standing, Opened and Valid are this Node's.
//
// # The lease
//
// Keys in LEASE vanish a TTL (2 s) after their last write. A hold renews its key
// every third of that, and counts as valid until 0.8 TTL after the moment at which
// the last renewal that arrived was sent: it ends before the key can vanish,
// whatever the way there and back took. When an answer is lost the key is read: the
// nonce and the number of the write in its value tell which write arrived. Every
// call has a deadline of TTL/6, and a timer, not the call, ends the validity.
//
// A term is the revision at which the leader's key was created. Whoever publishes
// asks Term (or Valid) before each event: a process that was stopped past its lease
// finds out before it says anything. What slips through between the question and the
// bus is dropped by the readers, by every one alike, as its term is lower than one
// they have seen. Terms never fall: if the bucket was made anew, the highest
// term that the bus holds (Saw) is added, and kept as "term.offset" in STATE.
//
// A key that goes sooner than for want of renewal was removed by somebody, maybe with
// the whole bucket, and its holder may not know yet. So whoever has seen it written
// waits until 0.8 TTL after that. This cannot be known to a node that has not seen
// it, because it has just begun.
//
// Nobody can ask whether a lease is valid on behalf of the upstream: a process that is
// stopped just while it opens a stream, past its lease, may send that request when it
// goes on, and the upstream then may cut the stream of the leader.
//
// # Slots
//
// A stream needs a slot: slot.1 … slot.N. The key in LEASE says who holds it; the
// record in STATE says whether a stream is open in it, so that a slot whose key
// vanished while its record says open is known to be one that died unnoticed. It
// cools for StallTimeout and counts as open: upstream.Slots says what that means.
// A new leader takes another slot than the last marker names, if it can. A slot that
// cannot be renewed ends the leadership, as the lease does.
//
// # What a new leader knows
//
// The standing (upstream.Keeper) lies in STATE as "upstream": a new leader waits
// out the wait and the halt of the last, on the same steps of the ladders. A halt
// ends when a person asks any node for a new connection (Reconnect), or when a
// leader comes whose Settings are others. Followers are Told the state as it changes, or
// the leader's Trouble while its posts do not get as far as the bus.
//
// Before the first post of a stream the leader puts a Marker on the bus. The posts
// between the last event before that and the first of the new stream may be
// missing, and a gap says so, unless the last leader is known to have been streaming still when the
// new stream was accepted: it is leaving, and has renewed its slot twice since. The gap
// begins when that event was received, or as long before as it lay unread by a leader
// that was held up, and what was lost behind it; 0.8 TTL at most, without a lease it would
// not be on the bus.
//
// # Handing over
//
// When Run's context ends, a leader with a second stream allowed says in its slots
// that it is leaving, offers the leader's key by the same word, and publishes on, under its old term,
// until it reads a higher term's marker; no longer than 5 s, and not if within half
// a TTL nobody wants to lead. Meanwhile it renews its slots every 48th of the TTL. Then it closes its stream and frees the slot. With one
// stream allowed it closes, frees and offers in this order.
//
// # In STATE
//
//	upstream      upstream.Standing, with the term and the settings it was written under, and the leader's trouble
//	slot.N        {term, open, died}
//	reconnect     who asked last; its revision is what counts
//	term.offset   what is added to revisions
package lease
