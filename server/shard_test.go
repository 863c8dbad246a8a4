package server

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// tightClient opens a stream on a socket that takes next to nothing, and reads
// nothing.
func tightClient(t *testing.T, g *gate, path string, headers ...string) net.Conn {
	t.Helper()
	return silentClient(t, g, 2<<10, path, headers...)
}

// silentClient opens a stream and reads nothing. buffer is the size of its
// socket's; 0: as it comes.
func silentClient(t *testing.T, g *gate, buffer int, path string, headers ...string) net.Conn {
	t.Helper()
	c, err := g.dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if buffer > 0 {
		if err := c.(*net.TCPConn).SetReadBuffer(buffer); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: gate\r\n%s\r\n", path, strings.Join(append(headers, ""), "\r\n"))
	before := g.server.clients.Len()
	eventually(t, "in", func() bool { return len(g.server.clients.List()) >= max(before, 1) })
	return c
}

// bodyOf is the body of a response that is read from c.
func bodyOf(t *testing.T, c net.Conn) io.Reader {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReaderSize(c, 1<<20), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Body
}

func TestHeadOfAShardsStream(t *testing.T) {
	for _, version := range []string{"1.1", "1.0"} {
		g := newTCPGate(t)
		c, err := g.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "GET /stream HTTP/%s\r\nHost: gate\r\nOrigin: https://a.example\r\n\r\n", version)
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.Proto != "HTTP/"+version || !resp.Close || resp.ContentLength != -1 || resp.TransferEncoding != nil {
			t.Errorf("%+v", resp)
		}
		for _, name := range []string{"Date", "Content-Type", "Vary", "Cache-Control", "Access-Control-Allow-Origin"} {
			if resp.Header.Get(name) == "" {
				t.Errorf("HTTP/%s: no %s in %v", version, name, resp.Header)
			}
		}
		if _, err := http.ParseTime(resp.Header.Get("Date")); err != nil {
			t.Error(err)
		}
	}
}

// A post that is deleted while a client's socket is full is not sent to it, unless
// it is the one that was being cut.
func TestDeletedWhileAShardsClientIsStuck(t *testing.T) {
	for _, query := range []string{"", "?track=x", "?max_rate=1000", "?format=ndjson"} {
		g := newTCPGate(t)
		c := silentClient(t, g, 0, "/stream"+query)
		for i := range 100 {
			g.post(1+i, "7", "x "+strings.Repeat("x", 40_000))
		}
		for range 4 {
			g.server.clients.List()
		}
		for i := range 50 {
			g.delete(51 + i)
		}
		all := soak(io.NopCloser(bodyOf(t, c)))
		eventually(t, "the last delete", func() bool {
			all.mu.Lock()
			defer all.mu.Unlock()
			return strings.Contains(string(all.buf), `{"delete":{"status":{"id":100,`)
		})
		all.mu.Lock()
		got := string(all.buf)
		all.mu.Unlock()
		if n := strings.Count(got, `,"text":`); n != 50 || strings.Contains(got, `"id_str":"51","text"`) {
			t.Errorf("%s: %d posts, want the 50 that were not deleted", query, n)
		}
		if n := strings.Count(got, `{"delete"`); n != 50 {
			t.Errorf("%s: %d deletes", query, n)
		}
	}
}

// Bytes behind the request harm nobody, and take nothing from the last word.
func TestClientThatTalks(t *testing.T) {
	g := newTCPGate(t)
	c, err := g.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	chatter := strings.Repeat("GET / HTTP/1.1\r\n", 1000)
	fmt.Fprint(c, "GET /stream HTTP/1.1\r\nHost: gate\r\n\r\n"+chatter)
	s := newReader(t, io.NopCloser(bodyOf(t, c)))
	s.next()
	eventually(t, "in", func() bool { return len(g.server.clients.List()) == 1 })
	for i := range 100 {
		fmt.Fprint(c, chatter)
		g.post(i+1, "7", "go")
	}
	if got := s.ids(100); got[99] != "100" {
		t.Error(got)
	}
	if !g.server.clients.Evict(g.server.clients.List()[0].ID) {
		t.Error("it cannot be evicted")
	}
	expectBye(t, s, "evicted")
	if s.err != io.EOF && s.err != io.ErrUnexpectedEOF {
		t.Errorf("the end is %v, want no reset", s.err)
	}
	eventually(t, "counted", func() bool { return metric(t, g, `aviary_client_closes_total{reason="evicted"}`) == "1" })
}

func TestShardNoticesWhoLeaves(t *testing.T) {
	g := newTCPGate(t)
	var conns []net.Conn
	for i := range 60 {
		path := []string{"/stream", "/stream?track=go", "/stream?limit=5"}[i%3]
		conns = append(conns, tightClient(t, g, path))
	}
	eventually(t, "60 in", func() bool { return len(g.server.clients.List()) == 60 })
	for i, c := range conns {
		switch i % 3 {
		case 0:
			c.Close()
		case 1:
			_ = c.(*net.TCPConn).SetLinger(0)
			c.Close()
		case 2:
			_ = c.(*net.TCPConn).CloseWrite()
		}
	}
	eventually(t, "all gone", func() bool { return g.server.clients.Len() == 0 })
	if got := metric(t, g, `aviary_client_closes_total{reason="gone"}`); got != "60" {
		t.Errorf("gone %s, want 60", got)
	}
	if st := g.hub.Stats(); st.Subscriptions != 0 || st.Filters != 0 {
		t.Errorf("%+v", st)
	}
}

