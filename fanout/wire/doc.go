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
// What concerns one client only (hello, gap, bye) is appended to that client's
// buffer by the Append functions. They cut CR, LF and NUL out of names
// and ids, which would end a field or make a browser ignore it, and split data
// at line ends, so that no input can forge a field.
//
// # Codings
//
// Coded gives the same bytes in a content coding: gzip, zstd, or zstd with a
// dictionary (dcz, RFC 9842). An event is compressed when the first client needs
// it, once for each coding, format and payload, and shared. Whatever part of the
// events a filter gives a client is a valid stream, because every block stands
// alone: it begins and ends on a byte, refers to nothing before itself (but to
// the dictionary), and can be read to its end as soon as it is there.
//
//	          head               an event             for one client     tail
//	gzip      header             deflate, sync flush  stored blocks      last block, CRC, size
//	zstd      –                  a frame              frame, raw blocks  –
//	dcz       dictionary's hash  a frame              frame, raw blocks  –
//
// What concerns one client only is not compressed: AppendPlain puts a few bytes
// around it. gzip's trailer needs the CRC of all plain bytes of one stream. A
// client keeps it in a Sum, 8 bytes, and adds whole batches of events by a
// multiplication of polynomials that is prepared once for all clients (Batch).
//
// An event of 3 KB takes about 30 µs in each coding, with at most four encoders of
// 1 to 3 MB; none of them starts a goroutine. In stream posts gzip and zstd leave
// 27 to 40 % of the bytes, dcz 16 to 17 %, and of compact posts 6 to 10 % of the
// full ones (TestRatio).
//
// The dictionary is trained on made-up posts by the tests (go generate): posts
// written by hand in all the forms in which they reach a gateway, and what the
// simulator's posts have in common. Only its schema, its order and its defaults
// are those of real services. The hash of the dictionary is in its address, so
// training it anew costs every reader one fetch and nothing else.
//
// Encoding slots 0 to 20 of an event are this package's; see slotCompact
// and its neighbours.
package wire
