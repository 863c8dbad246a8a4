// Package deliver owns the streaming clients of the gateway: it lets them in,
// writes to their sockets, notices the slow and the departed, and says goodbye.
//
// # A client's life
//
// The handler of a request asks [Clients.Admit] for a [Client], subscribes it to
// the hub with the bell of its shard, and calls [Client.Serve]:
//
//	opening bytes → missed tombstones → a gap, if history was lost → events … → bye
//
// What comes next for a client is one piece of code (feed) on every path: it pulls
// from the subscription, applies limit and max_rate, and fills a batch of shared
// frames. Paths differ in who writes the batch, and in what a full socket means.
//
// # Shards
//
// A plain HTTP/1 connection on Linux is a shard's as soon as the request has been
// understood: whoever did writes head, opening and the first missed events and
// hands the descriptor over, its own (Take) or a duplicate of what net/http has
// (Serve), and returns. Nothing of net/http is left; an idle client is about half a kilobyte of Go's heap. Such a
// stream ends with its connection (Connection: close), as the SSE recommendation
// advises.
//
// A shard is one loop, one bell of the hub and one epoll (poller); there is one
// for each processor. Its sockets are written without waiting, through the system
// call itself. A turn of the loop is: what is new for live clients, then 2 ms of
// work for those that are behind, and once a second a sweep over all.
//
//   - A client is live if it has had everything up to the shard's last round. Live
//     clients of the same filter and form are a cohort: the frames of a round are
//     looked up once, and each member costs one writev of the same vector. A
//     member has no cursor: the cohort's counts, its last write and its place in
//     the log are the member's, and are put on its account when it leaves. While a
//     shard writes one round, and for a few times as long behind it, the next
//     events gather: under load k events go out in one write.
//   - All others are behind: they have a cursor and pull slices of at most 64 KiB,
//     in turn. Clients with limit or max_rate always pull for themselves.
//
// To wake a loop for one writev costs more than the writev. A round for a handful
// of clients is therefore served by the goroutine that publishes (fanout.Bell.Lend),
// if the shard is at rest: it takes the loop's turn if that is free, and leaves to
// the loop what is not written in the first attempt. It gives a fifth of its time to
// that at most.
//
// A socket that takes less than it was given is full. Its client leaves the live
// ones with the rest of the one frame that was cut; its cursor stands behind that
// frame, so that what is deleted before there is room again is not sent. It costs
// no goroutine and no timer: epoll, asked when a socket is full for the first
// time, rouses it. Frames that belong together (a gap or a match with its post)
// are one unit and cut as one.
//
// # Goroutines
//
// TLS, HTTP/2, pipes and other systems keep the handler's goroutine, which sleeps
// on a channel of one slot until its shard's loop rings, writes all that is
// pending through the ResponseWriter, and sleeps again. Every write has a deadline
// of WriteTimeout, renewed when an eighth of it has passed and not before each
// write: setting a deadline costs a timer. GET /clients says which path a client
// is on.
//
// # Ends
//
// A shard's client that takes no byte for WriteTimeout is tried once more, without
// waiting, for the rest and a bye, and reset (linger 0), so that the kernel drops
// what it held. All other goodbyes are followed by FIN; they are not lost
// if the client is still sending, because its socket is read for a second
// before it is closed. Departed clients are seen by epoll (RDHUP). A client that
// shuts only its sending side counts as departed on every path: net/http takes
// it so too.
//
// A panic is a bug, and costs no more than it must: one while a client is served
// resets that client, one in a round the cohort it happened in, any other all
// clients of the shard. They come back with their cursors; the loop goes on.
//
// # Compression
//
// Blocks of events are shared in every coding (package wire). A gzip client has a
// sum of its own, eight bytes; that of a batch is added to it in some nanoseconds.
// Words for one client are stored, not compressed.
//
// # Storms
//
// A reconnect with ten missed posts costs about 55 µs of CPU, most of it the kernel's, so
// two processors take 10,000 clients in a second if they must; after a drain
// they come spread over Retry to Retry + Drain. The encodings of what they missed are
// built once. Live clients wait at most for a slice of the newcomers' work.
package deliver
