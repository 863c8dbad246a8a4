package sim

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file checks OAuth 1.0a (RFC 5849, HMAC-SHA1) from the text of the
// standard and shares no code with the client that signs: a mistake on one
// side can't hide behind the same mistake on the other.

// maxSkew is how far a request's timestamp may be off (answered with code 135 beyond).
const maxSkew = 15 * time.Minute

// pair is one decoded parameter; names may repeat.
type pair struct{ name, value string }

// pairs flattens decoded parameters.
func pairs(values url.Values) []pair {
	var out []pair
	for name, list := range values {
		for _, value := range list {
			out = append(out, pair{name, value})
		}
	}
	return out
}

// authorize checks the Authorization header against the parameters of query
// and form body. nil: signed with our credentials, just now, for the first time.
func (s *Server) authorize(r *http.Request, params []pair) *refusal {
	header := r.Header.Get("Authorization")
	scheme, rest, _ := strings.Cut(header, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return apiError(http.StatusForbidden, 220, "Your credentials do not allow access to this resource")
	case !strings.EqualFold(scheme, "OAuth"):
		return apiError(http.StatusBadRequest, 215, "Bad Authentication data.")
	}
	oauth, ok := parseOAuthHeader(rest)
	if !ok || !complete(oauth) {
		return apiError(http.StatusBadRequest, 215, "Bad Authentication data.")
	}
	seconds, err := strconv.ParseInt(oauth["oauth_timestamp"], 10, 64)
	if err != nil {
		return apiError(http.StatusBadRequest, 215, "Bad Authentication data.")
	}
	want := s.cfg.Credentials
	if oauth["oauth_consumer_key"] != want.ConsumerKey {
		return apiError(http.StatusUnauthorized, 32, "Could not authenticate you.")
	}
	if oauth["oauth_token"] != want.AccessToken {
		return apiError(http.StatusUnauthorized, 89, "Invalid or expired token.")
	}
	now := s.now()
	if off := now.Sub(time.Unix(seconds, 0)); off > maxSkew || off < -maxSkew {
		return apiError(http.StatusUnauthorized, 135, "Timestamp out of bounds.")
	}
	base := signatureBase(r.Method, baseURL(r), append(signedOf(oauth), params...))
	if !hmac.Equal([]byte(sign(base, want.ConsumerSecret, want.AccessSecret)), []byte(oauth["oauth_signature"])) {
		return apiError(http.StatusUnauthorized, 32, "Could not authenticate you.")
	}
	if !s.fresh(oauth["oauth_timestamp"]+" "+oauth["oauth_nonce"], now) {
		return apiError(http.StatusUnauthorized, 32, "Could not authenticate you.")
	}
	return nil
}

// complete says whether all that the protocol needs is there, in the one method that exists.
func complete(oauth map[string]string) bool {
	for _, name := range []string{"oauth_consumer_key", "oauth_token", "oauth_nonce", "oauth_timestamp", "oauth_signature"} {
		if oauth[name] == "" {
			return false
		}
	}
	version, has := oauth["oauth_version"]
	return oauth["oauth_signature_method"] == "HMAC-SHA1" && (!has || version == "1.0")
}

// parseOAuthHeader reads `k="v", k="v"` (RFC 5849 3.5.1). A name that comes
// twice is refused.
func parseOAuthHeader(s string) (map[string]string, bool) {
	out := map[string]string{}
	for part := range strings.SplitSeq(s, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
			return nil, false
		}
		name, err1 := url.PathUnescape(name)
		value, err2 := url.PathUnescape(value[1 : len(value)-1]) // a "+" stays a plus
		if _, twice := out[name]; twice || err1 != nil || err2 != nil {
			return nil, false
		}
		out[name] = value
	}
	return out, true
}

// signedOf is what of the header goes into the signature: all but the
// signature itself and the realm.
func signedOf(oauth map[string]string) []pair {
	var out []pair
	for name, value := range oauth {
		if name != "oauth_signature" && name != "realm" {
			out = append(out, pair{name, value})
		}
	}
	return out
}

// baseURL is the request's URL as the client knew it: RFC 5849 3.4.1.2.
func baseURL(r *http.Request) string {
	scheme, port := "http", ":80"
	if r.TLS != nil {
		scheme, port = "https", ":443"
	}
	return scheme + "://" + strings.TrimSuffix(strings.ToLower(r.Host), port) + r.URL.EscapedPath()
}

// signatureBase is the text that is signed: RFC 5849 3.4.1.
func signatureBase(method, url string, params []pair) string {
	return strings.ToUpper(method) + "&" + percentEncode(url) + "&" + percentEncode(parameterString(params))
}

// parameterString encodes, sorts by name, then value, and joins: RFC 5849 3.4.1.3.2.
func parameterString(params []pair) string {
	encoded := make([]pair, len(params))
	for i, p := range params {
		encoded[i] = pair{percentEncode(p.name), percentEncode(p.value)}
	}
	slices.SortFunc(encoded, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	for i, p := range encoded {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name + "=" + p.value)
	}
	return b.String()
}

// sign is HMAC-SHA1 in base64 under "consumer secret & token secret": RFC 5849 3.4.2.
func sign(base, consumerSecret, tokenSecret string) string {
	mac := hmac.New(sha1.New, []byte(percentEncode(consumerSecret)+"&"+percentEncode(tokenSecret)))
	mac.Write([]byte(base))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// percentEncode keeps only the unreserved characters of RFC 3986, RFC 5849 3.6.
func percentEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~", c) >= 0:
			b.WriteByte(c)
		default:
			const hex = "0123456789ABCDEF"
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// fresh says whether a timestamp and nonce were not used before, and notes
// them for as long as their timestamp would be taken.
func (s *Server) fresh(nonce string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for old, at := range s.nonces {
		if now.Sub(at) > 2*maxSkew {
			delete(s.nonces, old)
		}
	}
	if _, used := s.nonces[nonce]; used {
		return false
	}
	s.nonces[nonce] = now
	return true
}
