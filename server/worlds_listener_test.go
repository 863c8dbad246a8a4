package server

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

// listener is one client of a world: it reads in fits and starts, leaves in the
// middle and comes back with its last id, and keeps books of what it heard.
type listener struct {
	t       *testing.T
	g       *gate
	past    *past
	rnd     *rand.Rand
	word    string // its filter; "": none
	coding  string
	ndjson  bool
	last    uint64 // sequence of the last id
	cursor  string
	got     map[int]bool // posts
	deleted map[int]bool // heard of
	gaps    int
	missed  int
}

// connect opens a stream that goes on behind the last id.
func (l *listener) connect() (net.Conn, io.Reader) {
	c, err := l.g.dial()
	if err != nil {
		l.t.Error(err)
		return nil, nil
	}
	if err := c.(*net.TCPConn).SetReadBuffer(8 << 10); err != nil {
		l.t.Error(err)
	}
	path := "/stream?events=all"
	if l.word != "" {
		path += "&track=" + l.word
	}
	if l.ndjson {
		path += "&format=ndjson"
	}
	if l.cursor != "" {
		path += "&last_event_id=" + l.cursor
	}
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: gate\r\nAccept-Encoding: %s\r\n\r\n", path, l.coding)
	resp, err := http.ReadResponse(bufio.NewReaderSize(&fitful{c, l.rnd}, 512), nil)
	if err != nil || resp.StatusCode != 200 {
		l.t.Error(err, resp)
		c.Close()
		return nil, nil
	}
	var body io.Reader = resp.Body
	switch resp.Header.Get("Content-Encoding") {
	case "gzip":
		body, err = gzip.NewReader(body)
	case "zstd":
		body, err = zstd.NewReader(body, zstd.WithDecoderConcurrency(1))
	}
	if err != nil {
		l.t.Error(err)
	}
	return c, body
}

// fitful reads a little at a time, and now and then not at all for a while.
type fitful struct {
	net.Conn
	rnd *rand.Rand
}

func (f *fitful) Read(p []byte) (int, error) {
	if f.rnd.IntN(300) == 0 {
		time.Sleep(time.Duration(f.rnd.IntN(30)) * time.Millisecond)
	}
	return f.Conn.Read(p[:min(len(p), 1+f.rnd.IntN(4000))])
}

// listen lives through connections until it has seen the last post.
func (l *listener) listen(lastID int) {
	for end := time.Now().Add(3 * patient); time.Now().Before(end); {
		c, body := l.connect()
		if c == nil {
			return
		}
		again := l.read(body, lastID, 20+l.rnd.IntN(400))
		if l.rnd.IntN(2) == 0 {
			_ = c.(*net.TCPConn).SetLinger(0)
		}
		c.Close()
		if !again {
			return
		}
	}
	l.t.Errorf("client %+v did not get to the end; it had %d posts", l.word, len(l.got))
}

// read reads so many events of one connection, or to the last post; false: it
// need not come back.
func (l *listener) read(body io.Reader, lastID, events int) (again bool) {
	lines := bufio.NewReaderSize(body, 1<<20)
	here := map[int]bool{} // posts of this connection
	var data, id string
	for events > 0 {
		line, err := lines.ReadString('\n')
		if err != nil {
			if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				l.t.Errorf("after %d posts: %v", len(here), err)
			}
			return true
		}
		line = strings.TrimSuffix(line, "\n")
		if l.ndjson {
			data = line
		} else if name, value, _ := strings.Cut(line, ": "); name == "data" {
			data = value
			continue
		} else if name == "id" {
			id = value
			continue
		} else if line != "" || data == "" {
			continue
		}
		events--
		if n := l.hear(data, id, here); n == lastID {
			return false
		}
		data, id = "", ""
	}
	return true
}

// hear notes one event, and checks that it may come here.
func (l *listener) hear(data, id string, here map[int]bool) (post int) {
	var e struct {
		IDStr  string `json:"id_str"`
		Cursor string
		Delete struct{ Status struct{ ID int } }
		Gap    struct {
			Missed *int
			Reason string
			Cursor string
		}
		Hello struct{ Cursor string }
	}
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		l.t.Errorf("%v in %.200q", err, data)
		return 0
	}
	switch {
	case e.IDStr != "":
		n, _ := strconv.Atoi(e.IDStr)
		l.past.mu.Lock()
		p := l.past.posts[n-1]
		l.past.mu.Unlock()
		if here[n] {
			l.t.Errorf("post %d came twice on one connection", n)
		}
		if p.seq <= l.last {
			l.t.Errorf("post %d (sequence %d) came behind sequence %d", n, p.seq, l.last)
		}
		if !strings.Contains(p.word, l.word) {
			l.t.Errorf("post %d is not about %s", n, l.word)
		}
		l.passed(p.seq-1, 0)
		here[n], l.got[n] = true, true
		if l.last = p.seq; l.ndjson || id != "" {
			l.cursor = epoch(l.g) + "-" + strconv.FormatUint(p.seq, 10)
		}
		return n
	case e.Delete.Status.ID != 0:
		l.deleted[e.Delete.Status.ID] = true
		if id != "" {
			l.at(id, 0)
		}
	case e.Gap.Reason != "":
		l.gaps++
		missed := -1
		if e.Gap.Missed != nil {
			missed = *e.Gap.Missed
			l.missed += missed
		}
		l.at(e.Gap.Cursor, missed)
	case e.Hello.Cursor != "":
		if l.cursor == "" {
			l.cursor, l.last = e.Hello.Cursor, sequence(e.Hello.Cursor)
		}
		if sequence(e.Hello.Cursor) != l.last {
			l.t.Errorf("hello says %s to a client at %d", e.Hello.Cursor, l.last)
		}
	case e.Cursor != "":
		l.at(e.Cursor, 0)
	}
	return 0
}

func sequence(cursor string) uint64 {
	_, digits, _ := strings.Cut(cursor, "-")
	n, _ := strconv.ParseUint(digits, 10, 64)
	return n
}

// at moves the client to a cursor.
func (l *listener) at(cursor string, missed int) {
	seq := sequence(cursor)
	if seq < l.last {
		l.t.Errorf("cursor %s behind %d", cursor, l.last)
	}
	l.passed(seq, missed)
	l.last, l.cursor = seq, cursor
}

// passed checks that what lies between the last id and seq is nothing that the
// client should have got, but for so many missed that it was told of; -1: any.
func (l *listener) passed(seq uint64, missed int) {
	if missed < 0 {
		return
	}
	all, dead := l.past.matching(l.word, l.last, seq)
	if missed > all || missed < all-dead {
		l.t.Errorf("%s: of %d posts (%d deleted) in (%d,%d] it was told of %d", l.word, all, dead, l.last, seq, missed)
	}
}
