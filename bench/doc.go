// Command bench compares a built aviary with other servers on the same work and
// writes docs/benchmarks.md, a table and a plot.
//
//	go run .                               everything, in at most 20 minutes
//	go run . -only broadcast -peers aviary,floor -rounds 1 -for 1s
//
// Every server is a process of its own: aviary (built from the parent folder),
// floor/floor.c (a bare loop of send() calls: the kernel's own price), nchan in nginx and
// Pushpin (Debian's packages, installed when that can be done), the Go servers in
// peers/, and Mercure if the PATH has it (the build of its releases without Caddy,
// "mercure-legacy"). One that cannot be had is left out, loudly, on the page too. Its
// port is free, its files are in a scratch folder, and it is ended by its process id.
//
// The reader and the publisher are this process: the reader is package
// aviary/loadgen, one epoll loop. aviary is fed as the upstream that it really
// reads, over HTTP, so that decoding and matching are in its figures; the others
// get the same JSON in the cheapest way they have.
//
//   - broadcast: 1,000 clients at 10, 50 and 100 posts of 2.5 KB a second, and
//     saturated with 16 messages in flight.
//   - many: 9,000 clients: memory of an idle one, CPU and latency at 5 posts a second, and
//     for servers that can resume a storm: all leave, and come back at once with their last ids.
//   - topics: 10,000 clients with a topic (for aviary a filter) each, every post for one of them;
//     the first post to each topic apart.
//   - stalled: one client stops reading while 30 MB pass; the others' latency with and without it.
//   - gzip: aviary's compressed streams beside its plain ones.
//   - ingest, start, size: a file at FILE_RATE=max, exec to the first answer, the stripped binary.
//
// Rounds are interleaved: in each, every server takes its turn, and no server is
// always the first. Machines are noisy, so what counts are ratios of what stands
// side by side, and the median of the rounds. Figures that have a bound are
// printed with it at the end, and the exit code is 1 if one was missed.
//
// All traffic stays on loopback, is bounded in count and time, and ends by
// itself. Numbers and times stand in the posts, so every delivery is checked for being
// lost, repeated and late.
package main
