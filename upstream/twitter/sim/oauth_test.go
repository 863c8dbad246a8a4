package sim

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestPercentEncode(t *testing.T) {
	for in, want := range map[string]string{
		"Ladies + Gentlemen": "Ladies%20%2B%20Gentlemen",
		"An encoded string!": "An%20encoded%20string%21",
		"Dogs, Cats & Mice":  "Dogs%2C%20Cats%20%26%20Mice",
		"☃":                  "%E2%98%83",
		"aZ09-._~":           "aZ09-._~",
		"":                   "",
	} {
		if got := percentEncode(in); got != want {
			t.Errorf("percentEncode(%q) = %q, want %q", in, got, want)
		}
	}
}

// The vectors that Twitter published, and two of our own whose secrets and
// values need encoding.
func TestSignatureVectors(t *testing.T) {
	published := []pair{
		{"include_entities", "true"}, {"status", "Hello Ladies + Gentlemen, a signed OAuth request!"},
		{"oauth_consumer_key", "xvz1evFS4wEEPTGEFPHBog"}, {"oauth_nonce", "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg"},
		{"oauth_signature_method", "HMAC-SHA1"}, {"oauth_timestamp", "1318622958"},
		{"oauth_token", "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb"}, {"oauth_version", "1.0"},
	}
	const consumerSecret, tokenSecret = "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw", "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"
	small := []pair{
		{"oauth_consumer_key", "ck"}, {"oauth_token", "tk"}, {"oauth_nonce", "n0nce"},
		{"oauth_signature_method", "HMAC-SHA1"}, {"oauth_timestamp", "1700000000"}, {"oauth_version", "1.0"},
	}
	for _, v := range []struct {
		method, url          string
		params               []pair
		consumer, token      string
		signature, parameter string
	}{
		{"POST", "https://api.x.com/1.1/statuses/update.json", published, consumerSecret, tokenSecret, "Ls93hJiZbQ3akF3HF3x1Bz8/zU4=",
			"include_entities=true&oauth_consumer_key=xvz1evFS4wEEPTGEFPHBog&oauth_nonce=kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg&oauth_signature_method=HMAC-SHA1&oauth_timestamp=1318622958&oauth_token=370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb&oauth_version=1.0&status=Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request%21"},
		{"POST", "https://api.twitter.com/1.1/statuses/update.json", published, consumerSecret, tokenSecret, "hCtSmYh+iHYCEqBWrE7C7hYmtUk=", ""},
		{"POST", "https://api.twitter.com/1/statuses/update.json", published, consumerSecret, tokenSecret, "tnnArxj06cWHq44gCs1OSKk/jLY=", ""},
		{"POST", "https://stream.twitter.com/1.1/statuses/filter.json",
			append([]pair{{"track", "touché,a b,100%~x"}, {"delimited", "length"}, {"stall_warnings", "true"}}, small...), "cs secret&", "ts+secret", "wGyGCBPNalf0dhSOHwSqZrMPiq4=",
			"delimited=length&oauth_consumer_key=ck&oauth_nonce=n0nce&oauth_signature_method=HMAC-SHA1&oauth_timestamp=1700000000&oauth_token=tk&oauth_version=1.0&stall_warnings=true&track=touch%C3%A9%2Ca%20b%2C100%25~x"},
		{"GET", "https://api.twitter.com/1.1/search/tweets.json",
			append([]pair{{"q", `#go lang -rust OR "a b"`}, {"count", "100"}}, small...), "cs", "ts", "AutRUX5NH3HdnSBR/1hK4LUttgA=", ""},
	} {
		if got := parameterString(v.params); v.parameter != "" && got != v.parameter {
			t.Errorf("parameter string\n%s, want\n%s", got, v.parameter)
		}
		if got := sign(signatureBase(v.method, v.url, v.params), v.consumer, v.token); got != v.signature {
			t.Errorf("%s %s: signature %s, want %s", v.method, v.url, got, v.signature)
		}
	}
}

