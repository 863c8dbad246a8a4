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
	most := s.opts.MaxFilterBytes
	if len(r.URL.RawQuery) > most {
		return nil, problem(http.StatusRequestURITooLong, "the query string has %d bytes; at most %d are read (send the parameters as the body of a POST)", len(r.URL.RawQuery), most)
	}
	values := url.Values{}
	if err := parseQuery(values, r.URL.RawQuery); err != nil {
		return nil, err
	}
	if r.Method != http.MethodPost {
		return values, nil
	}
	body, err := s.readForm(w, r)
	if err != nil {
		return nil, err
	}
	return values, parseQuery(values, body)
}

// readForm reads a form body within the size and the time that are allowed.
func (s *Server) readForm(w http.ResponseWriter, r *http.Request) (string, error) {
	const form = "application/x-www-form-urlencoded"
	if t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(t), form) {
		return "", problem(http.StatusUnsupportedMediaType, "the body of a POST to /stream is %s", form)
	}
	control := http.NewResponseController(w)
	if err := control.SetReadDeadline(time.Now().Add(s.opts.WriteTimeout)); err != nil {
		return "", err
	}
	var b strings.Builder
	if _, err := io.Copy(&b, http.MaxBytesReader(w, r.Body, int64(s.opts.MaxFilterBytes))); err != nil {
		var big *http.MaxBytesError
		if errors.As(err, &big) {
			return "", problem(http.StatusRequestEntityTooLarge, "the form has more than the %d bytes that are read", big.Limit)
		}
		return "", problem(http.StatusBadRequest, "the form could not be read to its end")
	}
	return b.String(), control.SetReadDeadline(time.Time{})
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
