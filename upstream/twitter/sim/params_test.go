package sim

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	s, base := overTCP(t, Config{MaxStreams: -1})
	many := func(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }
	for _, test := range []struct {
		name, query string // parameters, not encoded
		status      int
	}{
		{"one phrase", "track=go", 200},
		{"60 bytes", "track=" + strings.Repeat("é", 30), 200},
		{"61 bytes", "track=x" + strings.Repeat("é", 30), 406},
		{"400 phrases", "track=" + many(400, "go"), 200},
		{"401 phrases", "track=" + many(401, "go"), 413},
		{"an empty phrase", "track=go,,rust", 406},
		{"a www. phrase is taken", "track=www.example.com", 200},
		{"nothing asked", "language=en", 406},
		{"empty track", "track=", 406},
		{"follow", "follow=12,34", 200},
		{"a name to follow", "follow=12,gopher", 406},
		{"5,000 ids", "follow=" + many(5000, "12345678901234567890"[:18]), 200},
		{"5,001 ids", "follow=" + many(5001, "1"), 413},
		{"a box", "locations=-122.75,36.8,-121.75,37.8", 200},
		{"25 boxes", "locations=" + many(25, "-74,40,-73,41"), 200},
		{"26 boxes", "locations=" + many(26, "-74,40,-73,41"), 413},
		{"half a box", "locations=-74,40", 406},
		{"the world", "locations=-180,-90,180,90", 200},
		{"the smallest side", "locations=1,1,1.1,1.1", 200},
		{"a side too small", "locations=1,1,1.09,2", 406},
		{"west > east", "locations=-73,40,-74,41", 406},
		{"latitude first", "locations=40,-95,41,-94", 406},
		{"no numbers", "locations=a,b,c,d", 406},
		{"not a number", "locations=NaN,1,2,3", 406},
		{"delimited", "track=go&delimited=length", 200},
		{"delimited otherwise", "track=go&delimited=lines", 406},
		{"level", "track=go&filter_level=medium", 200},
		{"no such level", "track=go&filter_level=high", 406},
		{"backfill", "track=go&count=100", 416},
		{"unknown parameters are ignored", "track=go&tweet_mode=extended", 200},
	} {
		form := url.Values{}
		for part := range strings.SplitSeq(test.query, "&") {
			name, value, _ := strings.Cut(part, "=")
			form.Set(name, value)
		}
		f, err := open(t, signer(Credentials{}, http.DefaultTransport), ask{form: form}, base)
		if err != nil {
			t.Fatal(err)
		}
		if f.status != test.status {
			t.Errorf("%s: %d %s, want %d", test.name, f.status, f.body, test.status)
		}
		if f.status >= 400 && (!strings.HasPrefix(f.header.Get("Content-Type"), "text/plain") || len(f.body) < 10 || f.header.Get("Date") == "") {
			t.Errorf("%s: %q %v", test.name, f.body, f.header)
		}
		f.cancel()
	}
	if n := s.Stats(); n.Connects != 30 || n.Refused != 17 {
		t.Errorf("counted %+v", n)
	}
}

func TestRoutes(t *testing.T) {
	_, base := overTCP(t, Config{})
	for _, test := range []struct {
		method, path string
		status       int
		body         string
	}{
		{"GET", "/", 404, `"code":34`},
		{"GET", "/1.1/search/users.json", 404, `"code":34`},
		{"POST", "/1.1/statuses/sample.json", 405, "not allowed"},
		{"DELETE", "/1.1/statuses/filter.json", 405, "not allowed"},
		{"GET", "/1.1/statuses/sample.json", 400, `"code":215`},
	} {
		r, _ := http.NewRequest(test.method, base+test.path, nil)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != test.status || !strings.Contains(string(body), test.body) {
			t.Errorf("%s %s: %d %s", test.method, test.path, resp.StatusCode, body)
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "deflate, gzip": true, "GZIP": true, "identity": false, "*": true,
		"gzip;q=0": false, "gzip; q=0.0": false, "br, gzip;q=0.5": true, "xgzip": false,
	} {
		r, _ := http.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}
