package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strings"
	"time"
	"unicode"
)

// printer writes events as lines that a person can read. What it shows comes
// from strangers: control characters never reach the terminal.
type printer struct {
	w      io.Writer
	colour bool
}

// The terminal's escape sequences that a printer uses.
const (
	dim    = "\x1b[2m"
	bold   = "\x1b[1m"
	yellow = "\x1b[33m"
	plain  = "\x1b[0m"
)

func (p printer) paint(style, text string) string {
	if !p.colour {
		return text
	}
	return style + text + plain
}

// notice writes a line that is not a post.
func (p printer) notice(format string, args ...any) {
	fmt.Fprintln(p.w, p.paint(yellow, "-- "+clean(fmt.Sprintf(format, args...))))
}

// post is what a line shows of a post, whether it is the upstream's full JSON
// or the gateway's compact or ids form.
type post struct {
	ID        string `json:"id_str"`
	CreatedAt string `json:"created_at"`
	Text      string `json:"text"`
	FullText  string `json:"full_text"`
	Extended  struct {
		FullText string `json:"full_text"`
	} `json:"extended_tweet"`
	User struct {
		ScreenName string `json:"screen_name"`
	} `json:"user"`
	Author struct {
		Username string `json:"username"`
	} `json:"author"`
	Retweeted *post `json:"retweeted_status"`
	RepostOf  *post `json:"repost_of"`
}

// name is who wrote the post; "?" when only its id was asked for.
func (q *post) name() string { return cmp.Or(q.User.ScreenName, q.Author.Username, "?") }

// words is the whole text, of a repost that of the original: its own is cut.
func (q *post) words() string {
	if original := cmp.Or(q.Retweeted, q.RepostOf); original != nil {
		return "repost of @" + original.name() + ": " + original.words()
	}
	text := cmp.Or(q.Extended.FullText, q.FullText, q.Text)
	if q.Author.Username == "" { // compact text is plain already
		text = html.UnescapeString(text)
	}
	return cmp.Or(text, q.ID)
}

// time is when the post was made, by this machine's clock.
func (q *post) time() string {
	for _, layout := range []string{time.RubyDate, time.RFC3339} {
		if t, err := time.Parse(layout, q.CreatedAt); err == nil {
			return t.Local().Format(time.TimeOnly)
		}
	}
	return "--:--:--"
}

// post writes one post on one line.
func (p printer) post(data []byte) {
	var q post
	if json.Unmarshal(data, &q) != nil {
		p.notice("a post of an unknown form: %s", data)
		return
	}
	fmt.Fprintf(p.w, "%s %s %s\n", p.paint(dim, q.time()), p.paint(bold, "@"+clean(q.name())), clean(q.words()))
}

// event writes an event that is not a post.
func (p printer) event(name string, data []byte) {
	var said struct {
		Hello struct {
			Source, Resumed string
			Missed          *int64
			Upstream        struct{ State string }
		}
		Upstream struct {
			State, Error, Hint string
			NextAttempt        string `json:"next_attempt"`
		}
		Gap struct {
			Missed *int64
			Reason string
		}
		Delete struct {
			Status struct {
				ID string `json:"id_str"`
			}
		}
		Bye   struct{ Reason string }
		Match []string
	}
	err := json.Unmarshal(data, &said)
	switch {
	case err != nil:
		p.notice("%s: %s", name, data)
	case name == "hello":
		p.notice("connected: source %s, upstream %s, resumed %s, missed %s", said.Hello.Source, said.Hello.Upstream.State, said.Hello.Resumed, count(said.Hello.Missed))
	case name == "upstream":
		p.notice("upstream %s%s%s%s", said.Upstream.State, after(": ", said.Upstream.Error), after("; ", said.Upstream.Hint), after("; next attempt ", said.Upstream.NextAttempt))
	case name == "gap":
		p.notice("gap (%s): %s posts were not received", said.Gap.Reason, count(said.Gap.Missed))
	case name == "delete":
		p.notice("deleted: %s", said.Delete.Status.ID)
	case name == "match":
		p.notice("matches %s", strings.Join(said.Match, ", "))
	case name == "bye":
		p.notice("the gateway says goodbye: %s", said.Bye.Reason)
	default:
		p.notice("%s: %s", name, data)
	}
}

// after puts text behind lead, or nothing if there is no text.
func after(lead, text string) string {
	if text == "" {
		return ""
	}
	return lead + text
}

// count shows a number that may not be known.
func count(n *int64) string {
	if n == nil {
		return "an unknown number of"
	}
	return fmt.Sprint(*n)
}

// clean makes a stranger's text safe for one line of a terminal: line ends and
// other control characters become spaces, and the marks that turn the
// direction of writing go, because they would reach beyond the text.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), r == '\u2028', r == '\u2029':
			return ' '
		case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069':
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}
