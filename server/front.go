package server

import (
	"bufio"
	"bytes"
	"net/http"
	"net/netip"
	"sync"
)

// Of a connection whose first request asks for a stream package net/http would
// keep nothing: its goroutine, its buffers and its descriptor are made and thrown
// away again, which costs twice what the stream itself does. When thousands come
// back at once that is most of the work. So a plain request for a stream, whole
// and alone in the first read, is taken right where it was accepted. Whatever is
// in any way different, and every answer that is not a stream, is net/http's.

// startLine is how the requests begin that may be taken.
const startLine = "GET /stream"

// maxHead bounds the head of a request that is taken. Browsers send about 1 KB.
const maxHead = 8 << 10

// taker is what reading a request takes. Owned by one goroutine.
type taker struct {
	head  [maxHead]byte
	bytes bytes.Reader
	lines *bufio.Reader
}

var takers = sync.Pool{New: func() any { return &taker{lines: bufio.NewReaderSize(nil, 1<<10)} }}

// request reads the first n bytes of a connection as a plain request for a
// stream; nil: they are something else, or not all of it.
func (t *taker) request(n int, peer netip.AddrPort) *http.Request {
	head := t.head[:n]
	if !plainHead(head) {
		return nil
	}
	t.bytes.Reset(head)
	t.lines.Reset(&t.bytes)
	r, err := http.ReadRequest(t.lines)
	if err != nil || r.URL.Path != "/stream" || r.Proto != "HTTP/1.1" || r.Host == "" || r.ContentLength != 0 || r.TransferEncoding != nil {
		return nil
	}
	for _, name := range []string{"Expect", "Upgrade", "Transfer-Encoding", "Content-Length"} {
		if r.Header[name] != nil {
			return nil
		}
	}
	r.RemoteAddr = peer.String()
	return r
}

// plainHead reports whether these bytes are the head of one request for a stream,
// without anything that two readers could take differently.
func plainHead(head []byte) bool {
	if !bytes.HasPrefix(head, []byte(startLine)) || len(head) == maxHead {
		return false
	}
	if next := head[min(len(startLine), len(head)-1)]; next != ' ' && next != '?' {
		return false
	}
	if bytes.Index(head, []byte("\r\n\r\n")) != len(head)-4 {
		return false
	}
	hosts, first := 0, true
	for line := range bytes.SplitSeq(head[:len(head)-4], []byte("\r\n")) {
		for _, c := range line {
			if c < ' ' || c >= 0x7f {
				return false
			}
		}
		if first {
			first = false
			continue
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found || !plainName(name) {
			return false
		}
		if bytes.EqualFold(name, []byte("Host")) {
			if hosts++; !plainHost(bytes.TrimSpace(value)) {
				return false
			}
		}
	}
	return hosts == 1
}

// plainName reports whether a header's name is like those that are in use.
func plainName(name []byte) bool {
	for _, c := range name {
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; !letter && c != '-' && (c < '0' || c > '9') {
			return false
		}
	}
	return len(name) > 0
}

// plainHost reports whether this is a name or an address, with or without a port:
// net/http refuses some other values, but http.ReadRequest none.
func plainHost(host []byte) bool {
	for _, c := range host {
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; !letter && (c < '0' || c > '9') && !bytes.ContainsRune([]byte(".-:[]_"), rune(c)) {
			return false
		}
	}
	return len(host) > 0
}

// socket is the http.ResponseWriter of a request that was taken. It only holds
// headers: who wants to write anything else leaves the request to net/http.
type socket struct {
	fd     int
	header http.Header
	taken  bool // the stream has the descriptor
}

func (w *socket) Header() http.Header         { return w.header }
func (w *socket) Write(p []byte) (int, error) { return len(p), nil }
func (w *socket) WriteHeader(int)             {}

// takeStream has the stream that r asks for served on the socket w. If it cannot
// be, nothing has happened, and net/http finds out why and says so.
func (s *Server) takeStream(w http.ResponseWriter, r *http.Request) {
	to := w.(*socket)
	if s.opts.Elsewhere != "" {
		return
	}
	q := s.understandStream(to, r)
	if q == nil {
		return
	}
	client, err := s.admit(r)
	if err != nil {
		return
	}
	stream, err := s.subscribe(to, r, q, client)
	if err != nil {
		return
	}
	to.taken = true // if it panics too: the descriptor is closed by then
	to.taken = client.Take(to.fd, to.header, r, stream)
}

// understandStream is begin without its answers: nil if r needs one.
func (s *Server) understandStream(w http.ResponseWriter, r *http.Request) *request {
	w.Header().Set("Vary", varyStream)
	if !s.cors.allow(w, r) {
		return nil
	}
	values, err := s.readQuery(r)
	if err != nil {
		return nil
	}
	q, err := s.parseStream(values, r, w.Header())
	if err != nil || q.end {
		return nil
	}
	return q
}
