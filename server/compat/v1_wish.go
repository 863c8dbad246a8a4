package compat

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"aviary/fanout/filter"
)

// wishV1 is a request for a v1.1 stream, understood.
type wishV1 struct {
	filter    *filter.Filter
	delimited bool // each message after its length
	warnings  bool // FALLING_BEHIND
}

// refusalV1 is an answer of the streaming API: a status and a line of text, which
// is no JSON.
type refusalV1 struct {
	status int
	said   string
	retry  time.Duration
}

func (f *refusalV1) Error() string { return f.said }

func (f *refusalV1) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if f.retry > 0 {
		h.Set("Retry-After", seconds(f.retry))
	}
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, f.said+"\r\n") // a failure means the client has left
}

func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// params reads the query string and a form body. What cannot be decoded is left
// out, as are bodies of other types: clients of Twitter send all sorts.
func (s *Routes) params(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if len(r.URL.RawQuery) > s.opts.MaxBytes {
		return nil, &refusalV1{status: http.StatusRequestURITooLong, said: "The query string is too long: send the parameters in the body of a POST"}
	}
	values, _ := url.ParseQuery(r.URL.RawQuery)
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if r.Method != http.MethodPost || kind != "application/x-www-form-urlencoded" {
		return values, nil
	}
	body, err := s.readBody(w, r)
	if err != nil {
		return nil, err
	}
	form, _ := url.ParseQuery(string(body))
	for name, list := range form {
		values[name] = append(values[name], list...)
	}
	return values, nil
}

// readBody reads a body within the size and the time that are allowed.
func (s *Routes) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(s.opts.WriteTimeout)) // a test's recorder has none
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.opts.MaxBytes)))
	s.setDeadline(w) // the client may have taken all of the time
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return nil, &refusalV1{status: http.StatusRequestEntityTooLarge, said: "The body is too large"}
	case err != nil:
		return nil, &refusalV1{status: http.StatusBadRequest, said: "The body could not be read to its end"}
	}
	_ = control.SetReadDeadline(time.Time{})
	return body, nil
}

// predicates are the parameters that a filter stream needs one of, and how many
// items each may hold.
var predicates = []struct {
	name  string
	most  int
	items string
}{
	{"follow", filter.DefaultLimits().IDs, "users"},
	{"track", filter.DefaultLimits().Phrases, "phrases"},
	{"locations", 4 * filter.DefaultLimits().Boxes, "numbers"},
}

// readWish reads the parameters of filter.json; of sample.json, where all is no
// predicate. Parameters of other names are ignored, as Twitter ignored them:
// clients sign, stringify and extend with dozens.
func readWish(values url.Values, sample bool) (*wishV1, error) {
	wanted := url.Values{}
	for _, p := range predicates {
		list := listed(values[p.name])
		switch {
		case sample || len(list) == 0:
			continue
		case len(list) > p.most:
			return nil, &refusalV1{status: http.StatusRequestEntityTooLarge, said: "Parameter " + p.name + " has " + strconv.Itoa(len(list)) + " " + p.items + ": the limit is " + strconv.Itoa(p.most)}
		}
		wanted.Set(p.name, strings.Join(list, ","))
	}
	if len(wanted) == 0 && !sample {
		return nil, &refusalV1{status: http.StatusNotAcceptable, said: "No filter parameters found. Expect at least one parameter: follow track locations"}
	}
	if v := values.Get("count"); v != "" && v != "0" {
		return nil, &refusalV1{status: http.StatusRequestedRangeNotSatisfiable, said: "Parameter count not allowed in role: this gateway replays its history at /stream"}
	}
	for _, name := range []string{"language", "filter_level"} {
		if list := listed(values[name]); len(list) > 0 {
			wanted.Set(name, strings.Join(list, ","))
		}
	}
	f, err := filter.Parse(wanted)
	if err != nil {
		return nil, &refusalV1{status: http.StatusNotAcceptable, said: "Parameter " + err.Error()}
	}
	return &wishV1{filter: f, delimited: values.Get("delimited") == "length", warnings: yes(values.Get("stall_warnings"))}, nil
}

// listed are the items of a comma list, without the empty ones.
func listed(values []string) (list []string) {
	for item := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// yes reads a flag as clients write it: true, True, 1, t.
func yes(s string) bool {
	on, _ := strconv.ParseBool(s)
	return on
}
