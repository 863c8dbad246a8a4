// Package bus is the log that outlives the process and that many nodes share: a
// stream of NATS JetStream. One machine has it embedded, a server in this process
// over a directory, without a port; a cluster has it outside. The code is the same.
//
//	leader: source ──Publisher──►  stream  ──Source──► hub of every node, the leader's too
//
// # The stream
//
// One stream, named Config.Name, with three kinds of subjects:
//
//	aviary.ev               posts, notices, gaps: they age with the history (Nats-TTL)
//	aviary.tomb.<id>        what takes a post away; aviary.tomb.by.<author>: posts of an author
//	aviary.term             markers: who leads, from which message on
//
// Files, at most HISTORY_EVENTS messages a subject, the oldest go first. Deletes
// and markers stay for seven days, or a day longer than the history. There is no
// bound in bytes, which would take deletes first: the leader purges events (Lead).
// Settings that change are brought to the stream when a process starts that may lead (others
// leave its bounds, Config.Guest), and when it stores nothing: somebody may have changed it. What
// somebody else set, such as placement or compression, stays. A stream or a bucket that is
// deleted in use is made again, a second later: until then the server may still be removing the
// old files, and the new stream would take up what is left of them.
//
// A message's body is the event's JSON; everything else is in its headers
// (message.go), readable with the nats command. Nats-Msg-Id is <term>-<n>, never
// a post's id: a stale leader's copy must not mask the one of its successor.
//
// # Terms and the fence
//
// Each leader has a term, higher than all before: a revision of the bucket of
// leases, which is made so that it never hands out one that is on the bus. It
// begins with a marker. A reader drops what has a lower term than the highest it has read. So
// does one that comes later: markers live longer than events and are written again
// every hour, so before any event of a stale leader that is still held lies a
// marker of its successor. Operators' deletes (Delete) have no term.
//
// # Sequences and epochs
//
// The stream's sequence is the event's: the same cursor works on every node and
// after a restart. Holes are normal: markers, gaps, what was dropped, deleted or
// has aged. The epoch is in the stream's metadata. It is drawn anew when
// the stream is made, when a directory turns out to be a copy (the file "place" in it
// knows its own inode and birth), when the machine went down under the process that used the directory
// (the file "running"; on Linux), and when the stream ends before where it had
// come (a note of the leader, or what this node has read): a backup was restored.
// The Source then tells the new epoch (SourceConfig.Renewed) and reads from the
// beginning; the hub forgets what it holds (Hub.Renew). What cannot be seen is a
// file system that was turned back beneath a stopped process as a whole.
//
// # Publishing
//
// Publisher takes an event at once and sends in the background, at most 1,024
// ahead of what is acknowledged; its doc says what becomes of order when things
// fail. A source that is quicker than the bus waits in Publish once 2,048 messages or
// 4 MiB wait, as long as they get fewer. While the bus is away 16,384 messages or 64 MiB wait, as long as the lease
// is valid. Acknowledged means: in the server's file, on as many servers as
// NATS_REPLICAS says. It outlives the end of the process, however that comes; a machine that loses
// power may lose what its kernel had not written yet, at most two minutes of it.
//
// # Reading
//
// Source is an upstream.Source: one connection is one ordered reading, which
// begins behind the last message read and ends at the first sign of a loss on the
// way; the next one goes on. Nothing is read twice and nothing left out. If
// the stream no longer holds what comes next, a gap says so; Lost tells the hub what had
// gone before the first reading, for clients that come with older cursors. Filled tells
// that the history is there. A consumer that says nothing for 1.6 s, or whose
// connection ends, is given up at once for another one, on any server.
//
// # What a server takes along when it dies
//
// It may lose some of a volley while another stores what came behind. The publisher sees
// that a later message is acknowledged and an earlier one is not, and sends again: those come
// late. If its term ends first, they never come. Numbers within a term are dense, and
// what is deleted leaves a hole in the sequences too, so readers see what was never
// stored (hole.go): Heard stays before it, and the next leader's gap begins there; if that leader
// tells none, each reader does.
//
// # Deletes
//
// Who reads a delete, or anything else that takes posts away, knows under which
// sequences the posts, their copies, reposts and quotes lie (held.go). The leader
// overwrites them in the store; a leader that comes later does so again. Copies that come after
// the delete go too. An embedded server that was killed between marking and
// overwriting has that finished before it starts (scrub.go). In a cluster the servers' own replication logs hold the words
// until they are compacted.
//
// # When things go wrong
//
// Open fails for settings that somebody must put right. All else is a state, told by
// Status with a hint, and tried again for ever: servers that are away, too old,
// without JetStream, without permission, fewer than NATS_REPLICAS; messages that are
// not stored though all else is well; answers too late to hold a lease on; a disk that is
// full. An embedded server that cannot write is started again every few seconds until it can. A
// store in which the stream cannot be read any more is put aside
// (store.damaged-<time>), which the log and Status.Damaged tell, and an empty one
// begins, with a new epoch.
//
// # Buckets
//
// Leases and States are lease.Stores on two key-value buckets, in files, so that
// revisions, and with them terms, go on after everything was restarted. Answers is
// one in the servers' memory; the bus is well without it.
//
// # Measured
//
// On two cores, 3 KB posts: publishing costs 7 µs of the process's own CPU a post
// (server apart), 25 µs with the embedded server's work; 20,000 events are in the hub
// 0.5 to 1.1 s after the store is opened (BenchmarkPublish, BenchmarkFill). The embedded
// server adds, to what the same process takes without it, 11 MB of resident memory at rest
// (5 MB of it pages of the program), and 12 MB from 15 s after a volley of 22,000 posts on.
// During the volley it is 110 to 130 MB, and then 70 to 90 MB: the server holds each
// block of 8 MB that it wrote and a consumer read until 10 s after the last access, and has
// no setting for that. giveBack (memory.go) sees to the rest; it costs about a sixth of the CPU
// time of a start, and nothing at rest.
package bus
