package x

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// errTooMany marks the error of a stream that was refused because the upstream
// still counts another one.
var errTooMany = errors.New("the upstream counts as many streams as it allows")

// errNoRules marks the error of a stream that was refused because there are no rules.
var errNoRules = errors.New("the upstream has no rules")

// statusCalm is "Enhance Your Calm".
const statusCalm = 420

// answerError is what the upstream said instead of what was asked for.
type answerError struct {
	status int
	said   string
}

func (e *answerError) Error() string {
	s := fmt.Sprintf("HTTP %d%s", e.status, upstream.StatusName(e.status))
	if e.said != "" {
		s += ": " + e.said
	}
	return s
}

// refused makes an error of an answer that is not what was asked for.
func refused(v *httpapi.Veil, answer *http.Response, raw []byte, now time.Time) *upstream.Error {
	code := answer.StatusCode
	e := &upstream.Error{Class: upstream.Fatal, Err: &answerError{code, v.Quote(says(raw), httpapi.MaxSummary)}}
	p := decisive(readProblems(raw))
	server := httpapi.ServerTime(answer, now)
	switch {
	case p.capped():
		spentError(e, &p, now)
	case code == http.StatusTooManyRequests && p.tooMany():
		e.Class, e.Err = upstream.RateLimit, fmt.Errorf("%w: %w", errTooMany, e.Err)
		e.Hint = "another stream is open with this token, or one of ours that died is still counted; it waits by itself"
	case code == http.StatusTooManyRequests:
		e.Class = upstream.RateLimit
		e.Hint = "too many requests with this token; it waits by itself until the upstream's limit is reset"
		e.RetryAfter = httpapi.RetryAfter(answer, server)
		if reset := httpapi.RateLimitReset(answer, server); reset > 0 && windowSpent(answer) {
			e.NotBefore = now.Add(min(reset, longestReset) + resetMargin)
		}
	case code == http.StatusConflict:
		e.Class, e.Err = upstream.HTTP, fmt.Errorf("%w: %w", errNoRules, e.Err)
		e.Hint = hintRules
	case code == statusCalm: // what v1.1 had for 429
		e.Class, e.RetryAfter = upstream.RateLimit, httpapi.RetryAfter(answer, server)
		e.Hint = "too many requests with this token; it waits by itself"
	case code >= 500 || code < 300 || code == http.StatusRequestTimeout || code == http.StatusTooEarly:
		e.Class, e.RetryAfter = upstream.HTTP, httpapi.RetryAfter(answer, server)
		e.Hint = "the upstream is in trouble; it is tried again by itself"
	default:
		e.Hint = hint(v, answer, &p)
	}
	return e
}

// windowSpent says that it is the window of x-rate-limit-reset that is used up.
func windowSpent(answer *http.Response) bool {
	left := answer.Header.Get("X-Rate-Limit-Remaining")
	return left == "" || left == "0"
}

const (
	resetMargin  = time.Second // resets are cut to the second
	longestReset = 25 * time.Hour

	hintRules = "set AVIARY_TRACK, AVIARY_FOLLOW, AVIARY_LOCATIONS or AVIARY_X_RULES_FILE, then reconnect; rules take some 20 seconds to count"
)

// hint says what to do about a refusal that no retry cures.
func hint(v *httpapi.Veil, answer *http.Response, p *problem) string {
	switch code := answer.StatusCode; {
	case code == http.StatusUnauthorized:
		return "the bearer token is wrong or was revoked: check AVIARY_X_BEARER_TOKEN (it is used as it is, with its % escapes), then reconnect"
	case p.Kind == "client-forbidden":
		return "the app of this token may not use the filtered stream (" + v.Quote(p.Reason, 60) + "): attach it to a project with access, then reconnect"
	case p.Kind == "unsupported-authentication":
		return "the stream takes an app's bearer token, not a user's: check AVIARY_X_BEARER_TOKEN"
	case code == http.StatusForbidden:
		return "this token may not use this endpoint: see the access level of its app"
	case code == http.StatusNotFound:
		return "there is no such endpoint: check AVIARY_X_API_URL (scheme and host only)"
	case code == http.StatusBadRequest && answer.Request != nil && answer.Request.URL.Query().Has("backfill_minutes"):
		return "the request is refused; if AVIARY_X_BACKFILL_MINUTES is not allowed for this token, set it to 0"
	case code == http.StatusBadRequest:
		return "the request is refused: check AVIARY_X_API_URL, and see what the upstream says"
	case code < 400:
		return "the upstream has moved" + v.MovedTo(answer) + "; redirects are not followed because the token is for one host: set AVIARY_X_API_URL"
	}
	return "the upstream refuses the request; see what it says"
}

// spentError fills in what a spent quota means: nothing until its period ends.
func spentError(e *upstream.Error, p *problem, now time.Time) {
	e.Class, e.NotBefore = upstream.RateLimit, p.periodEnd(now)
	e.Hint = "the quota of posts of this token is spent until " + e.NotBefore.Format(time.RFC3339) + "; no request goes out before, unless somebody asks for one (reconnect)"
}

// broken says how a stream ends that a message with errors and no data ends. The
// upstream itself closes it, so nothing of ours is still counted.
func broken(v *httpapi.Veil, raw []byte, now time.Time) *upstream.Error {
	e := &upstream.Error{Class: upstream.HTTP, Clean: true, Hint: "it is opened again by itself",
		Err: errors.New("the upstream ended the stream: " + v.Quote(says(raw), httpapi.MaxSummary))}
	p := decisive(readProblems(raw))
	switch {
	case p.capped():
		spentError(e, &p, now)
	case p.Kind == "operational-disconnect" || p.Disconnect != "" || p.Title == "operational-disconnect":
		e.Class = upstream.Network
	case p.tooMany():
		e.Class, e.Err = upstream.RateLimit, fmt.Errorf("%w: %w", errTooMany, e.Err)
		e.Hint = "another stream was opened with this token; it waits by itself"
	case p.Kind == "rate-limit-exceeded" || p.Code == 88:
		e.Class, e.Hint = upstream.RateLimit, "too much was asked with this token; it waits by itself"
	case p.Kind == "client-forbidden" || p.Kind == "unsupported-authentication" || p.Kind == "not-authorized-for-resource" || p.Code == 89 || p.Code == 32:
		e.Class, e.Hint = upstream.Fatal, "the access of this token has ended: see its app at the provider, then reconnect"
	}
	return e
}
