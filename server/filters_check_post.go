package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"aviary/fanout"
	"aviary/fanout/filter"
)

const (
	// maxPost is the longest post that filters are tried on: no upstream may send
	// a longer one.
	maxPost = 1 << 20

	// maxChecks is how many posts are tried at once: with maxPost it bounds the
	// memory that strangers can fill.
	maxChecks = 64
)

// readPost reads the body of a POST to /filters/check: one post in the JSON of
// the source, taken as it would be from the upstream.
func (s *Server) readPost(w http.ResponseWriter, r *http.Request) (*filter.Post, error) {
	if s.opts.Dialect.Post == nil {
		return nil, problem(http.StatusNotImplemented, "posts of the source %q cannot be tried on a filter", s.opts.Source)
	}
	if mediaType(r) != "application/json" {
		return nil, problem(http.StatusUnsupportedMediaType, "the body of a POST to %s is one post as application/json", r.URL.Path)
	}
	select {
	case s.checks <- struct{}{}:
		defer func() { <-s.checks }()
	default:
		return nil, problem(http.StatusServiceUnavailable, "as many posts as can be are being tried: try again soon")
	}
	body, err := s.readBody(w, r, "post", maxPost)
	s.setDeadline(w, s.opts.WriteTimeout) // the client may have taken its time
	if err != nil {
		return nil, err
	}
	post, err := s.opts.Dialect.Post(fanout.Normalize(nil, body))
	if err != nil {
		return nil, problem(http.StatusBadRequest, "the body is no post: %s", whyNoPost(body, err))
	}
	return post, nil
}

// whyNoPost says where JSON is broken, and what the dialect says of JSON that is not.
func whyNoPost(body []byte, err error) string {
	var whole json.RawMessage
	var broken *json.SyntaxError
	switch syntax := json.Unmarshal(body, &whole); {
	case len(bytes.TrimSpace(body)) == 0:
		return "it is empty"
	case errors.As(syntax, &broken):
		return fmt.Sprintf("not JSON at byte %d: %s", broken.Offset, broken)
	}
	return err.Error()
}

// postFailed answers for a post that could not be read.
func (s *Server) postFailed(w http.ResponseWriter, r *http.Request, err error) {
	p := asProblem(err)
	switch p.Status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	case http.StatusInternalServerError:
		s.opts.Log.Error("a post to check could not be read", "error", err)
	}
	p.write(w, r)
}
