// Package loadgen opens many event streams at once and reads them all, cheaply
// enough that ten thousand readers and the server can share a small machine. It
// is what `aviary bench` and the comparison in bench/ measure with.
//
// A [Fleet] dials, sends one request a stream and then reads. On Linux all plain
// TCP streams belong to one goroutine with an epoll descriptor of its own and one
// buffer: a stream costs its descriptor and, while an event is in parts, that
// event's first part. TLS, connections that are no TCP sockets, and other systems
// get a goroutine a stream; so do the few streams of which the caller asks that
// they be decoded. Everything else with a Content-Encoding is counted in bytes and not
// looked into: inflating ten thousand copies would measure the reader.
//
// What comes is handed to a [Reader] event by event, always under the fleet's
// lock and in the order of each stream, with the time at which the bytes were
// taken from the kernel. So a Reader needs no lock of its own; others look at
// its figures inside [Fleet.Locked].
//
// The reader's own queue is part of every latency that is measured this way:
// while the one goroutine is busy, arrived bytes wait. [Fleet.Busy] says how busy
// it was; near 100 % the figures are those of the reader and not of the server.
//
// A [Histogram] holds latencies within 1 % in fixed space. [Measure] reads what a
// server's process and its children have used, from the kernel's books.
package loadgen