// The published example as a whole request: the verifier reads header, query
// and body by itself. Its clock is set to the day of the example.
func TestPublishedRequest(t *testing.T) {
	s := New(Config{
		Credentials: Credentials{"xvz1evFS4wEEPTGEFPHBog", "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
			"370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE"},
		ClockSkew: time.Until(time.Unix(1318622958, 0)),
	})
	defer s.Close()
	body := "status=Hello+Ladies+%2B+Gentlemen%2C+a+signed+OAuth+request%21" // a form's space
	r := httptest.NewRequest("POST", "https://api.twitter.com/1.1/statuses/update.json?include_entities=true", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", `OAuth oauth_consumer_key="xvz1evFS4wEEPTGEFPHBog", oauth_nonce="kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg", oauth_signature="hCtSmYh%2BiHYCEqBWrE7C7hYmtUk%3D", oauth_signature_method="HMAC-SHA1", oauth_timestamp="1318622958", oauth_token="370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb", oauth_version="1.0"`)
	values, f := readParams(httptest.NewRecorder(), r)
	if f != nil {
		t.Fatal(f.body)
	}
	if f := s.authorize(r, pairs(values)); f != nil {
		t.Errorf("%d %s", f.status, f.body)
	}
	if f := s.authorize(r, pairs(values)); f == nil {
		t.Error("the same nonce was taken twice")
	}
}

// signed is a request to the filter stream, signed by this package's own code
// after change had its way with the OAuth values.
func signed(cred Credentials, form url.Values, change func(oauth map[string]string)) *http.Request {
	r := httptest.NewRequest("POST", "http://127.0.0.1:8090/1.1/statuses/filter.json", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	oauth := map[string]string{
		"oauth_consumer_key": cred.ConsumerKey, "oauth_token": cred.AccessToken, "oauth_nonce": "n1",
		"oauth_timestamp": strconv.FormatInt(time.Now().Unix(), 10), "oauth_signature_method": "HMAC-SHA1", "oauth_version": "1.0",
	}
	if change != nil {
		change(oauth)
	}
	if oauth["oauth_signature"] == "" {
		oauth["oauth_signature"] = sign(signatureBase("POST", "http://127.0.0.1:8090/1.1/statuses/filter.json", append(signedOf(oauth), pairs(form)...)), cred.ConsumerSecret, cred.AccessSecret)
	}
	var parts []string
	for name, value := range oauth {
		parts = append(parts, name+`="`+percentEncode(value)+`"`)
	}
	r.Header.Set("Authorization", "OAuth "+strings.Join(parts, ", "))
	return r
}

func TestWhoIsRefused(t *testing.T) {
	good := DefaultCredentials
	form := url.Values{"track": {"go,touché & co"}}
	set := func(name, value string) func(map[string]string) {
		return func(oauth map[string]string) {
			oauth[name] = value
			if value == "" {
				delete(oauth, name)
			}
		}
	}
	with := func(change func(*Credentials)) Credentials {
		c := good
		change(&c)
		return c
	}
	at := func(d time.Duration) func(map[string]string) {
		return set("oauth_timestamp", strconv.FormatInt(time.Now().Add(d).Unix(), 10))
	}
	header := func(value string) *http.Request {
		r := signed(good, form, nil)
		r.Header.Set("Authorization", value)
		return r
	}
	tampered := signed(good, form, nil)
	tampered.URL.RawQuery = "language=en"
	otherHost := signed(good, form, nil)
	otherHost.Host = "localhost:8090"
	for _, test := range []struct {
		name         string
		r            *http.Request
		status, code int // code 0: let in
	}{
		{"right", signed(good, form, nil), 0, 0},
		{"no version", signed(good, form, set("oauth_version", "")), 0, 0},
		{"clock 14 minutes off", signed(good, form, at(14*time.Minute)), 0, 0},
		{"clock 16 minutes fast", signed(good, form, at(16*time.Minute)), 401, 135},
		{"clock 16 minutes slow", signed(good, form, at(-16*time.Minute)), 401, 135},
		{"wrong consumer secret", signed(with(func(c *Credentials) { c.ConsumerSecret += "x" }), form, nil), 401, 32},
		{"consumer secret with a newline", signed(with(func(c *Credentials) { c.ConsumerSecret += "\n" }), form, nil), 401, 32},
		{"wrong access secret", signed(with(func(c *Credentials) { c.AccessSecret = "" }), form, nil), 401, 32},
		{"wrong consumer key", signed(with(func(c *Credentials) { c.ConsumerKey = "other" }), form, nil), 401, 32},
		{"wrong token", signed(with(func(c *Credentials) { c.AccessToken = "other" }), form, nil), 401, 89},
		{"wrong signature", signed(good, form, set("oauth_signature", "AAAA")), 401, 32},
		{"tampered parameters", tampered, 401, 32},
		{"signed for another host", otherHost, 401, 32},
		{"no header", header(""), 400, 215},
		{"basic", header("Basic YTpi"), 400, 215},
		{"bearer", header("Bearer AAAA%2FAAA%3D"), 403, 220},
		{"nonsense", header("OAuth nonsense"), 400, 215},
		{"a name twice", header(`OAuth oauth_nonce="1", oauth_nonce="2"`), 400, 215},
		{"no nonce", signed(good, form, set("oauth_nonce", "")), 400, 215},
		{"another method", signed(good, form, set("oauth_signature_method", "PLAINTEXT")), 400, 215},
		{"version 2", signed(good, form, set("oauth_version", "2.0")), 400, 215},
		{"no time", signed(good, form, set("oauth_timestamp", "noon")), 400, 215},
	} {
		s := New(Config{})
		values, f := readParams(httptest.NewRecorder(), test.r)
		if f == nil {
			f = s.authorize(test.r, pairs(values))
		}
		_ = s.Close()
		switch {
		case test.code == 0 && f != nil:
			t.Errorf("%s: %d %s", test.name, f.status, f.body)
		case test.code != 0 && (f == nil || f.status != test.status || !strings.Contains(f.body, `"code":`+strconv.Itoa(test.code)+`,`)):
			t.Errorf("%s: got %+v, want %d with code %d", test.name, f, test.status, test.code)
		}
	}
}

// A client library that knows nothing of this package is let in, over a real
// socket, with parameters that need care; with a wrong secret it is not.
func TestUnrelatedSigner(t *testing.T) {
	_, base := overTCP(t, Config{})
	for _, form := range []url.Values{
		{"track": {"go"}},
		{"track": {"touché,a b,100%~x,#tag,日本 語,a+b"}, "delimited": {"length"}, "stall_warnings": {"true"}},
		{"follow": {"1,2,3"}, "locations": {"-122.75,36.8,-121.75,37.8"}, "language": {"en,pt-BR"}},
	} {
		f, err := open(t, signer(Credentials{}, http.DefaultTransport), ask{form: form}, base)
		if err != nil || f.status != 200 {
			t.Fatalf("%v: %v %+v", form, err, f)
		}
		f.cancel()
	}
	f, err := open(t, signer(Credentials{}, http.DefaultTransport), ask{path: "/1.1/statuses/filter.json", form: url.Values{"track": {"a b,c"}}}, base)
	if err != nil || f.status != 200 {
		t.Fatalf("GET: %v %+v", err, f)
	}
	f.cancel()
	wrong := DefaultCredentials
	wrong.AccessSecret = "guess"
	f, err = open(t, signer(wrong, http.DefaultTransport), track("go"), base)
	if err != nil || f.status != 401 || !strings.Contains(f.body, `"code":32`) {
		t.Fatalf("%v %+v", err, f)
	}
	if f.header.Get("Date") == "" || !strings.HasPrefix(f.header.Get("Www-Authenticate"), "OAuth ") {
		t.Errorf("headers %v", f.header)
	}
}

// The Date header is the simulator's clock, so that a client can see that its own is off.
func TestClockSkew(t *testing.T) {
	_, base := overTCP(t, Config{ClockSkew: time.Hour})
	f, err := open(t, signer(Credentials{}, http.DefaultTransport), track("go"), base)
	if err != nil || f.status != 401 || !strings.Contains(f.body, `"code":135`) {
		t.Fatalf("%v %+v", err, f)
	}
	date, err := http.ParseTime(f.header.Get("Date"))
	if off := time.Until(date); err != nil || off < 59*time.Minute || off > 61*time.Minute {
		t.Errorf("Date is %v ahead (%v)", off, err)
	}
}
