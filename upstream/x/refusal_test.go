package x

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// Every documented form of an error at connect, and what is done about it.
func TestRefused(t *testing.T) {
	const types = "https://api.twitter.com/2/problems/" // as the older host writes them
	reset := noon.Add(7 * time.Minute)
	for _, c := range []struct {
		name, body string
		status     int
		header     http.Header
		class      upstream.Class
		before     time.Time // NotBefore
		is         error
		says, hint string
	}{
		{name: "problem", status: 401, body: `{"title":"Unauthorized","type":"about:blank","status":401,"detail":"Unauthorized"}`, class: upstream.Fatal, says: "HTTP 401 (Unauthorized): Unauthorized", hint: "AVIARY_X_BEARER_TOKEN"},
		{name: "v1 form", status: 401, body: `{"errors":[{"code":89,"message":"Invalid or expired token."}]}`, class: upstream.Fatal, says: "Invalid or expired token", hint: "AVIARY_X_BEARER_TOKEN"},
		{name: "openapi form", status: 429, body: `{"code":88,"message":"Rate limit exceeded"}`, class: upstream.RateLimit, says: "Rate limit exceeded"},
		{name: "calm", status: 420, body: "Enhance Your Calm", class: upstream.RateLimit, says: "Enhance Your Calm"},
		{name: "timeout", status: 408, body: "Request Timeout", class: upstream.HTTP, says: "Request Timeout"},
		{name: "too early", status: 425, class: upstream.HTTP, says: "HTTP 425"},
		{name: "html", status: 503, body: "<html><body><h1>Over capacity</h1></body></html>", class: upstream.HTTP, says: "Over capacity"},
		{name: "text", status: 502, body: "Bad gateway", class: upstream.HTTP, says: "Bad gateway"},
		{name: "empty", status: 500, class: upstream.HTTP, says: "HTTP 500 (Internal Server Error)"},
		{name: "rate limit with a reset", status: 429, body: `{"title":"Too Many Requests","type":"about:blank","status":429}`,
			header: http.Header{"X-Rate-Limit-Reset": {"1769861220"}}, class: upstream.RateLimit, before: reset.Add(resetMargin), says: "Too Many Requests"},
		{name: "too many connections", status: 429, body: `{"title":"ConnectionException","detail":"This stream is currently at the maximum allowed connection limit.","connection_issue":"TooManyConnections","type":"` + types + `streaming-connection"}`,
			header: http.Header{"X-Rate-Limit-Reset": {"1769861220"}}, class: upstream.RateLimit, is: errTooMany, says: "maximum allowed connection limit"},
		{name: "usage-capped, month", status: 429, body: `{"title":"UsageCapExceeded","period":"Monthly","scope":"Product","type":"` + types + `usage-capped","detail":"Usage cap exceeded"}`,
			class: upstream.RateLimit, before: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), hint: "2026-02-01T00:00:00Z"},
		{name: "usage-capped, day", status: 403, body: `{"title":"UsageCapExceeded","period":"Daily","type":"https://api.x.com/2/problems/usage-capped"}`,
			class: upstream.RateLimit, before: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		{name: "usage-capped, inside", status: 429, body: `{"title":"Too Many Requests","type":"about:blank","errors":[{"title":"Odd"},{"period":"Monthly","type":"` + types + `usage-capped"}]}`,
			class: upstream.RateLimit, before: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), hint: "2026-02-01T00:00:00Z"},
		{name: "client-forbidden", status: 403, body: `{"title":"Client Forbidden","reason":"client-not-enrolled","type":"` + types + `client-forbidden"}`, class: upstream.Fatal, hint: "client-not-enrolled"},
		{name: "unsupported-authentication", status: 403, body: `{"title":"Unsupported Authentication","type":"` + types + `unsupported-authentication"}`, class: upstream.Fatal, hint: "bearer token, not a user's"},
		{name: "403", status: 403, body: `{}`, class: upstream.Fatal, hint: "access level"},
		{name: "no rules", status: 409, body: `{"title":"Conflict","detail":"You must define rules"}`, class: upstream.HTTP, is: errNoRules, hint: "AVIARY_X_RULES_FILE"},
		{name: "invalid-request", status: 400, body: `{"errors":[{"parameters":{"x":["1"]},"message":"The query parameter is wrong"}],"title":"Invalid Request","detail":"One or more parameters to your request was invalid.","type":"` + types + `invalid-request"}`, class: upstream.Fatal, says: "One or more parameters"},
		{name: "404", status: 404, class: upstream.Fatal, hint: "AVIARY_X_API_URL"},
		{name: "moved", status: 301, header: http.Header{"Location": {"https://elsewhere.example/path?secret=1"}}, class: upstream.Fatal, hint: "to https://elsewhere.example;"},
		{name: "the token comes back", status: 400, body: `{"detail":"bad header Bearer AAAtokenAAA"}`, class: upstream.Fatal, says: "Bearer ***"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := new(httpapi.Veil)
			v.Hide("AAAtokenAAA")
			if c.header == nil {
				c.header = http.Header{}
			}
			c.header.Set("Date", noon.Format(http.TimeFormat))
			answer := &http.Response{StatusCode: c.status, Header: c.header, Body: io.NopCloser(strings.NewReader(c.body))}
			e := refused(v, answer, []byte(c.body), noon)
			if e.Class != c.class || !e.NotBefore.Equal(c.before) || c.is != nil && !errors.Is(e, c.is) {
				t.Errorf("class %v, not before %v, %v", e.Class, e.NotBefore, e)
			}
			if !strings.Contains(e.Error(), c.says) || !strings.Contains(e.Hint, c.hint) || e.Hint == "" || strings.Contains(e.Error()+e.Hint, "secret=1") {
				t.Errorf("says %q, hint %q", e.Error(), e.Hint)
			}
		})
	}
}

