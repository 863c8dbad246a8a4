package compat

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxQueryV2 is the longest query, in code points.
const maxQueryV2 = 512

// searchV2 answers GET /2/tweets/search/recent.
func (s *Routes) searchV2(w http.ResponseWriter, r *http.Request) {
	body, err := s.pageV2(w, r)
	s.setDeadline(w) // the source may have taken its time
	var failed *Error
	if errors.As(err, &failed) {
		s.opts.Log.Debug("a search failed", "error", failed)
		err = failed.problem()
	}
	s.tellRate(w.Header(), failed)
	switch {
	case err == nil:
		writeBody(w, http.StatusOK, body)
	case r.Context().Err() == nil:
		s.refuseV2(w, err)
	}
}

// problem is what a v2 client is told of a failure.
func (e *Error) problem() *problemV2 {
	switch {
	case e.Limited:
		return plainV2(http.StatusTooManyRequests, "Too Many Requests")
	case e.Refused && e.status() == http.StatusBadRequest:
		return invalid("", "", "%s", e.Message)
	case e.Refused:
		return plainV2(e.status(), e.Message)
	}
	return plainV2(http.StatusServiceUnavailable, "Service Unavailable")
}

func (s *Routes) pageV2(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	values, err := s.paramsV2(w, r, append(slices.Clone(projectionParams),
		"query", "max_results", "next_token", "pagination_token", "since_id", "until_id", "start_time", "end_time", "sort_order")...)
	if err != nil {
		return nil, err
	}
	wish, err := readProjection(values)
	if err != nil {
		return nil, err
	}
	q, err := readQuestionV2(values)
	if err != nil {
		return nil, err
	}
	if r.Method == http.MethodHead {
		return nil, nil // what is not read need not be asked for
	}
	if s.opts.Search == nil {
		return nil, plainV2(http.StatusNotImplemented, "The source "+s.opts.Source+" cannot be searched")
	}
	page := &Page{}
	if q.MaxID == 0 || q.MaxID > q.SinceID { // else nothing can lie between
		if page, err = s.opts.Search(r.Context(), r, q); err != nil {
			return nil, err
		}
	}
	return s.answerV2(page, q, wish), nil
}

// answerV2 writes a page.
func (s *Routes) answerV2(page *Page, q Question, wish *projection) []byte {
	var in found
	n := 0
	body := []byte(`{`)
	for _, post := range page.Posts {
		var e envelope
		if raw := s.posts.v2(post); raw == nil || !e.open(raw, wish) {
			continue
		}
		if n++; n == 1 {
			body = append(body, `"data":[`...)
		} else {
			body = append(body, ',')
		}
		body = wish.tweet.append(body, e.data)
		wish.gather(&e, &in)
	}
	if n > 0 {
		body = append(body, ']')
		body = wish.append(body, &in)
		body = append(body, ',')
	}
	meta := struct {
		Newest string `json:"newest_id,omitempty"`
		Oldest string `json:"oldest_id,omitempty"`
		Count  int    `json:"result_count"`
		Next   string `json:"next_token,omitempty"`
	}{Count: n}
	meta.Newest, meta.Oldest = page.span()
	if page.Next > 0 && page.Next > q.SinceID && n > 0 {
		meta.Next = nextToken(page.Next)
	}
	raw, err := json.Marshal(meta)
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	return append(append(append(body, `"meta":`...), raw...), '}')
}

// A next_token is the max_id of the next page, in a form that nobody is tempted to
// build.

func nextToken(maxID uint64) string { return "b" + strconv.FormatUint(maxID, 36) }

func parseNextToken(s string) (uint64, bool) {
	text, ok := strings.CutPrefix(s, "b")
	id, err := strconv.ParseUint(text, 36, 64)
	return id, ok && err == nil && id > 0 && nextToken(id) == s
}

// readQuestionV2 reads the parameters. Times become ids, which hold the time of
// their post.
func readQuestionV2(values url.Values) (q Question, err error) {
	q = Question{Q: values.Get("query"), ResultType: "recent"}
	switch n := utf8.RuneCountInString(q.Q); {
	case strings.TrimSpace(q.Q) == "":
		return q, invalid("query", q.Q, "The `query` query parameter can not be empty")
	case n > maxQueryV2 || !utf8.ValidString(q.Q):
		return q, invalid("query", q.Q, "The `query` query parameter has %d characters; the limit is %d", n, maxQueryV2)
	}
	if q.Count, err = whole(values, "max_results", 10, 100, 10); err != nil {
		return q, err
	}
	if v := values.Get("sort_order"); v != "" && v != "recency" && v != "relevancy" {
		return q, invalid("sort_order", v, "The `sort_order` query parameter value [%s] is not one of [recency,relevancy]", clip(v))
	}
	before := ^uint64(0) // exclusive
	for _, b := range []struct {
		name string
		read func(string) (uint64, error)
		into func(uint64)
	}{
		{"since_id", readID, func(id uint64) { q.SinceID = max(q.SinceID, id) }},
		{"start_time", readTime, func(id uint64) { q.SinceID = max(q.SinceID, max(id, 1)-1) }},
		{"until_id", readID, func(id uint64) { before = min(before, id) }},
		{"end_time", readTime, func(id uint64) { before = min(before, id) }},
	} {
		v := values.Get(b.name)
		if v == "" {
			continue
		}
		id, err := b.read(v)
		if err != nil {
			return q, invalid(b.name, v, "The `%s` query parameter value [%s] is not valid", b.name, clip(v))
		}
		b.into(id)
	}
	if before != ^uint64(0) {
		q.MaxID = max(before, 1) - 1
		if q.MaxID == 0 {
			q.MaxID = 1 // nothing has an id below it
		}
	}
	for _, name := range []string{"next_token", "pagination_token"} {
		v := values.Get(name)
		if v == "" {
			continue
		}
		id, ok := parseNextToken(v)
		if !ok {
			return q, invalid(name, v, "The `%s` query parameter value [%s] is not one that this gateway gave", name, clip(v))
		}
		q.MaxID = id
	}
	return q, nil
}

func readID(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }

func readTime(s string) (uint64, error) {
	t, err := time.Parse(time.RFC3339, s)
	return snowflake(t), err
}
