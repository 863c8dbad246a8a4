package sim

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// refusal is an answer that is not a stream.
type refusal struct {
	status     int
	body, kind string // kind: Content-Type
	retryAfter time.Duration
	reset      time.Time // x-rate-limit-reset; zero: none
}

// apiError is an error in the JSON form of the REST API.
func apiError(status, code int, message string) *refusal {
	body := fmt.Sprintf(`{"errors":[{"code":%d,"message":%q}]}`, code, message)
	return &refusal{status: status, body: body, kind: "application/json; charset=utf-8"}
}

// textError is an error in the plain form of the old streaming hosts.
func textError(status int, format string, args ...any) *refusal {
	return &refusal{status: status, body: fmt.Sprintf(format, args...) + "\r\n", kind: "text/plain; charset=utf-8"}
}

// htmlError is an error as a server farm's front end gives it.
func htmlError(status int, detail string) *refusal {
	body := fmt.Sprintf("<html>\n<head><title>Error %d %s</title></head>\n<body>\n<h2>HTTP ERROR: %d</h2>\n<p>%s</p>\n</body>\n</html>\n",
		status, http.StatusText(status), status, detail)
	return &refusal{status: status, body: body, kind: "text/html; charset=utf-8"}
}

// write sends the refusal; now is the simulator's time, for the Date header.
func (f *refusal) write(w http.ResponseWriter, now time.Time) {
	h := w.Header()
	h.Set("Date", now.UTC().Format(http.TimeFormat))
	if f.kind != "" {
		h.Set("Content-Type", f.kind)
	}
	h.Set("Content-Length", strconv.Itoa(len(f.body)))
	if f.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `OAuth realm="https://api.twitter.com"`)
	}
	if f.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(f.retryAfter.Seconds())))
	}
	if !f.reset.IsZero() {
		h.Set("x-rate-limit-limit", "5")
		h.Set("x-rate-limit-remaining", "0")
		h.Set("x-rate-limit-reset", strconv.FormatInt(f.reset.Unix(), 10))
	}
	w.WriteHeader(f.status)
	_, _ = w.Write([]byte(f.body))
}
