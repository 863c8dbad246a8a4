package upstream

import (
	"bytes"
	"errors"
	"io"
	"iter"
)

// MaxMessage is the longest message that is taken, in bytes without its line
// end: 1 MiB less 4 KiB, so that the message and what surrounds it in an SSE
// frame or a bus message stay below 1 MiB.
const MaxMessage = 1<<20 - 4<<10

// ErrOversize says that a message is longer than MaxMessage. The rest of it is
// skipped by the following call of Next.
var ErrOversize = errors.New("the message is longer than 1 MiB - 4 KiB")

// Framing says which line ends end a message.
type Framing uint8

const (
	// FramingStream is for live streams: CRLF ends a message, and a bare LF
	// inside a JSON object belongs to it. A bare LF after a whole object, or
	// after a line that does not begin like one, ends a message too. As long as
	// the stream has never shown a CRLF, every LF does after the first such
	// object, so that one broken line cannot swallow the next.
	FramingStream Framing = iota
	// FramingFile is for files: if the first line end is an LF, every LF ends a
	// message; if it is a CRLF, they are told apart as in a stream.
	FramingFile
)

// Frames splits a byte stream into messages: over bytes, whatever the chunks,
// without scanning a byte twice and without a copy except where a message lies
// across the end of the buffer. One goroutine at a time.
type Frames struct {
	r       io.Reader
	framing Framing
	buf     []byte // buf[start:end] is read and not yet returned
	start   int
	end     int
	scanned int // buf[start:scanned] holds no end of a message
	skip    bool
	err     error

	crlf, lf bool   // the decision: what ends messages; neither: open
	shape    nested // of buf[start:shaped]: only a bare LF asks for it
	shaped   int
}

// NewFrames returns a splitter of what r brings. It reads as much as r has, and
// never waits for more than one byte of it.
func NewFrames(r io.Reader, framing Framing) *Frames {
	return &Frames{r: r, framing: framing, buf: make([]byte, 32<<10)}
}

// Next returns the next message without its line end and without a byte order
// mark. It lies in the buffer and is valid until the following call. Blank lines
// (keep-alives) are passed over. At ErrOversize go on calling; any other error
// is that of the reader and final. What lies between the last line end and the
// end of the reader counts as a message in a file; in a stream it comes with the
// error, as it may be a cut one.
func (f *Frames) Next() ([]byte, error) {
	for {
		if m, ok := f.line(); ok {
			if f.skip { // the tail of an oversized message
				f.skip = false
				continue
			}
			if len(m) > MaxMessage {
				return nil, ErrOversize
			}
			if m = trim(m); len(m) > 0 {
				return m, nil
			}
			continue
		}
		if f.end-f.start > MaxMessage+1 { // +1: the CR of an end that is not all here
			f.forget()
			if !f.skip {
				f.skip = true
				return nil, ErrOversize
			}
		}
		if f.err != nil {
			return f.last()
		}
		f.fill()
	}
}

// line returns the next line if its end is in the buffer.
func (f *Frames) line() ([]byte, bool) {
	for {
		i := bytes.IndexByte(f.buf[f.scanned:f.end], '\n')
		if i < 0 {
			f.scanned = f.end
			return nil, false
		}
		at := f.scanned + i
		f.scanned = at + 1
		if f.ends(at) {
			m := bytes.TrimSuffix(f.buf[f.start:at], []byte{'\r'})
			f.start, f.shaped, f.shape = f.scanned, f.scanned, nested{}
			return m, true
		}
	}
}

// ends decides whether the LF at buf[at] ends a message.
func (f *Frames) ends(at int) bool {
	cr := at > f.start && f.buf[at-1] == '\r'
	if f.framing == FramingFile && !f.crlf && !f.lf {
		f.crlf, f.lf = cr, !cr
	}
	switch {
	case cr && f.framing == FramingStream:
		f.crlf, f.lf = true, false
		return true
	case cr || f.lf:
		return true
	}
	f.scanShape(at)
	whole := f.shape.whole()
	f.lf = whole && !f.crlf
	return whole || !f.shape.object
}

