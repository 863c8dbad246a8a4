package server

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"testing"
)

// sponge reads a body as fast as it comes, as a browser does: a pipe holds
// nothing, so that whoever does not read is a stalled client.
type sponge struct {
	body io.ReadCloser
	mu   sync.Mutex
	more *sync.Cond
	buf  []byte
	err  error
}

func soak(body io.ReadCloser) *sponge {
	s := &sponge{body: body}
	s.more = sync.NewCond(&s.mu)
	go func() {
		b := make([]byte, 32<<10)
		for s.err == nil {
			n, err := body.Read(b)
			s.mu.Lock()
			s.buf, s.err = append(s.buf, b[:n]...), err
			s.mu.Unlock()
			s.more.Signal()
		}
	}()
	return s
}

func (s *sponge) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.buf) == 0 {
		if s.err != nil {
			return 0, s.err
		}
		s.more.Wait()
	}
	n := copy(p, s.buf)
	s.buf = s.buf[n:]
	return n, nil
}

func (s *sponge) Close() error { return s.body.Close() }

// reader reads SSE as the HTML Standard has it (9.2.6).
type reader struct {
	t     testing.TB
	body  io.ReadCloser
	lines *bufio.Reader
	retry string
	id    string // the last event id
	pings int    // comments
	ended bool
	err   error // that ended it
}

func newReader(t testing.TB, body io.ReadCloser) *reader {
	return &reader{t: t, body: body, lines: bufio.NewReaderSize(body, 64<<10)}
}

type frame struct{ event, id, data string }

// name is what the event is about: its id_str or text of a post, its name else.
func (f frame) String() string { return f.event + "|" + f.id + "|" + f.data }

// next is the next event that a browser would dispatch. The end of the stream is
// an event "EOF".
func (r *reader) next() frame {
	r.t.Helper()
	var event string
	var data []string
	id := r.id
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			if r.ended {
				r.t.Fatalf("read on after the end of the stream: %v", err)
			}
			r.ended, r.err = true, err
			return frame{event: "EOF", id: r.id}
		}
		line = strings.TrimSuffix(line, "\n")
		if strings.ContainsAny(line, "\r\x00\u0085\u2028\u2029") {
			r.t.Fatalf("a line end or NUL inside a line: %q", line)
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			r.id = id
			if len(data) == 0 {
				event = ""
				continue
			}
			return frame{event, id, strings.Join(data, "\n")}
		case name == "":
			r.pings++
		case name == "event":
			event = value
		case name == "data":
			data = append(data, value)
		case name == "id":
			id = value
		case name == "retry":
			r.retry = value
		default:
			r.t.Fatalf("a line that no field begins: %q", line)
		}
	}
}

// ids reads n posts and returns their id_strs; other events fail the test.
func (r *reader) ids(n int) []string {
	r.t.Helper()
	var out []string
	for range n {
		f := r.next()
		if f.event != "" {
			r.t.Fatalf("after posts %v: %v, want a post", out, f)
		}
		out = append(out, idOf(r.t, f.data))
	}
	return out
}

func idOf(t testing.TB, data string) string {
	t.Helper()
	var p struct {
		ID string `json:"id_str"`
	}
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return p.ID
}

func readAll(t testing.TB, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