// Every documented way in which a stream says why it ends.
func TestBroken(t *testing.T) {
	for _, c := range []struct {
		in     string
		class  upstream.Class
		before time.Time
	}{
		{`{"errors":[{"title":"operational-disconnect","disconnect_type":"UpstreamOperationalDisconnect","detail":"d","type":"https://api.x.com/2/problems/operational-disconnect"}]}`, upstream.Network, time.Time{}},
		{`{"errors":[{"title":"operational-disconnect","disconnect_type":"OperationalDisconnect","detail":"d","type":"https://api.twitter.com/2/problems/operational-disconnect"}]}`, upstream.Network, time.Time{}},
		{`{"errors":[{"title":"ConnectionException","connection_issue":"TooManyConnections","type":"https://api.x.com/2/problems/streaming-connection"}]}`, upstream.RateLimit, time.Time{}},
		{`{"errors":[{"title":"UsageCapExceeded","period":"Monthly","type":"https://api.x.com/2/problems/usage-capped"}]}`, upstream.RateLimit, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		{`{"errors":[{"title":"Too Many Requests","type":"https://api.x.com/2/problems/rate-limit-exceeded"}]}`, upstream.RateLimit, time.Time{}},
		{`{"errors":[{"code":88,"message":"Rate limit exceeded"}]}`, upstream.RateLimit, time.Time{}},
		{`{"errors":[{"title":"Client Forbidden","type":"https://api.x.com/2/problems/client-forbidden"}]}`, upstream.Fatal, time.Time{}},
		{`{"errors":[{"code":89,"message":"Invalid or expired token"}]}`, upstream.Fatal, time.Time{}},
		{`{"errors":[{"title":"Internal Error","type":"https://api.x.com/2/problems/internal-error"}]}`, upstream.HTTP, time.Time{}},
		{`{"errors":[{"title":"Odd"},{"title":"UsageCapExceeded","period":"Daily","type":"https://api.x.com/2/problems/usage-capped"}]}`, upstream.RateLimit, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)},
		{`{"errors":["odd"]}`, upstream.HTTP, time.Time{}},
		{`{"errors":[]}`, upstream.HTTP, time.Time{}},
	} {
		e := broken(new(httpapi.Veil), []byte(c.in), noon)
		if e.Class != c.class || !e.NotBefore.Equal(c.before) || !e.Clean || e.Error() == "" || e.Hint == "" {
			t.Errorf("%s: %v, %v, %q, %q", c.in, e.Class, e.NotBefore, e.Error(), e.Hint)
		}
	}
}

// What an answer to "add" says of each rule.
func TestRefusedRules(t *testing.T) {
	rules := []Rule{{"cats", "a"}, {"((", "b"}, {"dogs", "c"}}
	for _, c := range []struct{ name, in, want string }{
		{"all added", `{"data":[{"id":"1","value":"cats"},{"id":"2","value":"(("},{"id":"3","value":"dogs"}],"meta":{}}`, ""},
		{"partial", `{"data":[{"id":"1","value":"cats"},{"id":"3","value":"dogs"}],"errors":[{"value":"((","details":["no viable alternative"],"title":"UnprocessableEntity","type":"https://api.x.com/2/problems/invalid-rules"}]}`, "b: UnprocessableEntity: no viable alternative;"},
		{"duplicates are there", `{"data":[{"id":"2","value":"(("}],"errors":[{"value":"cats","id":"9","title":"DuplicateRule","type":"x/duplicate-rules"},{"value":"dogs","title":"DuplicateRule"}]}`, ""},
		{"the cap", `{"data":[{"id":"1","value":"cats"}],"errors":[{"title":"RulesCapExceeded","detail":"Rule cap exceeded.","type":"x/rule-cap"}]}`, "b: RulesCapExceeded: Rule cap exceeded.;c: RulesCapExceeded: Rule cap exceeded.;"},
		{"one of a refused request", `{"errors":[{"value":"((","title":"Unprocessable"}],"title":"Invalid Request","type":"x/invalid-request"}`, "b: Unprocessable;"},
		{"no reason for one", `{"errors":[{"title":"Invalid","type":"x/invalid-rules"}]}`, "a: Invalid;b: Invalid;c: Invalid;"},
	} {
		got := ""
		for _, f := range refusedRules(rules, []byte(c.in)) {
			got += f.Rule.Tag + ": " + f.Reason + ";"
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
