// Package fanout is the core: one bounded log of events in memory, and for every
// client a cursor in it. Sources push with Publish, servers pull with Next. Live
// delivery, replay after a reconnect and catching up when slow are the same code.
// The package does no I/O and starts no goroutine.
//
// # What holds
//
//  1. Publish waits for no client, and the package does no I/O; what a bell's owner
//     has the publisher do (Bell.Lend) must not wait either. There is one lock, a
//     leaf: nothing is built, encoded, sent or locked under it, and the work under
//     it grows with what an event touches, not with how many clients there are.
//  2. A published Event never changes. What changes is its slot in the log, which
//     can be emptied by a delete.
//  3. Every client sees events in the order of the log. What it does not get it is
//     told: by a Gap, in Resume or from Next. Nothing is left out silently.
//  4. At least once across reconnects, never twice on one connection.
//  5. How many upstream streams there are is not decided here: producers that
//     agree on one number sequence (Event.ID set before Publish) may feed the same
//     clients from many hubs.
//  6. No event can stop the hub. A post that could not be decoded, an event
//     without a dialect, a gap without a count all have a meaning.
//  7. A client costs its own Subscription, some hundred bytes, and its share of a
//     group. A slow one costs nobody else anything: it lags inside the log and is
//     overtaken by it.
//  8. A deleted post is not served again. Next reads the slots at the moment it is
//     called; only who already holds an *Event may write it to the end.
//  9. The hub knows no secrets and logs nothing.
//
// # Positions, sequences, cursors
//
// Inside, everything counts in positions: dense numbers of slots. Outside, a
// Cursor is epoch and sequence. The sequence is the publisher's and may have
// holes; it is looked up once, when a client subscribes. Gaps and states of the
// upstream take a position but no sequence: they carry the last one given, and a
// client that comes back with that cursor meets them again (gaps) or not at all
// (states of the upstream are only for those who were there).
//
// A publisher that numbers and dates its events (a bus) has both kept: ID.Seq and
// Received. When its numbers begin anew, Renew makes the log another life with
// another epoch.
//
// # The life of an event
//
// A source makes it with NewEvent, which normalises the JSON once, into a buffer
// with room for the SSE frame around it, and sets Kind, Post and so on. Publish
// refuses duplicates (the last 50,000 posts of a source are known by id) and posts
// that were deleted, or that repost or quote a deleted one. It stamps the event,
// lets a delete take its victims out of their slots, puts the event into the slot
// at the head, asks the index which groups of equal filters it matches, trims the
// log to its bounds, and after unlocking rings the bells of those groups. Other forms of the event are built by
// whoever needs one first (Encoding) and shared; they count against a budget of
// their own, a quarter of Config.Bytes, from which the oldest events lose theirs
// first. Trimmed, the slot goes; who is writing the event keeps its bytes until
// done.
//
// # The life of a client
//
// Subscribe puts it in the group of its filter, works out where it starts and what
// it must hear first: hello's id, deletes it slept through, a gap. Then its owner
// calls Next whenever the bell has rung and there is room in the socket. Close to
// the head the group's list of recent matches answers; further back a segment's
// postings do, built once by the first who needs them, outside the lock: of a full
// segment for the whole, of the one at the head for every 128 events. What a new
// filter's replay costs is the posts it matches, and few look at the same post
// twice; Stats.PostingsBytes is what that holds, some five bytes for each feature
// of the posts, which Config.Bytes counts with eight. A client
// that the log overtakes is told the deletes it missed, then one gap with the
// exact number of posts that matched its filter and went by (deleted ones too:
// they were published and it did not get them), and goes on from the middle of
// what is held. If nothing that it wanted went by, it notices nothing. Close
// leaves the group; the last member takes the group along.
//
// # Owning many clients
//
// A Bell belongs to one goroutine that serves many subscriptions, such as a
// shard; it rings once for any number of events. What few of them wait for the
// owner can have served on the goroutine that publishes, so that it need not be
// woken (Lend). The owner either calls Next of
// each subscription it has reason to, or takes a Round: everything new for its
// subscriptions, group by group, so that all members of a group at the head share
// one list and none of them is asked. Subscription.Live says who may be served so,
// Passed puts the others' cursors right.
//
// # What is asked for
//
// Hub.Filters tells which filters clients have, and how many clients or, where
// SubscribeOptions has a Key, whose: so that an upstream can be asked for it. What
// did not come for want of that, Hub.TellGap tells the clients of those filters and
// nobody else.
//
// # Deletes
//
// A delete is aimed at whoever its post matched; its features stay on the delete.
// If the post is no longer held but was seen, everybody is told; if it was never
// seen, only those who have no filter, or ask for it. It takes held reposts and
// quotes along (Post.Refs), and a tombstone keeps all of them from coming back.
// Tombstones outlive the log: Config.Age, at most a million. A million deletes of
// posts never seen weigh about 700 MB; Config.Bytes does not count them.
//
// # Ages
//
// Trimming happens on Publish and Subscribe. A quiet hub ages only if its owner
// calls Trim, once a second or so. Received never goes back, and ages go by the
// monotonic clock.
package fanout
