package twitter

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// refusal is nil for a stream, else what the answer means.
func (c *connection) refusal(answer *http.Response, now time.Time) error {
	code := answer.StatusCode
	if code == http.StatusOK && !httpapi.WebPage(answer) {
		return nil
	}
	e := &upstream.Error{Class: upstream.Fatal}
	said, empty := c.summarise(answer)
	e.Err = fmt.Errorf("HTTP %d%s", code, upstream.StatusName(code))
	if said != "" {
		e.Err = fmt.Errorf("%w: %s", e.Err, said)
	}
	server := httpapi.ServerTime(answer, now)
	switch {
	case code == http.StatusOK:
		e.Class = upstream.HTTP
		e.Err = notAStream(said, empty)
		e.Hint = "is AVIARY_TWITTER_STREAM_URL right, and is there no portal or proxy on the way?"
	case code == 420 || code == http.StatusTooManyRequests:
		e.Class = upstream.RateLimit
		e.RetryAfter = max(httpapi.RetryAfter(answer, server), httpapi.RateLimitReset(answer, server))
		e.Hint = "too many connects or too many streams with these credentials; it waits by itself, changing settings now makes it worse"
	case code >= 500 || code < 300:
		e.Class = upstream.HTTP
		e.RetryAfter = httpapi.RetryAfter(answer, server)
		e.Hint = "the upstream is in trouble; it is tried again by itself"
	case code == http.StatusUnauthorized:
		e.Hint = clockHint(answer, now)
	case code < 400:
		e.Hint = "the upstream has moved" + c.veil.MovedTo(answer) + "; redirects are not followed because a request is signed for one host: set AVIARY_TWITTER_STREAM_URL"
	default:
		e.Hint = hint(code)
		e.Asked = code == 406 || code == 413 || code == 422
	}
	return e
}

// notAStream is the error of a 200 that is a page for people. said is its text.
func notAStream(said string, empty bool) error {
	switch {
	case empty:
		return errors.New("an empty answer instead of a stream")
	case said == "":
		return errors.New("a web page without text instead of a stream")
	}
	return errors.New("a web page instead of a stream: " + said)
}

const switchedOff = "Twitter's own v1.1 streaming was switched off in 2023 (apps made after April 2022 never had it): for real posts another source is needed"

// hint says what to do about a status that no retry cures.
func hint(code int) string {
	switch code {
	case 400:
		return "the request is malformed for this server: check AVIARY_TWITTER_STREAM_URL and the AVIARY_TWITTER_… secrets for stray characters"
	case 403:
		return "these credentials may not use this endpoint. " + switchedOff
	case 404:
		return "there is no such endpoint: check AVIARY_TWITTER_STREAM_URL (scheme and host only)"
	case 406:
		return "a predicate is refused: check AVIARY_TRACK (phrases of 1 to 60 bytes), AVIARY_FOLLOW (numeric ids) and AVIARY_LOCATIONS (west,south,east,north)"
	case 410:
		return "the endpoint is gone. " + switchedOff
	case 413:
		return "a list is too long for these credentials: at most 400 phrases, 5,000 ids and 25 boxes on the default access level; shorten AVIARY_TRACK, AVIARY_FOLLOW or AVIARY_LOCATIONS"
	case 416:
		return "a parameter is out of range or not allowed for this role (count is the usual one)"
	case 407:
		return "a proxy on the way wants a login"
	case 422:
		return "the upstream understands the predicates but cannot use them: check AVIARY_TRACK, AVIARY_FOLLOW and AVIARY_LOCATIONS"
	case 451:
		return "the upstream may not serve this for legal reasons"
	}
	return "the upstream refuses the request; see what it says"
}

// maxSkew is how far our clock may be off before it is named as the cause of a
// 401: servers accept a few minutes.
const maxSkew = time.Minute

// clockHint says what a 401 is probably about. A signature holds the time, and
// the server's Date tells how far off our clock is.
func clockHint(answer *http.Response, now time.Time) string {
	const credentials = "check the four AVIARY_TWITTER_… secrets (consumer key and secret, access token and secret belong together)"
	date, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return credentials + " and that the clock of this machine is right"
	}
	off := now.Sub(date).Round(time.Second)
	switch {
	case off > maxSkew:
		return fmt.Sprintf("the clock of this machine is %v ahead of the server's, which makes every signature invalid: set the clock; if it is right, %s", off, credentials)
	case off < -maxSkew:
		return fmt.Sprintf("the clock of this machine is %v behind the server's, which makes every signature invalid: set the clock; if it is right, %s", -off, credentials)
	}
	return credentials + "; the clock is right"
}

// disconnected says how the stream ends that a disconnect message ended.
func (c *connection) disconnected(notice []byte) error {
	code, reason := readDisconnect(notice)
	e := &upstream.Error{Class: upstream.Fatal, Clean: true}
	said := fmt.Sprintf("the upstream disconnected us with code %d", code)
	if reason = c.veil.Quote(reason, httpapi.MaxSummary); reason != "" {
		said += ": " + reason
	}
	e.Err = errors.New(said)
	switch code {
	case 2:
		e.Class = upstream.Conflict
		e.Hint = "the same endpoint was opened too many times: another process uses these credentials; stop it, then reconnect"
	case 5:
		e.Hint = "the upstream thinks that we closed the stream; reconnect if nobody meant to"
	case 6:
		e.Hint = "the user took back the app's access: new credentials are needed"
	case 7:
		e.Hint = "another process opened a stream with these credentials and replaced ours; reconnecting would start a fight: stop the other one, then reconnect"
	case 9:
		e.Hint = "the asked number of messages was sent; reconnect to go on"
	case 13:
		e.Hint = "the account was deleted: other credentials are needed"
	case 14:
		e.Hint = "the account was suspended: other credentials are needed, or an appeal"
	case 4:
		e.Class, e.Hint = upstream.Network, "we read too slowly: this machine or its network is overloaded; it is opened again by itself"
	default: // 1, 3, 8, 10, 11, 12 and what nobody knows: an established stream dropped
		e.Class, e.Hint = upstream.Network, "it is opened again by itself"
	}
	return e
}

// readDisconnect reads {"disconnect":{"code":4,"stream_name":…,"reason":…}}; -1: no code.
func readDisconnect(notice []byte) (code int64, reason string) {
	code = -1
	var r reader
	r.Reset(notice)
	if !r.Object() {
		return code, ""
	}
	for r.Key() {
		if r.Name != "disconnect" || !r.Object() {
			if r.Name != "disconnect" {
				r.Skip()
			}
			continue
		}
		for r.Key() {
			switch r.Name {
			case "code":
				if n, err := strconv.ParseInt(r.Numeral(), 10, 32); err == nil {
					code = n
				}
			case "reason":
				reason, _ = r.Str()
			default:
				r.Skip()
			}
		}
	}
	return code, reason
}

// maxBody is how much of an error body is looked at.
const maxBody = 16 << 10

// summarise makes one short clean line of an error body, and says whether there
// was none.
func (c *connection) summarise(answer *http.Response) (said string, empty bool) {
	r, err := c.veil.Body(answer, answer.Body)
	if err != nil {
		return "", errors.Is(err, io.EOF)
	}
	raw, _ := io.ReadAll(io.LimitReader(r, maxBody)) // what came before an error is still worth reading
	return c.veil.Quote(httpapi.Summary(raw), httpapi.MaxSummary), len(raw) == 0
}
