package sim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"aviary/fanout/filter"
)

// Faults is a parsed script of what goes wrong; the zero value does nothing.
// The package documentation describes the language.
type Faults struct{ lines []line }

// line is one order of a script.
type line struct {
	// When: after the line before it has begun, whichever is set.
	wait     time.Duration
	posts    int // that many more posts were published
	connects int // that many more streams have opened
	searches int // that many more pages of search results were served

	action string
	number int           // a code, count, percentage, size
	text   string        // of line and disconnect
	last   time.Duration // of stall and quiet, or "for"
	times  int           // "times"
	door   *refusal      // of status
	reset  time.Duration // of status: x-rate-limit-reset from the moment of the answer
	delay  time.Duration // of search
}

// FaultError tells where a script is wrong.
type FaultError struct {
	Line int    // from 1
	Word string // the word that is wrong, "" when one is missing
	Near string // the nearest right word, or ""
	Msg  string
}

func (e *FaultError) Error() string {
	s := fmt.Sprintf("faults: line %d: ", e.Line)
	if e.Word != "" {
		s += strconv.Quote(e.Word) + ": "
	}
	s += e.Msg
	if e.Near != "" {
		s += ", did you mean " + strconv.Quote(e.Near) + "?"
	}
	return s
}

// The largest numbers a script may ask for, so that a typing error does not
// take the machine's memory.
const (
	maxOversize = 64 << 20
	maxCount    = 1_000_000
	maxLast     = 1000 * time.Hour
)

// statusEnhanceYourCalm is the streaming hosts' own status: too many connects.
const statusEnhanceYourCalm = 420

// ParseFaults reads a script. The error is a *FaultError.
func ParseFaults(text string) (Faults, error) {
	var f Faults
	for i, source := range strings.Split(text, "\n") {
		words, err := split(source)
		if err == nil && len(words) > 0 {
			var l line
			if l, err = parseLine(words); err == nil && l.action == "loop" && !f.takesTime(l) {
				err = wrong("loop", "this script would repeat itself without end: give a line an \"after\"")
			}
			f.lines = append(f.lines, l)
		}
		if err != nil {
			var at *FaultError
			errors.As(err, &at)
			at.Line = i + 1
			return Faults{}, at
		}
	}
	return f, nil
}

// MustFaults is ParseFaults for scripts in tests: it panics on an error.
func MustFaults(text string) Faults {
	f, err := ParseFaults(text)
	if err != nil {
		panic(err)
	}
	return f
}

// takesTime says whether one lap of a loop waits for anything.
func (f Faults) takesTime(loop line) bool {
	for _, l := range append([]line{loop}, f.lines...) {
		if l.wait > 0 || l.posts > 0 || l.connects > 0 || l.searches > 0 {
			return true
		}
	}
	return false
}

func wrong(word, format string, args ...any) *FaultError {
	return &FaultError{Word: word, Msg: fmt.Sprintf(format, args...)}
}

// split cuts a line into words; "…" and `…` are one word, as Go writes strings.
// A # that begins a word begins a comment.
func split(s string) ([]string, error) {
	var words []string
	for {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
		if s == "" || s[0] == '#' {
			return words, nil
		}
		if s[0] == '"' || s[0] == '`' {
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				return nil, wrong(s, "the quoted text has no end")
			}
			text, _ := strconv.Unquote(quoted)
			words, s = append(words, text), s[len(quoted):]
			continue
		}
		end := strings.IndexFunc(s, unicode.IsSpace)
		if end < 0 {
			end = len(s)
		}
		words, s = append(words, s[:end]), s[end:]
	}
}

// parser walks over the words of one line.
type parser struct{ words []string }

func (p *parser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

func (p *parser) next() string {
	w := p.peek()
	if len(p.words) > 0 {
		p.words = p.words[1:]
	}
	return w
}

func (p *parser) duration() (time.Duration, error) {
	w := p.next()
	d, err := time.ParseDuration(w)
	if err != nil || d <= 0 || d > maxLast {
		return 0, wrong(w, "need a duration such as 30s or 1m30s")
	}
	return d, nil
}

func (p *parser) number(low, high int) (int, error) {
	w := p.next()
	n, err := strconv.Atoi(w)
	if err != nil || n < low || n > high {
		return 0, wrong(w, "need a number from %d to %d", low, high)
	}
	return n, nil
}

func (p *parser) size() (int, error) {
	w := p.next()
	digits := strings.TrimRight(w, "KMB")
	unit, known := map[string]int{"": 1, "B": 1, "KB": 1 << 10, "MB": 1 << 20}[w[len(digits):]]
	n, err := strconv.Atoi(digits)
	if err != nil || !known || n < 1 || n > maxOversize/unit {
		return 0, wrong(w, "need a size such as 300KB or 5MB, at most 64MB")
	}
	return n * unit, nil
}

func (p *parser) text() (string, error) {
	if len(p.words) == 0 {
		return "", wrong("", "need a text, in quotes when it has spaces")
	}
	return p.next(), nil
}

// parseLine reads [after WHEN] ACTION … [for DURATION | times N].
func parseLine(words []string) (line, error) {
	var l line
	p := &parser{words}
	if p.peek() == "after" {
		p.next()
		if err := p.when(&l); err != nil {
			return l, err
		}
	}
	l.action = p.next()
	read, ok := actions[l.action]
	if !ok {
		return l, noSuchFault(l.action)
	}
	if err := read.args(p, &l); err != nil {
		return l, err
	}
	if read.lasts {
		if err := p.lasting(&l); err != nil {
			return l, err
		}
	}
	if len(p.words) > 0 {
		return l, wrong(p.peek(), "one word too many after %s", l.action)
	}
	return l, nil
}

func noSuchFault(word string) *FaultError {
	if word == "" {
		return wrong("", "need a fault after the time")
	}
	e := wrong(word, "no such fault")
	e.Near = filter.Nearest(word, actionNames())
	return e
}

// when reads 30s, 10 posts, 2 connects.
func (p *parser) when(l *line) error {
	if _, err := strconv.Atoi(p.peek()); err != nil {
		l.wait, err = p.duration()
		return err
	}
	n, err := p.number(1, maxCount)
	if err != nil {
		return err
	}
	switch unit := p.next(); unit {
	case "post", "posts":
		l.posts = n
	case "connect", "connects":
		l.connects = n
	case "search", "searches":
		l.searches = n
	default:
		return wrong(unit, `need a unit: "after 30s", "after 10 posts", "after 2 connects" or "after 3 searches"`)
	}
	return nil
}

// lasting reads how long, if it is said.
func (p *parser) lasting(l *line) (err error) {
	switch p.peek() {
	case "for":
		p.next()
		l.last, err = p.duration()
	case "times":
		if l.action == "chunk" {
			return wrong("times", "chunk lasts for a time or for good")
		}
		p.next()
		l.times, err = p.number(1, maxCount)
	}
	return err
}