func TestShardHeartbeats(t *testing.T) {
	g := newTCPGate(t, func(o *Options) { o.Heartbeat = 50 * time.Millisecond })
	quiet := soak(g.do("GET", "/stream?track=zig&events=hello,bye", "").Body)
	named := g.stream("/stream?events=all,heartbeat&limit=9")
	lines := soak(g.do("GET", "/stream?track=zig&format=ndjson", "").Body)
	eventually(t, "in", func() bool { return len(g.server.clients.List()) == 3 })
	g.post(1, "7", "go")
	before, behind := `{"cursor":"`+epoch(g)+`-0"}`+"\n", `{"cursor":"`+epoch(g)+`-1"}`+"\n"
	cut(t, lines, "\n", 1) // hello
	for beats := 0; beats < 2; {
		switch line := cut(t, lines, "\n", 1); {
		case line == behind:
			beats++
		case line != before || beats > 0:
			t.Fatalf("NDJSON: %q, want heartbeats with what did not match", line)
		}
	}
	for f := named.next(); f.event != ""; f = named.next() { // before the post there may be hello and heartbeats
	}
	if f := named.next(); f.event != "heartbeat" || f.id != epoch(g)+"-1" {
		t.Errorf("%v, want a heartbeat", f)
	}
	cut(t, quiet, "\n\n", 2) // retry and hello
	for range 5 {
		if beat := cut(t, quiet, "\n\n", 1); !strings.HasPrefix(beat, ":\nid: ") {
			t.Errorf("%q, want a heartbeat", beat)
		}
	}
}

// Who is too old is sent away with the cursor of what did not match.
func TestShardAge(t *testing.T) {
	t.Parallel() // it mostly waits
	began := time.Now()
	g := newTCPGate(t, func(o *Options) { o.MaxAge = 4 * time.Second })
	quiet := g.open("/stream?track=zig&events=hello,bye")
	quiet.next() // hello
	g.post(1, "7", "go")
	b := expectBye(t, quiet, "max_age")
	if lived := time.Since(began); lived < 3200*time.Millisecond || *b.Bye.Cursor != epoch(g)+"-1" {
		t.Errorf("lived %v, bye %+v", lived, b)
	}
}

// The end of a compressed stream is right, whatever was in it and however it was
// cut: gzip checks length and sum.
func TestCompressedToTheEnd(t *testing.T) {
	for _, query := range []string{"?x", "?track=go", "?max_rate=7", "?limit=40", "?format=ndjson&payload=compact"} {
		query = strings.TrimSuffix(query, "?x")
		g := newWorldGate(t, taken, func(o *Options) { o.Heartbeat = 20 * time.Millisecond })
		c := tightClient(t, g, "/stream"+query, "Accept-Encoding: gzip")
		for i := range 60 {
			g.post(1+i, "7", fmt.Sprintf("go %x", strings.Repeat(fmt.Sprint(i*i), 700)))
			if i%20 == 0 {
				g.delete(i + 1)
				time.Sleep(30 * time.Millisecond)
			}
		}
		go func() { _ = g.server.Drain(t.Context()) }()
		zipped, err := gzip.NewReader(bodyOf(t, c))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(zipped)
		if err != nil || !strings.Contains(string(got), `{"bye":`) {
			t.Errorf("%s: %v after %d bytes", query, err, len(got))
		}
	}
}

func TestShardLimitsAndRates(t *testing.T) {
	g := newWorldGate(t, taken)
	at := time.Now() // the same for all: rates go by the second in which a post was received
	for i := range 50 {
		e := postEvent(1+i, "7", "go "+strings.Repeat("x", 4000))
		if e.Received = at; !g.hub.Publish(e) {
			t.Fatalf("post %d was refused", 1+i)
		}
	}
	for range 2 { // a replay through a socket that cuts nearly every frame
		s := newReader(t, io.NopCloser(bodyOf(t, tightClient(t, g, "/stream?since=1h&limit=12"))))
		s.next()
		if got := s.ids(12); !slices.Equal(got[10:], []string{"11", "12"}) {
			t.Error(got)
		}
		if b := expectBye(t, s, "limit"); *b.Bye.Cursor != epoch(g)+"-12.end" {
			t.Errorf("%+v", b)
		}
	}
	s := newReader(t, io.NopCloser(bodyOf(t, tightClient(t, g, "/stream?since=1h&max_rate=30"))))
	s.next()
	if f := s.ids(30); f[29] != "30" {
		t.Error(f)
	}
	if f := s.next(); f.event != "gap" || !strings.Contains(f.data, `"missed":20,"reason":"max_rate"`) || f.id != epoch(g)+"-50" {
		t.Error(f)
	}
}

// A client that comes from a node which is further on has had events that this one
// has still to get: they are not sent again, also when it waits for them here.
func TestShardsClientIsAheadOfItsNode(t *testing.T) {
	for _, query := range []string{"", "track=x", "max_rate=1000"} {
		g := newTCPGate(t)
		g.post(1, "7", "x 1")
		head := g.hub.Stats().Head
		ahead := head
		ahead.Seq += 3
		s := g.stream("/stream?"+query, "Last-Event-ID: "+ahead.String())
		live := g.stream("/stream?" + query)
		for range 4 { // the shard has the client by now, and has served it
			g.server.clients.List()
		}
		for i := 2; i <= 6; i++ {
			g.post(i, "7", fmt.Sprint("x ", i))
		}
		for what, got := range map[string][]string{"2 3 4 5 6": live.ids(5), "5 6": s.ids(2)} {
			if strings.Join(got, " ") != what {
				t.Errorf("?%s: %q instead of %s", query, got, what)
			}
		}
	}
}
