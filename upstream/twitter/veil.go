package twitter

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"aviary/fanout"
	"aviary/upstream"
)

// leastSecret is how long a text must be to be blanked as a secret: shorter ones
// occur in every sentence.
const leastSecret = 4

// veil blanks what must not be seen in what the upstream says: the credentials,
// and the nonce and signature of the request, which an upstream may echo. One
// connection has one, used by one goroutine.
type veil struct {
	secrets  []string
	patterns []*regexp.Regexp // of the secrets; made when they are first needed
}

func newVeil(c Credentials) *veil {
	v := new(veil)
	v.hide(c.ConsumerKey, c.ConsumerSecret, c.AccessToken, c.AccessSecret)
	return v
}

// hide adds secrets.
func (v *veil) hide(secrets ...string) {
	for _, s := range secrets {
		if len(s) >= leastSecret {
			v.secrets = append(v.secrets, s)
		}
	}
	v.patterns = nil
}

// seal is the one place that every error and hint of a stream passes on its way
// out of this package.
func (v *veil) seal(err error) error {
	e, ok := err.(*upstream.Error) //nolint:errorlint // what wraps one is sealed as a whole
	if !ok {
		e = &upstream.Error{Class: upstream.Network, Err: err}
	}
	sealed := *e
	if said := v.mask(e.Error()); said != e.Error() {
		sealed.Err = errors.New(said) // without the cause, which would still tell
	}
	sealed.Hint = v.mask(e.Hint)
	return &sealed
}

// quote makes one line of at most n code points of what the upstream says. It
// blanks before it cuts: seal would not know half a secret.
func (v *veil) quote(s string, n int) string { return oneLine(v.mask(s), n) }

// cover blanks the secrets in an event that is passed on to clients; nil if
// they cannot be taken out of its JSON.
func (v *veil) cover(e *fanout.Event) *fanout.Event {
	said := string(e.JSON)
	masked := v.mask(said)
	if masked == said {
		return e
	}
	covered, _ := decode([]byte(masked))
	return covered
}

// mask blanks the secrets in s, however they are written there.
func (v *veil) mask(s string) string {
	if v.patterns == nil {
		// The longest first: one may be part of another.
		slices.SortFunc(v.secrets, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
		for _, secret := range v.secrets {
			v.patterns = append(v.patterns, pattern(secret))
		}
	}
	for _, p := range v.patterns {
		s = p.ReplaceAllLiteralString(s, "***")
	}
	return s
}

// pattern matches a secret of which each character may be as it is, escaped for
// URLs (also more than once, as in the base of a signature), HTML or JSON, in
// upper or lower case.
func pattern(secret string) *regexp.Regexp {
	named := map[rune]string{'&': "&amp;|", '<': "&lt;|", '>': "&gt;|", '"': "&quot;|", '\'': "&apos;|", ' ': `\+|`}
	var b strings.Builder
	b.WriteString("(?i)")
	for _, r := range strings.ToValidUTF8(secret, "\uFFFD") {
		var percent strings.Builder
		for _, c := range []byte(string(r)) {
			fmt.Fprintf(&percent, "%%(?:25)*%02x", c)
		}
		// The plain one last: the others may begin with it.
		fmt.Fprintf(&b, `(?:%s|&#0*%d;|&#x0*%x;|\\+u%04x|%s\\*%s)`, percent.String(), r, r, r, named[r], regexp.QuoteMeta(string(r)))
	}
	return regexp.MustCompile(b.String())
}

// watched is a transport below the signer: it sees each request as it is sent.
type watched struct {
	base http.RoundTripper
	veil *veil
}

var ofOneRequest = regexp.MustCompile(`oauth_(?:nonce|signature)="([^"]*)"`)

// RoundTrip implements http.RoundTripper.
func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, found := range ofOneRequest.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
		if value, err := url.PathUnescape(found[1]); err == nil {
			w.veil.hide(value)
		}
	}
	return w.base.RoundTrip(r)
}
