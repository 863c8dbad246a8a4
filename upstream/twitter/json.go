package twitter

import (
	"errors"
	"strconv"
)

// maxDepth is how deep JSON may nest; encoding/json has the same bound.
const maxDepth = 10000

var errJSON = errors.New("not one valid JSON object")

// reader walks one JSON text once, forward, and checks every byte of it: what
// has been walked to its end without fail being set is valid JSON. It exists
// because a post is 3 KB of which a filter needs a tenth: checking with one
// library and picking with another walks everything twice (see the benchmarks).
//
// The pattern is
//
//	if r.object() {
//		for r.key() {
//			switch r.name { case "id": …; default: r.skip() }
//		}
//	}
//
// where each case takes exactly one value. Anything that is not of the asked
// type is skipped and reads as absent. After a mistake every method does
// nothing and every loop ends.
//
// Strings are views of the text, or of scratch where they hold escapes: both
// must stay as they are until the strings are no longer used.
type reader struct {
	b       []byte
	i       int
	depth   int
	first   bool   // just behind { or [
	name    string // of the last key
	fail    bool
	scratch []byte // only grows while one text is walked, so that views stay right
}

func (r *reader) reset(b []byte) {
	*r = reader{b: b, scratch: r.scratch[:0]}
}

// next skips white space and returns the byte there, 0 at the end.
func (r *reader) next() byte {
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

func (r *reader) bad() {
	r.fail = true
	r.i = len(r.b)
}

// object enters an object; any other value is skipped.
func (r *reader) object() bool { return r.enter('{') }

// array enters an array; any other value is skipped.
func (r *reader) array() bool { return r.enter('[') }

func (r *reader) enter(open byte) bool {
	if r.next() != open {
		r.skip()
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
func (r *reader) more(end byte) bool {
	c := r.next()
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

// key moves to the value of the next key, which is in r.name.
func (r *reader) key() bool {
	if !r.more('}') {
		return false
	}
	if r.next() != '"' {
		r.bad()
		return false
	}
	r.name, _ = r.str()
	if r.next() != ':' {
		r.bad()
		return false
	}
	r.i++
	return true
}

// item moves to the next value of an array.
func (r *reader) item() bool { return r.more(']') }

// skip takes one value of any type.
func (r *reader) skip() {
	switch c := r.next(); c {
	case '"':
		r.quoted()
	case '{':
		if r.object() {
			for r.more('}') {
				if r.next() != '"' {
					r.bad()
					return
				}
				r.quoted()
				if r.next() != ':' {
					r.bad()
					return
				}
				r.i++
				r.skip()
			}
		}
	case '[':
		if r.array() {
			for r.more(']') {
				r.skip()
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
func (r *reader) word(w string) {
	if len(r.b)-r.i < len(w) || string(r.b[r.i:r.i+len(w)]) != w {
		r.bad()
		return
	}
	r.i += len(w)
}

// null takes a null and says so; any other value stays.
func (r *reader) null() bool {
	if r.next() != 'n' {
		return false
	}
	r.word("null")
	return true
}

// isTrue takes a value and says whether it is true.
func (r *reader) isTrue() bool {
	yes := r.next() == 't'
	r.skip()
	return yes
}

// str takes a string; ok is false if the value was something else.
func (r *reader) str() (s string, ok bool) {
	if r.next() != '"' {
		r.skip()
		return "", false
	}
	raw, escaped := r.quoted()
	if r.fail {
		return "", false
	}
	if escaped {
		raw = r.unescape(raw)
	}
	return view(raw), true
}

// num takes a number as it is written; ok is false if the value was something else.
func (r *reader) num() (s string, ok bool) {
	c := r.next()
	if c != '-' && (c < '0' || c > '9') {
		r.skip()
		return "", false
	}
	at := r.i
	r.digits()
	if r.fail {
		return "", false
	}
	return view(r.b[at:r.i]), true
}

// numeral takes a number, or a text that should be one: both types have been
// sent for the same key. Anything else reads as "".
func (r *reader) numeral() string {
	if r.next() == '"' {
		s, _ := r.str()
		return s
	}
	s, _ := r.num()
	return s
}

// float takes a number.
func (r *reader) float() (float64, bool) {
	s, ok := r.num()
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// digits takes a number by the grammar of RFC 8259, section 6.
func (r *reader) digits() {
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

// end says whether one whole value was walked and nothing but white space follows.
func (r *reader) end() bool { return !r.fail && r.next() == 0 && r.i == len(r.b) }
