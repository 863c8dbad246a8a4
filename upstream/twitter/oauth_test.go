package twitter

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dghubble/oauth1"
)

type fixedNonce string

func (n fixedNonce) Nonce() string { return string(n) }

// signed sends a request through the client that Stream uses and returns the
// Authorization header, unpacked. It must run in a bubble: the time is virtual.
func signed(t *testing.T, c Credentials, nonce string, at int64, req *http.Request) map[string]string {
	t.Helper()
	time.Sleep(time.Until(time.Unix(at, 0)))
	var header string
	_, err := signer(c, fixedNonce(nonce), roundTrip(func(r *http.Request) (*http.Response, error) {
		header = r.Header.Get("Authorization")
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	return parseOAuth(t, header)
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func parseOAuth(t *testing.T, header string) map[string]string {
	t.Helper()
	list, ok := strings.CutPrefix(header, "OAuth ")
	if !ok {
		t.Fatalf("Authorization is %q", header)
	}
	all := map[string]string{}
	for _, pair := range strings.Split(list, ", ") {
		k, v, _ := strings.Cut(pair, "=")
		v, err := url.PathUnescape(strings.Trim(v, `"`))
		if err != nil {
			t.Fatal(err)
		}
		all[k] = v
	}
	return all
}

func form(t *testing.T, method, address string, v url.Values) *http.Request {
	t.Helper()
	var body io.Reader
	if v != nil {
		body = strings.NewReader(v.Encode())
	}
	req, err := http.NewRequest(method, address, body)
	if err != nil {
		t.Fatal(err)
	}
	if v != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req
}

// The signature that Twitter's documentation works out, for each of the hosts
// it has used, and two with what it leaves out.
func TestSignatures(t *testing.T) {
	published := Credentials{
		ConsumerKey: "xvz1evFS4wEEPTGEFPHBog", ConsumerSecret: "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
		AccessToken: "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", AccessSecret: "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
	}
	const nonce = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"
	update := url.Values{"status": {"Hello Ladies + Gentlemen, a signed OAuth request!"}}
	for _, c := range []struct {
		name    string
		secrets Credentials
		nonce   string
		at      int64
		req     *http.Request
		want    string
	}{
		{"docs today", published, nonce, 1318622958, form(t, "POST", "https://api.x.com/1.1/statuses/update.json?include_entities=true", update), "Ls93hJiZbQ3akF3HF3x1Bz8/zU4="},
		{"docs until 2023", published, nonce, 1318622958, form(t, "POST", "https://api.twitter.com/1.1/statuses/update.json?include_entities=true", update), "hCtSmYh+iHYCEqBWrE7C7hYmtUk="},
		{"oldest docs", published, nonce, 1318622958, form(t, "POST", "https://api.twitter.com/1/statuses/update.json?include_entities=true", update), "tnnArxj06cWHq44gCs1OSKk/jLY="},
		{"a stream", Credentials{"ck", "cs secret&", "tk", "ts+secret"}, "n0nce", 1700000000,
			form(t, "POST", "https://stream.twitter.com/1.1/statuses/filter.json", url.Values{
				"track": {"touch\u00e9,a b,100%~x"}, "delimited": {"length"}, "stall_warnings": {"true"}}), "wGyGCBPNalf0dhSOHwSqZrMPiq4="},
		{"a query", Credentials{"ck", "cs", "tk", "ts"}, "n0nce", 1700000000,
			form(t, "GET", "https://api.twitter.com/1.1/search/tweets.json?"+url.Values{"q": {`#go lang -rust OR "a b"`}, "count": {"100"}}.Encode(), nil), "AutRUX5NH3HdnSBR/1hK4LUttgA="},
	} {
		bubble(t, c.name, func(t *testing.T) {
			got := signed(t, c.secrets, c.nonce, c.at, c.req)
			if got["oauth_signature"] != c.want {
				t.Errorf("signature %q, want %q (%v)", got["oauth_signature"], c.want, got)
			}
		})
	}
}

func TestPercentEncoding(t *testing.T) {
	for in, want := range map[string]string{
		"Ladies + Gentlemen": "Ladies%20%2B%20Gentlemen", "An encoded string!": "An%20encoded%20string%21",
		"Dogs, Cats & Mice": "Dogs%2C%20Cats%20%26%20Mice", "☃": "%E2%98%83",
	} {
		if got := oauth1.PercentEncode(in); got != want {
			t.Errorf("%q is encoded as %q, want %q", in, got, want)
		}
	}
}

// The whole request of a stream, as it arrives, verified by RFC 5849 written
// down once more.
func TestStreamIsSigned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t, says(200, ""))
		_ = h.source(t).Stream(t.Context(), nowhere{})
		oauth := parseOAuth(t, h.requests[0].Header.Get("Authorization"))
		params, err := url.ParseQuery(h.bodies[0])
		if err != nil || params.Get("track") == "" {
			t.Fatalf("body %q, %v", h.bodies[0], err)
		}
		for k, v := range oauth {
			if k != "oauth_signature" {
				params.Set(k, v)
			}
		}
		var pairs []string
		for k, v := range params {
			pairs = append(pairs, encode(k)+"="+encode(v[0]))
		}
		slices.Sort(pairs)
		base := "POST&" + encode("http://stream.example/1.1/statuses/filter.json") + "&" + encode(strings.Join(pairs, "&"))
		mac := hmac.New(sha1.New, []byte(encode(testSecrets.ConsumerSecret)+"&"+encode(testSecrets.AccessSecret)))
		mac.Write([]byte(base))
		if want := base64.StdEncoding.EncodeToString(mac.Sum(nil)); oauth["oauth_signature"] != want {
			t.Errorf("signature %q, want %q of %s", oauth["oauth_signature"], want, base)
		}
		if !strings.Contains(base, "%252C") {
			t.Errorf("the commas of track are not encoded twice: %s", base)
		}
		if oauth["oauth_token"] != "access-token" || oauth["oauth_consumer_key"] != "consumer-key" || len(oauth["oauth_nonce"]) < 16 {
			t.Errorf("parameters %v", oauth)
		}
	})
}

// encode keeps A–Z a–z 0–9 - . _ ~ and nothing else.
func encode(s string) string {
	return strings.NewReplacer("+", "%20", "%7E", "~").Replace(url.QueryEscape(s))
}
