package filter

import (
	"fmt"
	"strconv"
)

// Error says what is wrong with a filter, in words for whoever wrote it.
type Error struct {
	Param string // the parameter: "track"
	Pos   int    // 0-based code point of its decoded value where the trouble begins; -1: nowhere in particular
	Near  string // the nearest right word, to take the place of the wrong one; "" if none is near
	Msg   string // a sentence without a full stop; what it quotes of the input is escaped and cut
}

// Error returns all there is to say on one line.
func (e *Error) Error() string {
	s := e.Param + ": " + e.Msg
	if e.Pos >= 0 {
		s += fmt.Sprintf(" (at character %d)", e.Pos)
	}
	if e.Near != "" {
		s += fmt.Sprintf("; did you mean %s?", quote(e.Near))
	}
	return s
}

func (e *Error) near(word string) *Error {
	e.Near = word
	return e
}

func errorAt(param string, pos int, format string, args ...any) *Error {
	return &Error{Param: param, Pos: pos, Msg: fmt.Sprintf(format, args...)}
}

// quote shows a piece of input in a message: it comes from anybody, so control
// and other unprintable characters are escaped, and its length is bounded.
func quote(s string) string {
	const longest = 40
	if r := []rune(s[:min(len(s), 4*longest+4)]); len(r) > longest {
		s = string(r[:longest]) + "…"
	}
	return strconv.Quote(s)
}
