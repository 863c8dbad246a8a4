package compat

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"aviary/fanout/filter"
)

// problemTypes is where the types of v2 problems are named. Clients compare the last
// part.
const problemTypes = "https://api.x.com/2/problems/"

// problemV2 is an answer of API v2 that refuses.
type problemV2 struct {
	Title      string `json:"title"`
	Detail     string `json:"detail"`
	Type       string `json:"type"`
	Status     int    `json:"status"`
	Errors     []any  `json:"errors,omitempty"`
	Connection string `json:"connection_issue,omitempty"`
	Disconnect string `json:"disconnect_type,omitempty"`

	retry string // seconds
}

func (p *problemV2) Error() string { return p.Detail }

// plainV2 is a problem that is an HTTP status.
func plainV2(status int, detail string) *problemV2 {
	return &problemV2{Title: http.StatusText(status), Detail: detail, Type: "about:blank", Status: status}
}

// paramError is one entry of an invalid request.
type paramError struct {
	Parameters map[string][]string `json:"parameters"`
	Message    string              `json:"message"`
}

// invalid is a 400 about parameters.
func invalid(name, value, format string, args ...any) *problemV2 {
	p := &problemV2{
		Title: "Invalid Request", Detail: "One or more parameters to your request was invalid.",
		Type: problemTypes + "invalid-request", Status: http.StatusBadRequest,
	}
	e := paramError{Parameters: map[string][]string{}, Message: fmt.Sprintf(format, args...)}
	if name != "" {
		e.Parameters[name] = []string{clip(value)}
	}
	p.Errors = []any{e}
	return p
}

func (p *problemV2) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	if p.retry != "" {
		h.Set("Retry-After", p.retry)
	}
	writeJSON(w, p.Status, p)
}

// writeJSON answers with one JSON object.
func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // only our own types come here
	}
	writeBody(w, status, body)
}

// writeBody answers with JSON. It sets the Content-Type if nobody has.
func writeBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json; charset=utf-8")
	}
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // a failure means the client has left
}

// ruleError is the entry of errors for a rule that was not taken.
type ruleError struct {
	Value   string   `json:"value,omitempty"`
	ID      string   `json:"id,omitempty"`
	Details []string `json:"details,omitempty"`
	Detail  string   `json:"detail,omitempty"`
	Title   string   `json:"title"`
	Type    string   `json:"type"`
}

func duplicateRule(value, id string) any {
	return ruleError{Value: value, ID: id, Title: "DuplicateRule", Type: problemTypes + "duplicate-rules"}
}

func invalidRule(value string, id uint64, why error) any {
	said := why.Error()
	if f := (*filter.Error)(nil); errors.As(why, &f) {
		said = f.Msg
		if f.Near != "" {
			said += fmt.Sprintf("; did you mean %q?", f.Near)
		}
		if f.Pos >= 0 {
			said += fmt.Sprintf(" (at position %d)", f.Pos+1)
		}
	}
	return ruleError{Value: value, ID: fmt.Sprint(id), Details: []string{said}, Title: "UnprocessableEntity", Type: problemTypes + "invalid-rules"}
}

func ruleCap() any {
	return ruleError{Title: "RulesCapExceeded", Detail: fmt.Sprintf("Rules must be less than or equal to %d.", maxRules), Type: problemTypes + "rule-cap"}
}

// notFound is the entry of errors for a post that another one refers to and that
// cannot be shown.
func notFound(id string) any {
	return map[string]string{
		"value": id, "detail": "Could not find tweet with referenced_tweets.id: [" + id + "].", "title": "Not Found Error",
		"resource_type": "tweet", "parameter": "referenced_tweets.id", "resource_id": id, "type": problemTypes + "resource-not-found",
	}
}

// clip shortens what a client sent.
func clip(s string) string {
	const most = 64
	if r := []rune(s[:min(len(s), 4*most+4)]); len(r) > most {
		return string(r[:most]) + "…"
	}
	return strings.ToValidUTF8(s, "�")
}
