package deliver

import (
	"bytes"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"aviary/fanout"
)

// seat is a client's place in the shard that owns its socket. Everything in it
// is owned by the shard's loop.
type seat struct {
	group     *group
	cohort    *cohort // while it is live
	rest      []byte  // of the frame that was cut; it goes out before anything else
	posts     uint64  // delivered
	told      uint64  // the sequence told last
	lastWrite int64   // when bytes were taken last
	stuck     int64   // while blocked: since when nothing was taken
	tell      int64   // when skipped posts are to be told; 0: none
	socket    int32
	slot      int32 // in shard.table
	turn      int32 // counts the clients that have had the slot
	place     int32 // in shard.owned
	index     int32 // in cohort.members, or in group.pulling
	leaving   Reason
	queued    bool
	blocked   bool // the socket is full: it waits for room
	watched   bool // the poller tells of room
	beat      bool // a heartbeat is due
	gone      bool
}

// handOver gives the client's socket to its shard, if a shard can own it: a plain
// TCP connection that speaks HTTP/1. It returns false, and has done nothing, if
// not.
func (c *Client) handOver(w http.ResponseWriter, r *http.Request, s *Stream) bool {
	if r.ProtoMajor != 1 {
		return false
	}
	socket, ok := takeSocket(s.Conn)
	if !ok {
		return false
	}
	if !c.shard.poller.start(c.shard) || !hijack(w) {
		closeSocket(socket)
		return false
	}
	c.sit(socket, w.Header(), r, s)
	return true
}

// Take has the client served by its shard on a socket that nobody else owns: the
// descriptor of a TCP connection, non-blocking, on which a request of HTTP/1 has
// been read and nothing written. header are those of the response. It returns
// false if there can be no shards: the socket is still the caller's then. In any
// case the subscription will be closed and the client's place given back.
func (c *Client) Take(socket int, header http.Header, r *http.Request, s *Stream) bool {
	if !c.shard.poller.start(c.shard) {
		s.Sub.Close()
		c.Leave()
		return false
	}
	c.begin(s)
	c.sit(socket, header, r, s)
	return true
}

// sit gives the client its socket, writes what is there, and has the shard go on.
func (c *Client) sit(socket int, header http.Header, r *http.Request, s *Stream) {
	c.socket = int32(socket)
	c.clients.sockets.Add(1)
	c.clients.metrics.opened(c.form)
	reason := Failed // should anything below panic
	defer func() {
		if reason != Open {
			c.abandon(reason)
		}
	}()
	if err := c.greet(header, r, s); err != nil {
		reason = Gone
	} else if reason = Gone; c.shard.do(func() { c.shard.guard(c, c.shard.admit) }) {
		reason = Open
	}
}

// greet writes the head and the opening, and what the client has missed if that
// is not much.
func (c *Client) greet(header http.Header, r *http.Request, s *Stream) error {
	b := batches.Get().(*batch)
	defer b.release()
	head := appendHead(make([]byte, 0, 512), r, header)
	c.open(b, head, s.Opening)
	if c.late == nil {
		b.pull = 2 * pullFirst
		c.fill(b, &noRound)
	}
	b.vector.set(b.blocks)
	n, err := b.vector.write(int(c.socket))
	if n < b.size && err == nil {
		c.rest = c.cut(b, n)
		c.blocked = true
	} else {
		c.wrote(b)
	}
	c.account(c.shard, b, max(0, n-len(head))) // the head is no part of the stream
	c.stuck = c.lastWrite
	return err
}

// abandon ends a client that has come to no shard.
func (c *Client) abandon(r Reason) {
	if r == Failed {
		resetOnClose(int(c.socket)) // the client must not take this for a clean end
	}
	c.clients.closeSocket(int(c.socket))
	c.sub.Close()
	c.over(r)
	c.Leave()
}

// noRound is for a client that no shard's round concerns yet: all of the log.
var noRound = fanout.Round{To: math.MaxUint64 - 1}

// hijack takes the connection from package net/http, whose descriptor is one of
// two by now.
func hijack(w http.ResponseWriter) bool {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close() // the socket lives on
	}
	return err == nil
}

// appendHead appends the head of a response that ends with its connection.
func appendHead(dst []byte, r *http.Request, h http.Header) []byte {
	if r.ProtoAtLeast(1, 1) {
		dst = append(dst, "HTTP/1.1 200 OK\r\n"...)
	} else {
		dst = append(dst, "HTTP/1.0 200 OK\r\n"...)
	}
	dst = append(appendFields(dst, h), "Date: "...)
	dst = time.Now().UTC().AppendFormat(dst, http.TimeFormat)
	return append(dst, "\r\nConnection: close\r\n\r\n"...)
}

// appendFields appends what http.Header.Write writes.
func appendFields(dst []byte, h http.Header) []byte {
	var room [16]string
	names := room[:0]
	for name, values := range h {
		if slices.ContainsFunc(values, func(v string) bool { return strings.ContainsAny(v, "\r\n") }) {
			fields := bytes.NewBuffer(dst)
			_ = h.Write(fields) // a buffer takes everything
			return fields.Bytes()
		}
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range h[name] {
			dst = append(append(append(append(dst, name...), ": "...), value...), "\r\n"...)
		}
	}
	return dst
}

// admit takes a client in, whose socket has had the opening.
func (s *shard) admit(c *Client) {
	c.group = s.groupOf(c)
	c.group.members++
	if c.policy != nil {
		c.index = int32(len(c.group.pulling))
		c.group.pulling = append(c.group.pulling, c)
	}
	c.place = int32(len(s.owned))
	s.owned = append(s.owned, c)
	if n := len(s.free); n > 0 {
		c.slot, s.free = s.free[n-1], s.free[:n-1]
	} else {
		c.slot = int32(len(s.table))
		s.table = append(s.table, nil)
	}
	s.table[c.slot] = c
	s.turn++
	c.turn = s.turn
	c.watched = c.blocked
	if err := s.poller.watch(int(c.socket), c.slot, c.turn, c.watched); err != nil {
		s.drop(c, Gone, true)
		return
	}
	// A drain that began before the client joined has not seen it.
	if s.clients.Draining() {
		c.end(Draining)
	}
	if !c.blocked {
		s.enqueue(c)
	}
}

// drop lets a client go: its socket is closed, with a reset if that is asked for.
func (s *shard) drop(c *Client, r Reason, reset bool) {
	if reset {
		resetOnClose(int(c.socket))
	}
	s.clients.closeSocket(int(c.socket))
	s.forget(c, r)
}

// forget takes a client out of the books; its socket is closed, or is somebody
// else's.
func (s *shard) forget(c *Client, r Reason) {
	if c.cohort != nil {
		s.exit(c)
	}
	c.gone, c.rest = true, nil
	g := c.group
	if c.policy != nil {
		last := len(g.pulling) - 1
		g.pulling[c.index] = g.pulling[last]
		g.pulling[c.index].index = c.index
		g.pulling[last] = nil
		g.pulling = g.pulling[:last]
	}
	if g.members--; g.members == 0 {
		delete(s.groups, g.of)
	}
	last := len(s.owned) - 1
	s.owned[c.place] = s.owned[last]
	s.owned[c.place].place = c.place
	s.owned[last] = nil
	s.owned = s.owned[:last]
	s.table[c.slot] = nil
	s.free = append(s.free, c.slot)
	c.sub.Close()
	c.over(r)
	c.Leave()
}
