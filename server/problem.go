package server

import (
	"errors"
	"fmt"
	"net/http"

	"aviary/fanout/filter"
)

// Problem is an error a client can act on: RFC 9457, with members that point at
// the parameter that is wrong.
type Problem struct {
	Type     string `json:"type"` // about:blank: the status says what it is
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`
	Param    string `json:"param,omitempty"`
	Position *int   `json:"position,omitempty"` // 0-based code point of the decoded value
	Nearest  string `json:"nearest,omitempty"`  // the right word that is nearest to the wrong one

	// Of an upstream that refused a search.
	Code    int    `json:"code,omitempty"`    // the upstream's own
	Message string `json:"message,omitempty"` // its words
	Hint    string `json:"hint,omitempty"`    // what can be done
}

// Error makes a Problem an error.
func (p *Problem) Error() string { return p.Detail }

// problem makes a Problem of a status and words.
func problem(status int, format string, args ...any) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: fmt.Sprintf(format, args...)}
}

// badParam is a 400 about one parameter; position -1: none.
func badParam(name string, position int, format string, args ...any) *Problem {
	p := problem(http.StatusBadRequest, format, args...)
	p.Param = clip(name)
	if position >= 0 {
		p.Position = &position
	}
	return p
}

// asProblem turns any error into a Problem; what it does not know is a 500 whose
// words stay in the log.
func asProblem(err error) *Problem {
	var p *Problem
	var f *filter.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &f):
		p = badParam(f.Param, f.Pos, "%s", f.Msg)
		p.Nearest = f.Near
		return p
	}
	return problem(http.StatusInternalServerError, "the gateway failed; its log says how")
}

// write answers with the problem.
func (p *Problem) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Del("X-Accel-Buffering")
	h.Set("Content-Type", "application/problem+json")
	writeJSON(w, r, p.Status, p)
}

// clip shortens what a client sent for use in words.
func clip(s string) string {
	const most = 64
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}
