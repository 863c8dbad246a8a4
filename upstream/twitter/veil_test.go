package twitter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

// echo is all that an upstream could know of us, in several spellings.
func echo(r *http.Request) string {
	all := []string{testSecrets.ConsumerKey, testSecrets.ConsumerSecret, testSecrets.AccessToken, testSecrets.AccessSecret}
	for _, m := range ofOneRequest.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
		plain, _ := url.PathUnescape(m[1])
		all = append(all, plain)
	}
	if len(all) != 6 {
		panic("the request has no nonce and signature")
	}
	said := strings.Join(all, " ")
	for _, s := range all {
		escaped := url.QueryEscape(s)
		said += " " + escaped + " " + strings.ToLower(escaped) + " " + url.QueryEscape(escaped)
	}
	return said
}

// told is what of echo is in s.
func told(s string, r *http.Request) (found []string) {
	for _, secret := range strings.Fields(echo(r)) {
		if strings.Contains(s, secret) {
			found = append(found, secret)
		}
	}
	return found
}

// On no way does what the upstream echoes get into errors, hints, logs or what
// clients are sent.
func TestEveryWayIsVeiled(t *testing.T) {
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(code); fmt.Fprint(w, echo(r)) }
	}
	line := func(format string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) { send(w, fmt.Sprintf(format, echo(r))) }
	}
	moved := func(to string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", fmt.Sprintf("https://%s.evil.example/%s", to, url.PathEscape(to)))
			w.WriteHeader(302)
		}
	}
	for name, answer := range map[string]http.HandlerFunc{
		"disconnect":                  line(`{"disconnect":{"code":6,"reason":"%s"}}` + "\r\n"),
		"disconnect without line end": line(`{"disconnect":{"code":6,"reason":"%s"}}`),
		"disconnect, to be retried":   line(`{"disconnect":{"code":12,"reason":"%s"}}` + "\r\n"),
		"warning":                     line(`{"warning":{"code":"X","message":"%s"}}` + "\r\n"),
		"text":                        line("Exceeded connection limit for user %.600s\r\n"),
		"other text":                  line("hello %s\r\n"),
		"error body":                  status(403),
		"retried error body":          status(503),
		"JSON error": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(401)
			fmt.Fprintf(w, `{"error":%q}`, echo(r))
		},
		"web page": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, echo(r))
		},
		"redirect, key":    moved(testSecrets.ConsumerKey),
		"redirect, token":  moved(testSecrets.AccessToken),
		"redirect, no URL": moved(url.QueryEscape(testSecrets.AccessSecret) + " "),
		"coding": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", testSecrets.AccessSecret)
			send(w, "x")
		},
		"no HTTP": func(w http.ResponseWriter, r *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				fmt.Fprintf(c, "%s\r\n\r\n", echo(r))
				c.Close()
			}
		},
	} {
		bubble(t, name, func(t *testing.T) {
			h := newHostile(t, answer)
			var mu sync.Mutex
			var seen bytes.Buffer
			write := func(s string) { mu.Lock(); defer mu.Unlock(); seen.WriteString(s) }
			r := &upstream.Runner{
				Source: h.source(t), Name: "twitter", Log: slog.New(slog.NewTextHandler(written(write), &slog.HandlerOptions{Level: slog.LevelDebug})),
				Publish: func(e *fanout.Event) bool { write(string(e.JSON)); return true },
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- r.Run(ctx) }()
			time.Sleep(time.Second)
			synctest.Wait()
			u := r.Status()
			write(u.Error + "\n" + u.Hint)
			cancel()
			<-done
			if u.Error == "" || seen.Len() < 100 {
				t.Fatalf("nothing happened: %+v", u)
			}
			for _, req := range h.requests {
				if found := told(seen.String(), req); found != nil {
					t.Errorf("%q are told in %s", found, seen.String())
				}
			}
		})
	}
}

type written func(string)

func (w written) Write(p []byte) (int, error) { w(string(p)); return len(p), nil }

func TestMask(t *testing.T) {
	v := newVeil(Credentials{ConsumerKey: "k/Y+&", AccessToken: "7-k/Y+&more", AccessSecret: "abc"})
	for in, want := range map[string]string{
		"nothing":                        "nothing",
		"abc is too short":               "abc is too short",
		"k/Y+&!":                         "***!",
		"K%2fy%2B%26, k%252FY%252b%2526": "***, ***",
		`k\/Y+&amp; k\u002fY\u002B&#38;`: "*** ***",
		"&#x6b;/Y+&amp;":                 "***",
		"7-k/Y+&more k/Y+&more":          "*** ***more",
		"k/Y+":                           "k/Y+",
	} {
		if got := v.Mask(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// What is sealed keeps all but the secrets, and its cause only if that tells none.
func TestSeal(t *testing.T) {
	v := newVeil(testSecrets)
	cause := errors.New("plain")
	e := v.Seal(&upstream.Error{Class: upstream.RateLimit, RetryAfter: 5, Err: cause, Hint: "see access-token", Clean: true}).(*upstream.Error)
	if e.Class != upstream.RateLimit || e.RetryAfter != 5 || !e.Clean || !errors.Is(e, cause) || e.Hint != "see ***" {
		t.Errorf("sealed: %+v", e)
	}
	told := fmt.Errorf("%w: access-token", cause)
	if e := v.Seal(told).(*upstream.Error); e.Error() != "plain: ***" || errors.Is(e, told) || e.Class != upstream.Network {
		t.Errorf("sealed: %+v", e)
	}
}

// A notice out of which a secret cannot be taken is not passed on, but still heeded.
func TestCoverBreaksJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t, answer(`{"disconnect":{"code":12345678,"reason":"x"}}`+"\r\n"), stay())
		s := h.source(t)
		s.config.Credentials = func() (Credentials, error) {
			c := testSecrets
			c.AccessToken = "12345678"
			return c, nil
		}
		var to tally
		e, ok := s.Stream(t.Context(), &to).(*upstream.Error)
		if !ok || e.Class != upstream.Network || !strings.Contains(e.Error(), "code ***") || to.events != 0 || to.drops != 1 {
			t.Errorf("got %v, %+v", e, to)
		}
	})
}

type tally struct{ events, drops int }

func (*tally) Alive(int)            {}
func (n *tally) Emit(*fanout.Event) { n.events++ }
func (n *tally) Drop(string)        { n.drops++ }
