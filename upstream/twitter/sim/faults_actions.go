package sim

import (
	"maps"
	"net/http"
	"slices"

	"aviary/fanout/filter"
)

// grammar is how the words after an action are read.
type grammar struct {
	args  func(*parser, *line) error
	lasts bool // takes "for" (and "times")
}

// actions are all faults by name; act performs them.
var actions = map[string]grammar{
	// on the streams that are open
	"disconnect": {args: readDisconnect},
	"problem":    {args: readProblem},
	"close":      {args: readNothing},
	"drop":       {args: readNothing},
	"truncate":   {args: readNothing},
	"stall":      {args: readDuration},
	"limit":      {args: readNumber(1, maxCount)},
	"warning":    {args: readNumber(0, 100)},
	"line":       {args: func(p *parser, l *line) (err error) { l.text, err = p.text(); return err }},
	"duplicate":  {args: readNumber(1, keptRecent)},
	"oversize":   {args: func(p *parser, l *line) (err error) { l.number, err = p.size(); return err }},
	"garbage":    {args: readNothing},

	// on the connects to come
	"status":          {args: readStatus, lasts: true},
	"rate-limit":      {args: readRateLimit, lasts: true},
	"close-after-200": {args: readNothing, lasts: true},
	"refuse":          {args: readNothing, lasts: true},
	"hang":            {args: readNothing, lasts: true},
	"open":            {args: readNothing},

	// on the searches to come
	"search": {args: readSearch, lasts: true},

	// on the other requests of API v2 to come
	"calls": {args: readSearch, lasts: true},

	// on everything
	"chunk": {args: readNumber(0, 1<<20), lasts: true},
	"quiet": {args: readDuration},
	"loop":  {args: readNothing},
}

func actionNames() []string {
	return append(slices.Sorted(maps.Keys(actions)), "after")
}

// readProblem reads the type of a problem of API v2.
func readProblem(p *parser, l *line) error {
	if l.text = p.next(); problems[l.text] == "" {
		e := wrong(l.text, "no such type of problem")
		e.Near = filter.Nearest(l.text, slices.Sorted(maps.Keys(problems)))
		return e
	}
	return nil
}

func readNothing(*parser, *line) error { return nil }

func readDuration(p *parser, l *line) (err error) {
	l.last, err = p.duration()
	return err
}

func readNumber(low, high int) func(*parser, *line) error {
	return func(p *parser, l *line) (err error) {
		l.number, err = p.number(low, high)
		return err
	}
}

// readDisconnect reads CODE ["reason"].
func readDisconnect(p *parser, l *line) (err error) {
	if l.number, err = p.number(1, 99); err != nil {
		return err
	}
	l.text = disconnectReasons[l.number]
	if len(p.words) > 0 {
		l.text = p.next()
	}
	return nil
}

// disconnectReasons are the codes that the streaming API documented.
var disconnectReasons = map[int]string{
	1: "shutdown", 2: "duplicate stream", 3: "control request", 4: "stall", 5: "normal", 6: "token revoked",
	7: "admin logout", 9: "max message limit", 10: "stream exception", 11: "broker stall", 12: "shed load",
}

// readRateLimit reads [420|429] and what readStatus reads after its code.
func readRateLimit(p *parser, l *line) error {
	l.number = statusEnhanceYourCalm
	if p.peek() == "420" || p.peek() == "429" {
		l.number, _ = p.number(420, 429)
	}
	return readAnswer(p, l)
}

// readStatus reads CODE [body KIND] [retry-after D] [reset D].
func readStatus(p *parser, l *line) (err error) {
	if l.number, err = p.number(400, 599); err != nil {
		return err
	}
	return readAnswer(p, l)
}

func readAnswer(p *parser, l *line) (err error) {
	body := "text"
	l.door = &refusal{}
	for err == nil {
		switch p.peek() {
		case "body":
			p.next()
			body = p.next()
		case "retry-after":
			p.next()
			l.door.retryAfter, err = p.duration()
		case "reset":
			p.next()
			l.reset, err = p.duration()
		default:
			return fillBody(l.door, l.number, body)
		}
	}
	return err
}

// fillBody writes an error body of a kind that clients have met.
func fillBody(f *refusal, status int, kind string) error {
	retryAfter := f.retryAfter
	switch kind {
	case "html":
		*f = *htmlError(status, "The simulator was told to answer so.")
	case "text":
		*f = *textError(status, "The simulator was told to answer %d.", status)
	case "json":
		code, message := 131, "Internal error"
		switch status {
		case http.StatusServiceUnavailable:
			code, message = 130, "Over capacity"
		case http.StatusTooManyRequests, statusEnhanceYourCalm:
			code, message = 88, "Rate limit exceeded"
		case http.StatusUnauthorized:
			code, message = 32, "Could not authenticate you."
		case http.StatusForbidden:
			code, message = 220, "Your credentials do not allow access to this resource"
		case http.StatusNotFound:
			code, message = 34, "Sorry, that page does not exist."
		}
		*f = *apiError(status, code, message)
	case "empty":
		*f = refusal{status: status}
	case "code":
		*f = refusal{status: status, kind: "application/json", body: `{"code":88,"message":"Rate limit exceeded"}`}
	default:
		if problems[kind] == "" {
			return wrong(kind, "a body is html, text, json, code, empty or a type of problem")
		}
		*f = *problemOf(status, kind, "")
	}
	f.retryAfter = retryAfter
	return nil
}
