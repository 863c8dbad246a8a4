package httpapi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"aviary/upstream"
)

// Body returns the reader of what the server says, unpacked.
func (v *Veil) Body(answer *http.Response, r io.Reader) (io.Reader, error) {
	switch coding := strings.ToLower(answer.Header.Get("Content-Encoding")); coding {
	case "", "identity":
		return r, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(bufio.NewReaderSize(r, 16<<10))
		if errors.Is(err, gzip.ErrHeader) {
			return nil, &upstream.Error{Class: upstream.HTTP, Err: errors.New("the answer says it is gzip and is not"),
				Hint: "a proxy on the way may garble it; it is tried again by itself"}
		}
		return z, err
	default:
		return nil, &upstream.Error{Class: upstream.HTTP, Err: fmt.Errorf("the answer came in %s, only gzip was offered", v.Quote(coding, 40)),
			Hint: "a proxy on the way may have changed it; it is tried again by itself"}
	}
}

// WebPage says whether a 200 is a page for people: a captive portal, or the
// wrong address.
func WebPage(answer *http.Response) bool {
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	return err == nil && kind == "text/html"
}

// ServerTime is the server's idea of now, for times that it sends: they then
// hold whatever our clock says.
func ServerTime(answer *http.Response, now time.Time) time.Time {
	if t, err := http.ParseTime(answer.Header.Get("Date")); err == nil {
		return t
	}
	return now
}

// RetryAfter reads Retry-After: seconds, or a date.
func RetryAfter(answer *http.Response, now time.Time) time.Duration {
	v := strings.TrimSpace(answer.Header.Get("Retry-After"))
	if seconds, err := strconv.ParseUint(v, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}

// RateLimitReset reads x-rate-limit-reset: Unix seconds.
func RateLimitReset(answer *http.Response, now time.Time) time.Duration {
	v := strings.TrimSpace(answer.Header.Get("X-Rate-Limit-Reset"))
	seconds, err := strconv.ParseUint(v, 10, 33)
	if err != nil {
		return 0
	}
	return max(0, time.Unix(int64(seconds), 0).Sub(now))
}

// MovedTo names the server of a Location, nothing else of it.
func (v *Veil) MovedTo(answer *http.Response) string {
	u, err := url.Parse(answer.Header.Get("Location"))
	if err != nil || u.Host == "" {
		return ""
	}
	return " to " + v.Quote(u.Scheme+"://"+u.Host, 100)
}

// maxAnswer is how long an answer may be, in bytes, unpacked; 100 posts are some 500 KB.
const maxAnswer = 8 << 20

var errBigPage = fmt.Errorf("the answer is larger than %d MiB", maxAnswer>>20)

// ReadAll reads a body to its end, within the bound.
func ReadAll(answer *http.Response) ([]byte, error) {
	r, err := new(Veil).Body(answer, answer.Body) // whoever words the error blanks what it says
	if errors.Is(err, io.EOF) {
		return nil, nil // gzip of nothing
	}
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err == nil && len(raw) > maxAnswer {
		err = errBigPage
	}
	return raw, err
}
