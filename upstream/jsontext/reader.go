package jsontext

import (
	"errors"
	"strconv"
)

// maxDepth is how deep JSON may nest; encoding/json has the same bound.
const maxDepth = 10000

// maxScratch is how much of the scratch buffer is kept from one text to the next.
const maxScratch = 64 << 10

// ErrSyntax says that a text is not what it should be.
var ErrSyntax = errors.New("not one valid JSON object")

// Reader walks one JSON text once, forward, and checks every byte of it: what
// has been walked to its end, so that End says true, is valid JSON. The zero
// Reader is ready for Reset. One goroutine at a time.
//
// The pattern is
//
//	if r.Object() {
//		for r.Key() {
//			switch r.Name { case "id": …; default: r.Skip() }
//		}
//	}
//
// where each case takes exactly one value. Anything that is not of the asked
// type is skipped and reads as absent. After a mistake every method does
// nothing and every loop ends.
//
// Strings are views of the text, or of scratch where they hold escapes: both
// must stay as they are until the strings are no longer used.
type Reader struct {
	b       []byte
	i       int
	depth   int
	first   bool   // just behind { or [
	Name    string // of the last key; Key sets it
	fail    bool
	scratch []byte // only grows while one text is walked, so that views stay right
}

// Reset begins a new text. Strings of the last one are no longer to be used.
func (r *Reader) Reset(b []byte) {
	scratch := r.scratch[:0]
	if cap(scratch) > maxScratch {
		scratch = nil
	}
	*r = Reader{b: b, scratch: scratch}
}

// Peek skips white space and returns the byte there, 0 at the end.
func (r *Reader) Peek() byte {
	for r.i < len(r.b) {
		switch c := r.b[r.i]; c {
		case ' ', '\t', '\n', '\r':
			r.i++
		default:
			return c
		}
	}
	return 0
}

func (r *Reader) bad() {
	r.fail = true
	r.i = len(r.b)
}

// Object enters an object; any other value is skipped.
func (r *Reader) Object() bool { return r.enter('{') }

// Array enters an array; any other value is skipped.
func (r *Reader) Array() bool { return r.enter('[') }

func (r *Reader) enter(open byte) bool {
	if r.Peek() != open {
		r.Skip()
		return false
	}
	r.i++
	r.first = true
	if r.depth++; r.depth > maxDepth {
		r.bad()
	}
	return !r.fail
}

// more moves to the next member of an object or array; false behind its end.
func (r *Reader) more(end byte) bool {
	c := r.Peek()
	first := r.first
	r.first = false
	switch {
	case r.fail:
		return false
	case c == end:
		r.i++
		r.depth--
		return false
	case first:
		return true
	case c == ',':
		r.i++
		return true
	}
	r.bad()
	return false
}

// Key moves to the value of the next key, which is in r.Name.
func (r *Reader) Key() bool {
	if !r.more('}') {
		return false
	}
	if r.Peek() != '"' {
		r.bad()
		return false
	}
	r.Name, _ = r.Str()
	if r.Peek() != ':' {
		r.bad()
		return false
	}
	r.i++
	return true
}

// Item moves to the next value of an array.
func (r *Reader) Item() bool { return r.more(']') }

// Skip takes one value of any type.
func (r *Reader) Skip() {
	switch c := r.Peek(); c {
	case '"':
		r.quoted()
	case '{':
		if r.Object() {
			for r.more('}') {
				if r.Peek() != '"' {
					r.bad()
					return
				}
				r.quoted()
				if r.Peek() != ':' {
					r.bad()
					return
				}
				r.i++
				r.Skip()
			}
		}
	case '[':
		if r.Array() {
			for r.more(']') {
				r.Skip()
			}
		}
	case 't':
		r.word("true")
	case 'f':
		r.word("false")
	case 'n':
		r.word("null")
	default:
		r.digits()
	}
}

// word takes a literal.
func (r *Reader) word(w string) {
	if len(r.b)-r.i < len(w) || string(r.b[r.i:r.i+len(w)]) != w {
		r.bad()
		return
	}
	r.i += len(w)
}

// Null takes a null and says so; any other value stays.
func (r *Reader) Null() bool {
	if r.Peek() != 'n' {
		return false
	}
	r.word("null")
	return true
}

// IsTrue takes a value and says whether it is true.
func (r *Reader) IsTrue() bool {
	yes := r.Peek() == 't'
	r.Skip()
	return yes
}

// Str takes a string; ok is false if the value was something else.
func (r *Reader) Str() (s string, ok bool) {
	if r.Peek() != '"' {
		r.Skip()
		return "", false
	}
	raw, escaped := r.quoted()
	if r.fail {
		return "", false
	}
	if escaped {
		raw = r.unescape(raw)
	}
	return View(raw), true
}

// Num takes a number as it is written; ok is false if the value was something else.
func (r *Reader) Num() (s string, ok bool) {
	c := r.Peek()
	if c != '-' && (c < '0' || c > '9') {
		r.Skip()
		return "", false
	}
	at := r.i
	r.digits()
	if r.fail {
		return "", false
	}
	return View(r.b[at:r.i]), true
}

// Numeral takes a number, or a text that should be one: both types have been
// sent for the same key. Anything else reads as "".
func (r *Reader) Numeral() string {
	if r.Peek() == '"' {
		s, _ := r.Str()
		return s
	}
	s, _ := r.Num()
	return s
}

// Float takes a number.
func (r *Reader) Float() (float64, bool) {
	s, ok := r.Num()
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// digits takes a number by the grammar of RFC 8259, section 6.
func (r *Reader) digits() {
	run := func() bool {
		at := r.i
		for r.i < len(r.b) && r.b[r.i]-'0' <= 9 {
			r.i++
		}
		return r.i > at
	}
	at := func(c byte) bool { return r.i < len(r.b) && r.b[r.i] == c }
	if at('-') {
		r.i++
	}
	if at('0') {
		r.i++
	} else if !run() {
		r.bad()
		return
	}
	if at('.') {
		r.i++
		if !run() {
			r.bad()
			return
		}
	}
	if at('e') || at('E') {
		r.i++
		if at('+') || at('-') {
			r.i++
		}
		if !run() {
			r.bad()
		}
	}
}

// Offset is where the reader stands, in bytes.
func (r *Reader) Offset() int { return r.i }

// End says whether one whole value was walked and nothing but white space follows.
func (r *Reader) End() bool { return !r.fail && r.Peek() == 0 && r.i == len(r.b) }
