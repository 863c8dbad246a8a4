package upstream

import (
	"bytes"
	"errors"
	"io"
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
	// FramingStream is for live streams: CRLF ends a message and a bare LF
	// belongs to it. Only as long as the stream has never shown a CRLF, a bare
	// LF after a whole JSON object, or after a line that does not begin like
	// one, ends a message too; after the first such object every LF does, so
	// that one broken line cannot swallow the next. The first CRLF ends that
	// tolerance for good.
	FramingStream Framing = iota
	// FramingFile is for files: the first line end decides for the whole file.
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
	shape    nested // while the decision is open
}

// NewFrames returns a splitter of what r brings. It reads as much as r has, and
// never waits for more than one byte of it.
func NewFrames(r io.Reader, framing Framing) *Frames {
	return &Frames{r: r, framing: framing, buf: make([]byte, 32<<10)}
}

// Next returns the next message without its line end. It lies in the buffer
// and is valid until the following call. Blank lines (keep-alives) are passed
// over. At ErrOversize go on calling; any other error is that of the reader
// and final. What lies between the last line end and io.EOF counts as a message
// in a file; in a stream it is a cut one: io.ErrUnexpectedEOF.
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
			if m = bytes.Trim(m, " \t\r\n"); len(m) > 0 {
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
		open := !f.crlf && !f.lf
		if i < 0 {
			if open {
				f.shape.scan(f.buf[f.scanned:f.end])
			}
			f.scanned = f.end
			return nil, false
		}
		at := f.scanned + i
		if open {
			f.shape.scan(f.buf[f.scanned:at])
		}
		f.scanned = at + 1
		if f.ends(at) {
			m := bytes.TrimSuffix(f.buf[f.start:at], []byte{'\r'})
			f.start = f.scanned
			f.shape = nested{}
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
	case f.crlf:
		return cr
	case f.lf:
		return true
	}
	f.lf = f.shape.whole()
	return f.lf || !f.shape.object
}

// fill reads once, making room first.
func (f *Frames) fill() {
	if f.start == f.end {
		f.start, f.end, f.scanned = 0, 0, 0
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
	f.buf, f.scanned = to, f.scanned-f.start
	f.start, f.end = 0, n
}

// forget drops the scanned part of an oversized message, but for a CR whose LF
// may follow.
func (f *Frames) forget() {
	f.start = f.end
	if f.buf[f.end-1] == '\r' {
		f.start--
	}
	f.scanned = f.end
}

// last returns what is left at the end of the reader.
func (f *Frames) last() ([]byte, error) {
	m := bytes.Trim(f.buf[f.start:f.end], " \t\r\n")
	f.start, f.scanned = f.end, f.end
	if f.err != io.EOF || len(m) == 0 && !f.skip || f.skip && f.framing == FramingFile {
		return nil, f.err
	}
	if f.framing == FramingFile {
		if len(m) > MaxMessage {
			return nil, ErrOversize
		}
		return m, nil
	}
	f.err = io.ErrUnexpectedEOF
	return nil, f.err
}

// nested follows the nesting of one JSON message, byte by byte, just enough to
// know where an object is whole.
type nested struct {
	object  bool // the first byte that is not blank was {
	begun   bool
	depth   int
	text    bool // inside a string
	escaped bool // after a backslash in a string
}

func (n *nested) scan(b []byte) {
	for _, c := range b {
		switch {
		case !n.begun:
			if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
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
