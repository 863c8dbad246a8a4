// Package wire turns events into bytes: server-sent events (HTML Standard
// 9.2.6) and NDJSON (one JSON object a line).
//
// The bytes of an event are the same for every client that wants the same form,
// so they are made once and shared. In the plain form they are not made at all:
// an event's JSON lies inside its SSE frame, and its NDJSON line lies in there
// too. Whatever SSE, NDJSON and Tombstone return belongs to the event; nobody
// writes into it.
//
//	id: k3f9a1-4712                     event: delete
//	data: {"id_str":"1",…}              id: k3f9a1-4713
//	                                    data: {"delete":{…}}
//
// A post has no event line, so that a browser's onmessage gets it; everything
// else is named by its Kind, never by input. Only posts have payloads, other
// kinds are always as they came.
//
// What concerns one client only (hello, gap, bye, heartbeats) is appended to that
// client's buffer by the Append functions. They cut CR, LF and NUL out of names
// and ids, which would end a field or make a browser ignore it, and split data
// at line ends, so that no input can forge a field.
//
// Encoding slots 0 and up to 7 of an event are this package's; see slotCompact
// and its neighbours.
package wire
