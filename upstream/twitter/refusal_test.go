package twitter

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"aviary/upstream"
	"aviary/upstream/httpapi"
)

// All three ladders to their caps, over the wire.
func TestLaddersOverTheWire(t *testing.T) {
	linear := make([]time.Duration, 0, 66)
	for i := range 64 {
		linear = append(linear, time.Duration(i+1)*250*time.Millisecond)
	}
	for name, c := range map[string]struct {
		refuse bool
		answer http.HandlerFunc
		class  string
		want   []time.Duration
	}{
		"refused": {true, nil, "network", append(linear, 16*time.Second)},
		"503":     {false, says(503, "over capacity"), "http", []time.Duration{5e9, 10e9, 20e9, 40e9, 80e9, 160e9, 320e9, 320e9}},
		"420":     {false, says(420, "Exceeded connection limit for user"), "rate_limit", []time.Duration{60e9, 120e9, 240e9, 480e9, 960e9, 960e9}},
		"429":     {false, says(429, ""), "rate_limit", []time.Duration{60e9, 120e9, 240e9, 480e9, 960e9, 960e9}},
	} {
		bubble(t, name, func(t *testing.T) {
			h := newHostile(t, c.answer)
			h.refuse = c.refuse
			var sum time.Duration
			for _, d := range c.want {
				sum += d
			}
			h.against(t, sum, func(r *upstream.Runner, _ *record) {
				if got := h.gaps(); !slices.Equal(got, c.want) {
					t.Errorf("waits %v\nwant %v", got, c.want)
				}
				if u := r.Status(); u.Class != c.class || u.Error == "" || u.Hint == "" {
					t.Errorf("status %+v", u)
				}
			})
		})
	}
}

func TestFatalStatuses(t *testing.T) {
	for _, c := range []struct {
		code       int
		body       string
		says, hint string
	}{
		{400, `{"errors":[{"code":215,"message":"Bad Authentication data."}]}`, "HTTP 400 (Bad Request): Bad Authentication data. (code 215)", "malformed"},
		{401, `{"request":"/1.1/x.json","error":"Not authorized."}`, "HTTP 401 (Unauthorized): Not authorized.", "TWITTER_… secrets"},
		{403, "<html><head><title>403</title><style>p{}</style></head><body><p>Use the\n v2 &amp; filtered stream.</p><script>x()</script></body></html>",
			"HTTP 403 (Forbidden): 403 Use the v2 & filtered stream.", "switched off in 2023"},
		{404, "", "HTTP 404 (Not Found)", "no such endpoint"},
		{406, "Parameter track item index 0 too long: x", "HTTP 406 (Not Acceptable): Parameter track item index 0 too long: x", "AVIARY_TRACK"},
		{407, "", "HTTP 407", "proxy"},
		{410, "The endpoint is gone\r\n", "HTTP 410 (Gone): The endpoint is gone", "switched off in 2023"},
		{413, `{"errors":["too many ids"]}`, "HTTP 413 (Request Entity Too Large): too many ids", "400 phrases"},
		{416, `{"errors":"count"}`, "HTTP 416 (Requested Range Not Satisfiable): count", "out of range"},
		{418, "", "HTTP 418", "refuses"},
		{422, "", "HTTP 422", "AVIARY_TRACK"},
		{451, "", "HTTP 451", "legal"},
		{301, "", "HTTP 301", "moved to https://elsewhere.example;"},
		{307, "", "HTTP 307", "redirects are not followed"},
	} {
		bubble(t, fmt.Sprint(c.code), func(t *testing.T) {
			h := newHostile(t, says(c.code, c.body, "Location", "https://elsewhere.example/1.1/x?token=secret"))
			h.against(t, 24*time.Hour, func(r *upstream.Runner, _ *record) {
				u := r.Status()
				if u.State != upstream.StateHalted || u.Class != "fatal" || h.connects() != 1 {
					t.Errorf("status %+v after %d connects", u, h.connects())
				}
				if !strings.HasPrefix(u.Error, c.says) || !strings.Contains(u.Hint, c.hint) {
					t.Errorf("error %q\n hint %q", u.Error, u.Hint)
				}
			})
		})
	}
}

func TestRetriedStatuses(t *testing.T) {
	for _, code := range []int{500, 502, 503, 504, 520, 204, 206} {
		bubble(t, fmt.Sprint(code), func(t *testing.T) {
			h := newHostile(t, says(code, ""), stay(tweet(1)+"\r\n"))
			h.against(t, 6*time.Second, func(r *upstream.Runner, rec *record) {
				if got := h.gaps(); !slices.Equal(got, []time.Duration{5e9}) || rec.list() != "1" {
					t.Errorf("waits %v, events %s", got, rec.list())
				}
			})
		})
	}
}

