// Package file replays a capture: a file with one JSON message a line, as
// NDJSON or with the CRLF line ends of a v1.1 stream, plain or gzipped (told by
// its first bytes, whatever its name). If the first line end is an LF, every LF
// ends a message; if it is a CRLF, an LF does behind a whole message, and one
// inside a message belongs to it. Blank lines and byte order marks are passed
// over, lines that cannot be decoded are dropped and counted.
//
// The pace is that of the recording (by the messages' own time stamps; pauses
// are cut to MaxPause), a number of posts per second, or as fast as it goes.
//
// Each lap, and each replay after a reconnect, is a new Window of events, so
// that the hub does not take its posts for duplicates of the last lap's. At the
// end, unless it loops, the error is Fatal: the upstream halts with "end of
// file" and what was replayed is served on.
package file
