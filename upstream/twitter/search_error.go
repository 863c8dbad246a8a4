package twitter

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// spent is the error while the budget is used up.
func spent(until time.Time) *upstream.SearchError {
	return &upstream.SearchError{Class: upstream.RateLimit, Status: http.StatusTooManyRequests, Code: 88, Until: until,
		Message: "the rate limit of the upstream is used up", Hint: hintOfCode[88]}
}

// failed is a request that got no answer, or half of one.
func (a *account) failed(err error, bearer string) error {
	var known *upstream.SearchError
	if errors.As(err, &known) {
		return err
	}
	var e *upstream.Error // of body
	hint := "the network, DNS or the upstream is down, or AVIARY_TWITTER_API_URL is wrong"
	if errors.As(err, &e) {
		hint = e.Hint
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &upstream.SearchError{Class: upstream.Network, Message: "no whole answer came: " + a.clean(err.Error(), bearer), Hint: hint}
}

// refused makes an error of an answer that is no page.
func (a *account) refused(answer *http.Response, raw []byte, bearer string, now time.Time) error {
	e := &upstream.SearchError{Class: upstream.Fatal, Status: answer.StatusCode}
	e.Code, e.Message = readAPIError(raw)
	if e.Message == "" {
		e.Message = string(raw[:min(len(raw), maxBody)])
		if strings.HasPrefix(strings.TrimSpace(e.Message), "<") {
			e.Message = httpapi.PlainText(e.Message)
		}
	}
	e.Message = a.clean(e.Message, bearer)
	switch {
	case e.Code == 88 || e.Status == http.StatusTooManyRequests || e.Status == 420:
		e.Class, e.Until = upstream.RateLimit, a.budget.Limited(answer, now)
	case e.Code == 130 || e.Code == 131 || e.Status >= 500 || e.Status < 300 && e.Code == 0:
		e.Class = upstream.HTTP
	}
	e.Hint = hintFor(e, answer, now, a.app, a.veil(bearer))
	return e
}

// readAPIError reads the code and the message of an error body, in the shapes that jsonError knows.
func readAPIError(raw []byte) (code int, message string) {
	message = httpapi.JSONError(raw)
	var coded struct {
		Errors []json.RawMessage `json:"errors"`
	}
	_ = json.Unmarshal(raw, &coded) // other shapes have no code
	for _, one := range coded.Errors {
		var item struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		}
		if json.Unmarshal(one, &item) == nil && item.Code != 0 {
			if item.Message != "" {
				message = item.Message
			}
			return item.Code, message
		}
	}
	return 0, message
}

// clean blanks every secret of the account and makes one line.
func (a *account) clean(s, bearer string) string { return a.veil(bearer).Quote(s, httpapi.MaxSummary) }

// veil is made anew for each error: errors are rare and many clients ask at once.
func (a *account) veil(bearer string) *httpapi.Veil {
	v := newVeil(a.secrets.Credentials)
	v.Hide(a.secrets.Bearer, bearer, a.secrets.basic())
	for _, escaped := range []string{a.secrets.Bearer, bearer} {
		if plain, err := url.PathUnescape(escaped); err == nil {
			v.Hide(plain)
		}
	}
	return v
}

// basic is how the key and the secret go to oauth2/token; "" without them.
func (c SearchCredentials) basic() string {
	if c.ConsumerKey == "" || c.ConsumerSecret == "" {
		return ""
	}
	return base64.StdEncoding.EncodeToString([]byte(percentEncode(c.ConsumerKey) + ":" + percentEncode(c.ConsumerSecret)))
}

const notAllowed = "this app may not search: see its access level at the provider (v1.1 search needs more than the free one)"

// hintOfCode says what to do about the API's own codes.
var hintOfCode = map[int]string{
	25:  "q is missing or empty for this server",
	34:  "there is no such endpoint: check AVIARY_TWITTER_API_URL (scheme and host only)",
	64:  "the account is suspended: other credentials are needed, or an appeal",
	88:  "ask again after the reset; the budget is shared by everybody who uses these credentials",
	99:  "check AVIARY_TWITTER_CONSUMER_KEY and AVIARY_TWITTER_CONSUMER_SECRET: no bearer token is given for them",
	130: "the upstream is over capacity; try again later",
	131: "the upstream has an internal error; try again later",
	195: "a parameter is wrong for the upstream: look at q, until and since_id",
	215: "the credentials did not arrive as they should: is there a proxy on the way, or a stray character in the AVIARY_TWITTER_… secrets?",
	220: notAllowed,
	226: "the upstream takes this for automation: ask less often",
	251: "the endpoint is gone: AVIARY_TWITTER_API_URL must name a server that still has v1.1 search",
	326: "the account is locked: its owner has to log in and unlock it",
	453: notAllowed,
}

// hintFor says what to do about the error.
func hintFor(e *upstream.SearchError, answer *http.Response, now time.Time, app bool, v *httpapi.Veil) string {
	switch known := hintOfCode[e.Code]; {
	case known != "":
		return known
	case e.Class == upstream.RateLimit:
		return hintOfCode[88]
	case e.Status == http.StatusOK:
		return "the answer is no search result: is AVIARY_TWITTER_API_URL right, and is there no portal or proxy on the way?"
	case e.Status >= 500:
		return "the upstream is in trouble; try again later"
	case e.Status == http.StatusUnauthorized && app:
		return "the bearer token is wrong or was revoked: check AVIARY_TWITTER_BEARER_TOKEN (it is used as it is, with its % escapes)"
	case e.Status == http.StatusUnauthorized:
		return clockHint(answer, now)
	case e.Status == http.StatusForbidden:
		return notAllowed
	case e.Status >= 300 && e.Status < 400:
		return "the upstream has moved" + v.MovedTo(answer) + "; redirects are not followed because a request is signed for one host: set AVIARY_TWITTER_API_URL"
	case e.Status == http.StatusNotFound || e.Status == http.StatusGone:
		return hintOfCode[34]
	case e.Status == http.StatusBadRequest || e.Status == http.StatusUnprocessableEntity:
		return hintOfCode[195]
	}
	return "see what the upstream says"
}