// What the server asks for is waited, even if our clock is wrong: the dates are
// taken against the server's own.
func TestServerSaysWhen(t *testing.T) {
	serverNow := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		code    int
		headers []string
		want    time.Duration
	}{
		{"seconds", 429, []string{"Retry-After", "75"}, 75 * time.Second},
		{"less than the ladder", 429, []string{"Retry-After", "5"}, time.Minute},
		{"a date", 503, []string{"Retry-After", serverNow.Add(100 * time.Second).Format(http.TimeFormat)}, 100 * time.Second},
		{"reset", 420, []string{"X-Rate-Limit-Reset", fmt.Sprint(serverNow.Add(10 * time.Minute).Unix())}, 10 * time.Minute},
		{"reset in the past", 429, []string{"X-Rate-Limit-Reset", "1"}, time.Minute},
		{"beyond the cap", 429, []string{"Retry-After", "999999"}, 16 * time.Minute},
		{"nonsense", 429, []string{"Retry-After", "soon", "X-Rate-Limit-Reset", "-5"}, time.Minute},
	} {
		bubble(t, c.name, func(t *testing.T) {
			h := newHostile(t, says(c.code, "", append(c.headers, "Date", serverNow.Format(http.TimeFormat))...), stay())
			h.against(t, 17*time.Minute, func(*upstream.Runner, *record) {
				if got := h.gaps(); len(got) != 1 || got[0] != c.want {
					t.Errorf("waits %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestClockIsOff(t *testing.T) {
	for _, c := range []struct {
		off  time.Duration
		want string
	}{
		{20 * time.Minute, "20m0s ahead of the server's"},
		{-3 * time.Hour, "3h0m0s behind the server's"},
		{30 * time.Second, "the clock is right"},
	} {
		bubble(t, c.want, func(t *testing.T) {
			date := time.Now().Add(-c.off).UTC().Format(http.TimeFormat)
			h := newHostile(t, says(401, `{"errors":[{"code":135,"message":"Timestamp out of bounds."}]}`, "Date", date))
			h.against(t, time.Second, func(r *upstream.Runner, _ *record) {
				if u := r.Status(); u.State != upstream.StateHalted || !strings.Contains(u.Hint, c.want) {
					t.Errorf("status %+v", u)
				}
			})
		})
	}
}

// A server that echoes what we sent must not get it into our messages.
func TestSecretsAreBlanked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			fmt.Fprintf(w, "no: %s \x00\x1b[31m\u2028 consumer/secret access+secret access%%2Bsecret %s", r.Header.Get("Authorization"), strings.Repeat("é ", 500))
		})
		h.against(t, time.Second, func(r *upstream.Runner, _ *record) {
			u := r.Status()
			for _, secret := range []string{"consumer-key", "consumer/secret", "consumer%2Fsecret", "access-token", "access+secret", "access%2Bsecret"} {
				if strings.Contains(u.Error+u.Hint, secret) {
					t.Errorf("%q is in %q", secret, u.Error)
				}
			}
			if n := utf8.RuneCountInString(u.Error); n > httpapi.MaxSummary+30 || strings.ContainsFunc(u.Error, unicode.IsControl) || strings.ContainsRune(u.Error, '\u2028') {
				t.Errorf("%d code points: %q", n, u.Error)
			}
		})
	})
}

func TestNoCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t, stay())
		s := h.source(t)
		s.config.Credentials = func() (Credentials, error) { return Credentials{ConsumerKey: "k"}, nil }
		err := s.Stream(context.Background(), nil)
		e, ok := err.(*upstream.Error)
		if !ok || e.Class != upstream.Fatal || !strings.Contains(e.Error(), "consumer secret is empty") || h.connects() != 0 {
			t.Errorf("got %v after %d connects", err, h.connects())
		}
	})
}

func TestExceededConnectionLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t, answer("Exceeded connection limit for user\r\n"))
		h.against(t, time.Hour, func(r *upstream.Runner, _ *record) {
			if got, want := h.gaps(), []time.Duration{60e9, 120e9, 240e9, 480e9, 960e9, 960e9}; !slices.Equal(got, want) {
				t.Errorf("waits %v, want %v", got, want)
			}
			if u := r.Status(); u.Class != "rate_limit" || !strings.Contains(u.Error, "Exceeded connection limit for user") {
				t.Errorf("status %+v", u)
			}
		})
	})
}

func TestDisconnectCodes(t *testing.T) {
	halting := map[int]string{2: "another process", 5: "reconnect if nobody", 6: "took back", 7: "replaced", 9: "was sent", 13: "deleted", 14: "suspended"}
	for code := range 17 {
		bubble(t, fmt.Sprint(code), func(t *testing.T) {
			h := newHostile(t, stay(tweet(1)+"\r\n", fmt.Sprintf(`{"disconnect":{"code":%d,"stream_name":"s","reason":"the reason"}}`+"\r\n", code)), stay(tweet(2)+"\r\n"))
			h.against(t, time.Second, func(r *upstream.Runner, rec *record) {
				u := r.Status()
				hint, halts := halting[code]
				if halts {
					if u.State != upstream.StateHalted || !strings.Contains(u.Hint, hint) || !strings.Contains(u.Error, "the reason") || rec.list() != "1 disconnect" {
						t.Errorf("status %+v, events %s", u, rec.list())
					}
				} else if u.State != upstream.StateStreaming || rec.list() != "1 disconnect gap:upstream 2" || h.gaps()[0] != 0 {
					t.Errorf("status %+v, events %s, waits %v", u, rec.list(), h.gaps())
				}
			})
		})
	}
}

// Code 2 soon after a stream of ours was cut is our own ghost.
func TestDuplicateStreamAfterDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ghost := answer(`{"disconnect":{"code":2,"stream_name":"s"}}` + "\r\n")
		h := newHostile(t, cut(tweet(1)+"\r\n"), ghost, ghost, stay(tweet(2)+"\r\n"))
		h.against(t, 4*time.Minute, func(r *upstream.Runner, rec *record) {
			if got := h.gaps(); !slices.Equal(got, []time.Duration{0, time.Minute, 2 * time.Minute}) || rec.list() != "1 disconnect disconnect gap:upstream 2" {
				t.Errorf("waits %v, events %s, status %+v", got, rec.list(), r.Status())
			}
		})
	})
}
