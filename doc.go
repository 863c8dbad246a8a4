// Aviary takes one stream of posts from X's API v2 or Twitter's v1.1 streaming API
// (or from a simulator, or from a capture) and serves it to thousands of clients as
// Server-Sent Events or NDJSON, each with its own filter.
//
//	aviary              the gateway, the same as aviary serve
//	aviary sim          the simulator alone: a fake Twitter on the real wire
//	aviary tail URL     follows a gateway's stream in a terminal
//	aviary bench URL    loads a gateway with many streams and says what came
//	aviary env          every setting, its default and its value
//	aviary healthcheck  exits 0 if the local gateway answers
//	aviary version      version, commit, Go version
//
// Settings come from the environment only; the README and `aviary env` list
// them. The exit code is 0 when the program was asked to stop, 1 when it failed
// while running (a port in use counts as that) or was told twice to stop, and 2
// when the settings or the command line are wrong: then all problems are
// printed at once and nothing was opened.
//
// # How the program is put together
//
// This package only reads settings, wires the parts and starts and stops them
// in order; it decides nothing about posts. Data flows one way:
//
//	upstream/…  ──publish──►  fanout  ◄──cursor──  server  ──►  sockets
//
// upstream and server never import each other: this package hands the server
// what it shows of the upstream as functions.
//
// A program value is all of the world that the program touches: arguments,
// environment, listening, dialling, writers and signals. So a test can run the
// whole of it in one process, over in-memory pipes and in virtual time.
//
// # One node or several
//
// With a bus (DATA_DIR or NATS_URL) the arrow has one more piece:
//
//	upstream/…  ──publish──►  bus  ──reader──►  fanout  ◄──cursor──  server
//
// The first half runs on the node that holds the lease on the upstream (type
// cluster), the second on all. Without a bus the same lease is in memory and the
// runner publishes straight into the history. States of the upstream go to clients
// in one place (announcer): they come from the node's own runner, from the leader,
// or from the node's way to the bus.
//
// # Starting and stopping
//
// Start: settings, logger, descriptor limit, memory limit, listeners, history,
// source, bus, server, then the bus is read, and only when that is done a node may
// hold the upstream. Stop, when SIGTERM,
// SIGINT or the context says so: the server says it is draining (readyz 503,
// new streams get bye), the upstream closes, every client gets bye, and when all
// is written, at latest after DRAIN, the listeners close. A second signal ends
// the program at once with exit code 1. SIGHUP reads the secret files and the
// TLS files again and then makes the upstream connect if it had halted.
package main
