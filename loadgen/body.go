package loadgen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxHead is the longest response head that is read, maxRefusal how much of the
// body of a refusal is kept for its words.
const (
	maxHead    = 16 << 10
	maxRefusal = 4 << 10
)

// Refusal is an answer that is not a stream.
type Refusal struct {
	Status string // such as "429 Too Many Requests"
	Detail string // what the body says, if it is problem+json
}

// Error implements error.
func (r *Refusal) Error() string {
	if r.Detail == "" {
		return "the server answers " + r.Status
	}
	return "the server answers " + r.Status + ": " + r.Detail
}

// refusalOf reads the detail of a problem+json body, if it is whole.
func refusalOf(status string, body []byte) *Refusal {
	var said struct{ Detail string }
	r := &Refusal{Status: status}
	if begin := bytes.IndexByte(body, '{'); begin >= 0 {
		if json.NewDecoder(bytes.NewReader(body[begin:])).Decode(&said) == nil {
			r.Detail = said.Detail
		}
	}
	return r
}

// head is what a response head says about its body.
type head struct {
	status   string // "200 OK"
	chunked  bool
	encoding string // Content-Encoding
	length   int    // Content-Length; -1: not said
}

// whole reports whether the body is known to have come to its end.
func (h *head) whole(body []byte) bool {
	return h.length >= 0 && len(body) >= h.length || h.chunked && bytes.HasSuffix(body, []byte("0\r\n\r\n"))
}

// ok reports whether a stream follows.
func (h *head) ok() bool { return strings.HasPrefix(h.status, "200") }

// readHead reads a head that is whole: up to and with its blank line.
func readHead(b []byte) (*head, error) {
	lines := strings.Split(string(b), "\r\n")
	version, status, ok := strings.Cut(lines[0], " ")
	if !ok || !strings.HasPrefix(version, "HTTP/1.") {
		return nil, fmt.Errorf("the answer is not HTTP/1.1 but begins %q", lines[0])
	}
	h := &head{status: status, length: -1}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		switch value = strings.ToLower(strings.TrimSpace(value)); strings.ToLower(name) {
		case "transfer-encoding":
			h.chunked = value == "chunked"
		case "content-encoding":
			h.encoding = value
		case "content-length":
			if n, err := strconv.Atoi(value); err == nil {
				h.length = n
			}
		}
	}
	return h, nil
}

// chunks takes the chunk sizes out of a body, in place.
type chunks struct {
	left int    // of the chunk
	line []byte // the beginning of a size line that was cut
	tail int    // bytes of the line end behind a chunk that are still to come
}

// strip returns the payload of b, in b's own memory.
func (c *chunks) strip(b []byte) ([]byte, error) {
	out := b[:0]
	for len(b) > 0 {
		switch {
		case c.left > 0:
			n := min(c.left, len(b))
			out = append(out, b[:n]...) // moves left, never over what is still to read
			b = b[n:]
			if c.left -= n; c.left == 0 {
				c.tail = 2
			}
		case c.tail > 0:
			n := min(c.tail, len(b))
			c.tail, b = c.tail-n, b[n:]
		default:
			end := bytes.IndexByte(b, '\n')
			if end < 0 {
				c.line = append(c.line, b...)
				return out, c.check()
			}
			c.line = append(c.line, b[:end]...)
			b = b[end+1:]
			size, _, _ := strings.Cut(strings.TrimSpace(string(c.line)), ";")
			c.line = c.line[:0]
			n, err := strconv.ParseUint(size, 16, 31)
			if err != nil {
				return out, fmt.Errorf("a chunk of size %q: the body is not HTTP", size)
			}
			if c.left = int(n); n == 0 { // the last; what follows is of no interest
				return out, errEnd
			}
		}
	}
	return out, nil
}

func (c *chunks) check() error {
	if len(c.line) > 64 {
		return errors.New("a chunk whose size has no end: the body is not HTTP")
	}
	return nil
}
