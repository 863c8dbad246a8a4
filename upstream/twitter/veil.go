package twitter

import (
	"net/http"
	"net/url"
	"regexp"

	"aviary/fanout"
	"aviary/upstream/httpapi"
)

func newVeil(c Credentials) *httpapi.Veil {
	v := new(httpapi.Veil)
	v.Hide(c.ConsumerKey, c.ConsumerSecret, c.AccessToken, c.AccessSecret)
	return v
}

// cover blanks the secrets in an event that is passed on to clients; nil if
// they cannot be taken out of its JSON.
func cover(v *httpapi.Veil, e *fanout.Event) *fanout.Event {
	said := string(e.JSON)
	masked := v.Mask(said)
	if masked == said {
		return e
	}
	return decode([]byte(masked))
}

// watched hides the nonce and the signature of a request as well. It is a transport below the signer: it sees each request as it is sent.
type watched struct {
	base http.RoundTripper
	veil *httpapi.Veil
}

var ofOneRequest = regexp.MustCompile(`oauth_(?:nonce|signature)="([^"]*)"`)

// RoundTrip implements http.RoundTripper.
func (w watched) RoundTrip(r *http.Request) (*http.Response, error) {
	for _, found := range ofOneRequest.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
		if value, err := url.PathUnescape(found[1]); err == nil {
			w.veil.Hide(value)
		}
	}
	return w.base.RoundTrip(r)
}
