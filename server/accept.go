package server

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// The media types of a stream.
const (
	typeSSE    = "text/event-stream"
	typeNDJSON = "application/x-ndjson"
)

// negotiate chooses the form by the Accept header (RFC 9110, 12.5.1): SSE where
// both are as welcome. ok is false if neither is. explicit says that
// text/event-stream is named, as an EventSource does.
func negotiate(h http.Header) (ndjson, explicit, ok bool) {
	accept := strings.Join(h.Values("Accept"), ",")
	if strings.TrimSpace(accept) == "" {
		return false, false, true
	}
	sse, lines := quality{}, quality{}
	for item := range strings.SplitSeq(accept, ",") {
		t, params, err := mime.ParseMediaType(item)
		if err != nil {
			continue
		}
		q := 1.0
		if s, given := params["q"]; given {
			if q, err = strconv.ParseFloat(s, 64); err != nil || !(q >= 0 && q <= 1) {
				continue
			}
		}
		sse.consider(t, typeSSE, q)
		lines.consider(t, typeNDJSON, q)
	}
	explicit = sse.exact && sse.q > 0
	if sse.q == 0 && lines.q == 0 {
		return false, false, false
	}
	return lines.q > sse.q, explicit, true
}

// quality is how welcome a type is: the most specific range that covers it decides.
type quality struct {
	q           float64
	specificity int
	exact       bool
}

func (a *quality) consider(given, want string, q float64) {
	specificity := 0
	switch {
	case given == want:
		specificity = 3
	case strings.HasSuffix(given, "/*") && strings.HasPrefix(want, strings.TrimSuffix(given, "*")):
		specificity = 2
	case given == "*/*":
		specificity = 1
	}
	if specificity > a.specificity {
		*a = quality{q, specificity, specificity == 3}
	}
}
