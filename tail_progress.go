package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// clearLine takes a terminal's cursor to the start of its line and empties it.
const clearLine = "\r\x1b[K"

// screen is where tail writes. On a terminal its last line can say how far a
// search is: it is rewritten in place, and what else is written goes above it.
// Anywhere else each progress is a line like others.
type screen struct {
	w        io.Writer
	terminal bool

	line string // of progress, on a terminal
}

// Write implements io.Writer; p is whole lines.
func (s *screen) Write(p []byte) (int, error) {
	if s.line == "" {
		return s.w.Write(p)
	}
	if _, err := io.WriteString(s.w, clearLine+string(p)+s.line); err != nil {
		return 0, err
	}
	return len(p), nil
}

// progress puts another text into the last line.
func (s *screen) progress(text string) {
	if !s.terminal {
		fmt.Fprintln(s.w, "-- "+text)
		return
	}
	s.line = text
	fmt.Fprint(s.w, clearLine+text)
}

// leave ends the line of progress, so that others can write below it.
func (s *screen) leave() {
	if s.line != "" {
		s.line = ""
		fmt.Fprintln(s.w)
	}
}

// searched shows the events of a search that are not posts; false: it is none
// of them.
func (t *tailer) searched(name string, data []byte) bool {
	var said struct {
		Page, Done struct {
			Page, Pages, Posts int
			Remaining          *int
			Reset, Oldest      *time.Time
		}
		Problem struct{ Detail string }
	}
	if json.Unmarshal(data, &said) != nil {
		return false
	}
	switch name {
	case "page":
		text := fmt.Sprintf("page %d, %s", said.Page.Page, posts(said.Page.Posts))
		if said.Page.Oldest != nil {
			text += ", back to " + said.Page.Oldest.Local().Format(time.DateTime)
		}
		if said.Page.Remaining != nil && said.Page.Reset != nil {
			text += fmt.Sprintf("; %d requests left until %s", *said.Page.Remaining, said.Page.Reset.Local().Format(time.TimeOnly))
		}
		t.screen.progress(text)
	case "done":
		t.ended = true
		t.screen.leave()
		t.show.notice("done: %s on %d pages", posts(said.Done.Posts), said.Done.Pages)
	case "problem":
		t.ended, t.failed = true, true
		t.screen.leave()
		fmt.Fprintf(t.p.err, "aviary tail: %s\n", clean(said.Problem.Detail))
	default:
		return false
	}
	return true
}

func posts(n int) string {
	if n == 1 {
		return "1 post"
	}
	return fmt.Sprintf("%d posts", n)
}
