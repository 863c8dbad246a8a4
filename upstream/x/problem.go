package x

import (
	"encoding/json"
	"strings"
	"time"

	"aviary/upstream/httpapi"
)

// problem is one error of the API, in whichever form it came.
type problem struct {
	Kind       string // the last segment of type: "usage-capped"; "": it has none
	Title      string
	Detail     string
	Reason     string // of client-forbidden
	Period     string // of usage-capped: Daily, Monthly
	Issue      string // connection_issue of streaming-connection
	Disconnect string // disconnect_type
	Value      string // the rule or the id that it is about
	Resource   string // resource_id
	Code       int    // of the older forms
}

// body is an error body, or an entry of errors: RFC 9457 problems, {"code","message"},
// and both of them in a list.
type body struct {
	Type       string            `json:"type"`
	Title      string            `json:"title"`
	Detail     string            `json:"detail"`
	Details    json.RawMessage   `json:"details"`
	Message    string            `json:"message"`
	Reason     string            `json:"reason"`
	Period     string            `json:"period"`
	Issue      string            `json:"connection_issue"`
	Disconnect string            `json:"disconnect_type"`
	Value      json.RawMessage   `json:"value"`
	Resource   json.RawMessage   `json:"resource_id"`
	Code       json.RawMessage   `json:"code"`
	Errors     []json.RawMessage `json:"errors"`
}

// readProblems reads all problems of an answer or message: the outermost first, if
// it is one, then its errors. The host in a type URI has changed over the years:
// only its last segment counts.
func readProblems(raw []byte) (list []problem) {
	var b body
	if json.Unmarshal(raw, &b) != nil {
		return nil
	}
	if p := b.problem(); p != (problem{}) {
		list = append(list, p)
	}
	for _, one := range b.Errors {
		var inner body
		if json.Unmarshal(one, &inner) != nil {
			continue
		}
		if p := inner.problem(); p != (problem{}) {
			list = append(list, p)
		}
	}
	return list
}

func (b *body) problem() problem {
	p := problem{
		Title: b.Title, Detail: b.Detail, Reason: b.Reason, Period: b.Period, Issue: b.Issue, Disconnect: b.Disconnect,
		Value: plainValue(b.Value), Resource: plainValue(b.Resource),
	}
	if b.Type != "" && b.Type != "about:blank" {
		p.Kind = b.Type[strings.LastIndexByte(b.Type, '/')+1:]
	}
	if p.Detail == "" {
		p.Detail = b.Message
	}
	var details []string
	if p.Detail == "" && json.Unmarshal(b.Details, &details) == nil {
		p.Detail = strings.Join(details, "; ")
	}
	_ = json.Unmarshal(b.Code, &p.Code) // other types stay 0
	return p
}

// plainValue is a text or a number as text.
func plainValue(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var n json.Number
	if json.Unmarshal(raw, &n) == nil {
		return n.String()
	}
	return ""
}

// words is what a problem says.
func (p *problem) words() string {
	switch {
	case p.Detail != "" && p.Title != "" && !strings.Contains(p.Detail, p.Title):
		return p.Title + ": " + p.Detail
	case p.Detail != "":
		return p.Detail
	case p.Title != "":
		return p.Title
	}
	return p.Kind
}

// says is what an error body says, in whatever form.
func says(raw []byte) string {
	for _, p := range readProblems(raw) {
		if words := p.words(); words != "" {
			return words
		}
	}
	return httpapi.Summary(raw)
}

// tooMany says that the upstream counts more connections than it allows.
func (p *problem) tooMany() bool {
	return p.Issue == "TooManyConnections" || p.Kind == "streaming-connection" && p.Issue == "" || p.Title == "ConnectionException" && p.Issue == ""
}

// capped says that a quota of posts is spent.
func (p *problem) capped() bool {
	return p.Kind == "usage-capped" || strings.EqualFold(p.Title, "UsageCapExceeded")
}

// decisive is the problem that says what to do: one that is about a quota or the number
// of streams, wherever it stands; else the first.
func decisive(list []problem) (p problem) {
	for _, p := range list {
		if p.capped() || p.Issue == "TooManyConnections" {
			return p
		}
	}
	if len(list) > 0 {
		p = list[0]
	}
	return p
}

// periodEnd is when the quota of a period begins anew: days and months are those of UTC.
func (p *problem) periodEnd(now time.Time) time.Time {
	if strings.EqualFold(p.Period, "daily") {
		return nextDay(now)
	}
	return nextMonth(now)
}

func nextDay(now time.Time) time.Time {
	y, m, d := now.UTC().Date()
	return time.Date(y, m, d+1, 0, 0, 0, 0, time.UTC)
}

func nextMonth(now time.Time) time.Time {
	y, m, _ := now.UTC().Date()
	return time.Date(y, m+1, 1, 0, 0, 0, 0, time.UTC)
}
