// Package deliver owns the streaming clients of the gateway: it lets them in,
// writes to their sockets, notices the slow and the departed, and says goodbye.
//
// # A client's life
//
// The handler of a request asks [Clients.Admit] for a [Client], subscribes it to
// the hub with the bell of its shard, and calls [Client.Serve], which returns
// when the stream is over. Serve runs on the handler's goroutine and is the only
// writer of that connection:
//
//	opening bytes → missed tombstones → a gap, if history was lost → events … → bye
//
// After that it pulls: Subscription.Next gives the events it has not had, they
// are written, and when there are no more it sleeps on a channel of one slot.
//
// # Shards
//
// A shard is one goroutine with one bell of the hub. It rings the clients whose
// filter matched, and looks over all its clients a few times in each heartbeat:
// who was silent for too long, who is too old. So an idle client costs no timer,
// and a busy one no timer per event. A shard never writes to a socket and never
// waits for a client.
//
// # Writing
//
// Everything that is pending for a client goes out in one write of at most
// 64 KiB and one flush. One frame is written from the bytes all clients share;
// several are gathered in a pooled buffer, since net/http knows no writev. Only as
// many events are pulled as one such write is expected to hold: a post that is
// deleted while a client is stuck has not been fetched yet and is not sent.
//
// Every write has a deadline of WriteTimeout, renewed when an eighth of it has
// passed and not before each write: setting a deadline costs a timer. A client
// that misses it is closed with a reset (linger 0), so that the kernel drops what it held.
//
// HTTP/1.1 streams are delimited by the end of the connection
// (Transfer-Encoding: identity inside net/http, as the SSE recommendation
// advises): chunking would turn one write to the kernel into three.
package deliver
