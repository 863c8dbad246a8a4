package server

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// readParams reads the query string and, of a POST, the form body.
func (s *Server) readParams(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	values, err := s.readQuery(r)
	if err != nil || r.Method != http.MethodPost {
		return values, err
	}
	body, err := s.readForm(w, r)
	if err != nil {
		return nil, err
	}
	return values, parseQuery(values, body)
}

// readQuery reads the query string alone.
func (s *Server) readQuery(r *http.Request) (url.Values, error) {
	most := s.opts.MaxFilterBytes
	if len(r.URL.RawQuery) > most {
		return nil, problem(http.StatusRequestURITooLong, "the query string has %d bytes; at most %d are read (send the parameters as the body of a POST to /stream)", len(r.URL.RawQuery), most)
	}
	values := url.Values{}
	return values, parseQuery(values, r.URL.RawQuery)
}

// readForm reads a form body within the size and the time that are allowed.
func (s *Server) readForm(w http.ResponseWriter, r *http.Request) (string, error) {
	const form = "application/x-www-form-urlencoded"
	if mediaType(r) != form {
		return "", problem(http.StatusUnsupportedMediaType, "the body of a POST to /stream is %s", form)
	}
	body, err := s.readBody(w, r, "form", s.opts.MaxFilterBytes)
	return string(body), err
}

// mediaType is what a request says its body is, without parameters, in lower case.
func mediaType(r *http.Request) string {
	t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// readBody reads a body of at most so many bytes within WriteTimeout. what is
// its name in the words of a problem.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, what string, most int) ([]byte, error) {
	control := http.NewResponseController(w)
	if err := control.SetReadDeadline(time.Now().Add(s.opts.WriteTimeout)); err != nil {
		return nil, err
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(most)))
	s.setDeadline(w, s.opts.WriteTimeout) // reading has used up the answer's
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return nil, problem(http.StatusRequestEntityTooLarge, "the %s has more than the %d bytes that are read", what, big.Limit)
	case err != nil:
		return nil, problem(http.StatusBadRequest, "the %s could not be read to its end", what)
	}
	return body, control.SetReadDeadline(time.Time{})
}

// parseQuery adds the parameters of a query string or form body to values. It
// names the one that cannot be decoded.
func parseQuery(values url.Values, query string) error {
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		rawName, rawValue, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(rawName)
		if err != nil {
			return badParam(rawName, -1, "the parameter name %q is not URL-encoded well", clip(rawName))
		}
		value, err := url.QueryUnescape(rawValue)
		if err != nil {
			at := 0
			if prefix, _, found := strings.Cut(rawValue, badEscape(err)); found {
				if good, err := url.QueryUnescape(prefix); err == nil {
					at = len([]rune(good))
				}
			}
			return badParam(name, at, "%s is not URL-encoded well: %s", clip(name), err)
		}
		values.Add(name, value)
	}
	return nil
}

func badEscape(err error) string {
	var e url.EscapeError
	errors.As(err, &e)
	return string(e)
}
