package compat

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// errorV1 is an answer of the REST API that refuses.
type errorV1 struct {
	status, code int
	said         string
}

func (e *errorV1) Error() string { return e.said }

func (e *errorV1) write(w http.ResponseWriter) {
	writeJSON(w, e.status, map[string]any{"errors": []any{map[string]any{"code": e.code, "message": e.said}}})
}

// badV1 is a parameter that cannot be.
func badV1(name string) *errorV1 {
	return &errorV1{http.StatusForbidden, 195, "Missing or invalid url parameter: " + name}
}

// asErrorV1 is what a v1.1 client is told of a failure.
func asErrorV1(err error) *errorV1 {
	var e *errorV1
	var f *refusalV1
	var failed *Error
	switch {
	case errors.As(err, &e):
		return e
	case errors.As(err, &f):
		return &errorV1{f.status, 25, f.said}
	case errors.As(err, &failed) && failed.Limited:
		return &errorV1{http.StatusTooManyRequests, 88, "Rate limit exceeded"}
	case errors.As(err, &failed) && failed.Refused:
		return &errorV1{failed.status(), cmp.Or(failed.Code, 403), failed.Message}
	}
	return &errorV1{http.StatusServiceUnavailable, 130, "Over capacity"}
}

// searchV1 answers GET /1.1/search/tweets.json.
func (s *Routes) searchV1(w http.ResponseWriter, r *http.Request) {
	body, err := s.pageV1(w, r)
	s.setDeadline(w) // the source may have taken its time
	var failed *Error
	if errors.As(err, &failed) {
		s.opts.Log.Debug("a search failed", "error", failed)
	}
	s.tellRate(w.Header(), failed)
	switch {
	case err == nil:
		writeBody(w, http.StatusOK, body)
	case r.Context().Err() == nil:
		asErrorV1(err).write(w)
	}
}

// metadata is search_metadata, members in the order of the real one.
type metadata struct {
	CompletedIn float64 `json:"completed_in"`
	MaxID       uint64  `json:"max_id"`
	MaxIDStr    string  `json:"max_id_str"`
	Next        string  `json:"next_results,omitempty"`
	Query       string  `json:"query"`
	RefreshURL  string  `json:"refresh_url"`
	Count       int     `json:"count"`
	SinceID     uint64  `json:"since_id"`
	SinceIDStr  string  `json:"since_id_str"`
}

func (s *Routes) pageV1(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	values, err := s.params(w, r)
	if err != nil {
		return nil, err
	}
	q, err := readQuestionV1(values)
	if err != nil {
		return nil, err
	}
	if r.Method == http.MethodHead {
		return nil, nil // what is not read need not be asked for
	}
	if s.opts.Search == nil {
		return nil, &errorV1{http.StatusNotImplemented, 34, "The source " + s.opts.Source + " cannot be searched"}
	}
	began := time.Now()
	page, err := s.opts.Search(r.Context(), r, q)
	if err != nil {
		return nil, err
	}
	from, to := "full_text", "text"
	if values.Get("tweet_mode") == "extended" {
		from, to = to, from
	}
	body := []byte(`{"statuses":[`)
	for _, e := range page.Posts {
		status := s.posts.v1(e)
		if status == nil {
			continue
		}
		if body[len(body)-1] != '[' {
			body = append(body, ',')
		}
		body = renamed(body, status, from, to)
	}
	m := metadata{CompletedIn: time.Since(began).Round(time.Millisecond).Seconds(), MaxID: q.MaxID, Query: url.QueryEscape(q.Q), Count: q.Count, SinceID: q.SinceID, SinceIDStr: strconv.FormatUint(q.SinceID, 10)}
	if newest, _ := page.span(); newest != "" {
		m.MaxID, _ = strconv.ParseUint(newest, 10, 64)
	}
	m.MaxIDStr = strconv.FormatUint(m.MaxID, 10)
	m.RefreshURL = "?since_id=" + m.MaxIDStr + "&q=" + m.Query + "&include_entities=1"
	if page.Next > 0 && page.Next > q.SinceID {
		m.Next = "?max_id=" + strconv.FormatUint(page.Next, 10) + "&q=" + m.Query + "&count=" + strconv.Itoa(q.Count) + "&include_entities=1"
	}
	tail, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return append(append(append(body, `],"search_metadata":`...), tail...), '}'), nil
}

// maxQueryV1 is the longest q, in code points.
const maxQueryV1 = 500

// readQuestionV1 reads the parameters. What a search elsewhere cannot be asked for
// is refused, not ignored: its answer would be a wrong one. Parameters that are no
// part of the question are ignored.
func readQuestionV1(values url.Values) (q Question, err error) {
	q = Question{Q: values.Get("q"), Count: 15, Lang: strings.ToLower(values.Get("lang")), ResultType: values.Get("result_type"), Until: values.Get("until")}
	switch {
	case strings.TrimSpace(q.Q) == "":
		return q, &errorV1{http.StatusBadRequest, 25, "Query parameters are missing."}
	case utf8.RuneCountInString(q.Q) > maxQueryV1 || !utf8.ValidString(q.Q):
		return q, badV1("q")
	case values.Get("geocode") != "":
		return q, badV1("geocode (this gateway cannot ask for it)")
	}
	if n, err := strconv.Atoi(values.Get("count")); err == nil && n > 0 {
		q.Count = min(n, 100)
	}
	switch q.ResultType {
	case "", "mixed", "recent", "popular":
	default:
		return q, badV1("result_type")
	}
	if _, err := time.Parse(time.DateOnly, q.Until); q.Until != "" && err != nil {
		return q, badV1("until")
	}
	if len(q.Lang) > 20 || strings.Trim(q.Lang, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return q, badV1("lang")
	}
	for name, id := range map[string]*uint64{"since_id": &q.SinceID, "max_id": &q.MaxID} {
		if v := values.Get(name); v != "" {
			if *id, err = strconv.ParseUint(v, 10, 64); err != nil {
				return q, badV1(name)
			}
		}
	}
	return q, nil
}

// renamed appends a status whose text has the name that the client asked for; in
// the posts inside it too.
func renamed(dst, status []byte, from, to string) []byte {
	has := false
	members(status, func(name string, _ []byte) { has = has || name == to })
	dst = append(dst, '{')
	first := true
	members(status, func(name string, value []byte) {
		if name == from && !has {
			name = to
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(append(dst, '"'), name...), `":`...)
		if (name == "retweeted_status" || name == "quoted_status") && len(value) > 0 && value[0] == '{' {
			dst = renamed(dst, value, from, to)
		} else {
			dst = append(dst, value...)
		}
	})
	return append(dst, '}')
}