// scanShape brings the shape up to buf[to].
func (f *Frames) scanShape(to int) {
	f.shape.scan(f.buf[f.shaped:to])
	f.shaped = to
}

// fill reads once, making room first.
func (f *Frames) fill() {
	if f.start == f.end {
		f.start, f.end, f.scanned, f.shaped = 0, 0, 0, 0
	}
	if f.end == len(f.buf) {
		if f.start >= len(f.buf)/2 || f.start > 0 && len(f.buf) > MaxMessage {
			f.move(f.buf)
		} else {
			f.move(make([]byte, 2*len(f.buf)))
		}
	}
	n, err := f.r.Read(f.buf[f.end:])
	f.end += n
	f.err = err
}

// move brings the unreturned bytes to the front of to.
func (f *Frames) move(to []byte) {
	n := copy(to, f.buf[f.start:f.end])
	f.buf, f.scanned, f.shaped = to, f.scanned-f.start, f.shaped-f.start
	f.start, f.end = 0, n
}

// forget drops the scanned part of an oversized message, but for a CR whose LF
// may follow.
func (f *Frames) forget() {
	f.start, f.scanned = f.end, f.end
	if f.buf[f.end-1] == '\r' {
		f.start--
	}
	f.scanShape(f.start)
}

// last returns what is left at the end of the reader.
func (f *Frames) last() ([]byte, error) {
	m := trim(f.buf[f.start:f.end])
	f.start, f.scanned, f.shaped = f.end, f.end, f.end
	switch {
	case f.skip:
		f.skip = false
		if f.framing == FramingStream && f.err == io.EOF {
			f.err = io.ErrUnexpectedEOF // the tail of an oversized message is cut for sure
		}
		return nil, f.err
	case len(m) > MaxMessage:
		return nil, ErrOversize
	case len(m) > 0 && f.framing == FramingFile && f.err == io.EOF:
		return m, nil
	}
	return m, f.err
}

var mark = []byte("\uFEFF") // the byte order mark that some editors and tools write

// trim takes off what may surround a message.
func trim(m []byte) []byte {
	const blank = " \t\r\n"
	m = bytes.Trim(m, blank)
	if rest, marked := bytes.CutPrefix(m, mark); marked {
		m = bytes.TrimLeft(rest, blank)
	}
	return m
}

// Pieces splits a message that cannot be decoded at the LFs in it, as Next
// would have done had they been line ends: a broken line may have swallowed
// whole ones. A message without an LF has no pieces.
func Pieces(message []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		if bytes.IndexByte(message, '\n') < 0 {
			return
		}
		for line := range bytes.SplitSeq(message, []byte{'\n'}) {
			if line = trim(line); len(line) > 0 && !yield(line) {
				return
			}
		}
	}
}

// nested follows the nesting of one JSON message, byte by byte, just enough to
// know where an object is whole.
type nested struct {
	object  bool // the first byte that is neither blank nor of a byte order mark was {
	begun   bool
	depth   int
	text    bool // inside a string
	escaped bool // after a backslash in a string
}

func (n *nested) scan(b []byte) {
	for _, c := range b {
		switch {
		case !n.begun:
			switch c {
			case ' ', '\t', '\r', '\n', mark[0], mark[1], mark[2]:
				continue
			}
			n.begun = true
			if n.object = c == '{'; n.object {
				n.depth = 1
			}
		case !n.object:
			return
		case n.escaped:
			n.escaped = false
		case n.text:
			n.text, n.escaped = c != '"', c == '\\'
		case c == '"':
			n.text = true
		case c == '{' || c == '[':
			n.depth++
		case c == '}' || c == ']':
			n.depth--
		}
	}
}

// whole says whether an object has been opened and closed.
func (n *nested) whole() bool { return n.object && n.depth <= 0 && !n.text }
