package twitter

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

func TestRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t, stay(tweet(1)+"\r\n"))
		h.against(t, time.Second, func(r *upstream.Runner, rec *record) {
			req := h.requests[0]
			form, _ := url.ParseQuery(h.bodies[0])
			want := url.Values{"track": {"touché,a b"}, "stall_warnings": {"true"}}
			if req.Method != "POST" || req.URL.Path != "/1.1/statuses/filter.json" || form.Encode() != want.Encode() {
				t.Errorf("%s %s with %v", req.Method, req.URL, form)
			}
			for name, want := range map[string]string{
				"Content-Type": "application/x-www-form-urlencoded", "Accept-Encoding": "gzip", "User-Agent": "aviary/test",
			} {
				if got := req.Header.Get(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
			if rec.list() != "1" || r.Status().State != upstream.StateStreaming {
				t.Errorf("got %s, %+v", rec.list(), r.Status())
			}
		})
	})
}

func TestSample(t *testing.T) {
	s, err := New(Config{StreamURL: "http://stream.example/", Language: "en", Credentials: func() (Credentials, error) { return testSecrets, nil }})
	if err != nil {
		t.Fatal(err)
	}
	req, err := s.request(context.Background())
	if err != nil || req.Method != "GET" || req.URL.String() != "http://stream.example/1.1/statuses/sample.json?language=en&stall_warnings=true" || req.Body != nil {
		t.Errorf("%v %v, %v", req.Method, req.URL, err)
	}
}

func TestNewRefuses(t *testing.T) {
	secrets := func() (Credentials, error) { return testSecrets, nil }
	for _, u := range []string{"", "stream.example", "ftp://a.example", "http://", "http://u:p@a.example", "http://a.example/?x=1", "http://a b"} {
		if _, err := New(Config{StreamURL: u, Credentials: secrets}); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: %v", u, err)
		}
	}
	if _, err := New(Config{StreamURL: "http://a.example"}); err == nil {
		t.Error("no credentials are no error")
	}
}

// Each message arrives when it was flushed, whatever the chunks.
func TestGzipArrivesAtOnce(t *testing.T) {
	for _, size := range []int{1, 7, 4096} {
		bubble(t, fmt.Sprint(size), func(t *testing.T) {
			h := newHostile(t, gzipped(size, true, time.Second, "\r\n", tweet(1)+"\r\n", tweet(2)+"\r\n"+tweet(3)+"\r\n", tweet(4)+"\r\n"), stay())
			began := time.Now()
			h.against(t, 10*time.Second, func(_ *upstream.Runner, rec *record) {
				if rec.list() != "1 2 3 4" {
					t.Fatalf("events %s", rec.list())
				}
				for i, want := range []time.Duration{1e9, 2e9, 2e9, 3e9} {
					if got := rec.at[i].Sub(began); got != want {
						t.Errorf("post %d came after %v, want %v", i+1, got, want)
					}
				}
				if got := rec.events[0].JSON; !strings.Contains(string(got), "é 港") {
					t.Errorf("JSON %s", got)
				}
			})
		})
	}
}

// Bytes cut anywhere, without gzip: every UTF-8 sequence and CRLF is cut once.
func TestCutAnywhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var parts []string
		for _, b := range []byte(tweet(1) + "\r\n\r\n" + tweet(2) + "\r\n") {
			parts = append(parts, string([]byte{b}))
		}
		h := newHostile(t, stay(parts...))
		h.against(t, time.Second, func(_ *upstream.Runner, rec *record) {
			if rec.list() != "1 2" || !strings.Contains(string(rec.events[1].JSON), "é 港") {
				t.Errorf("events %s", rec.list())
			}
		})
	})
}

func TestBrokenBodies(t *testing.T) {
	gz := []string{"Content-Encoding", "gzip"}
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		class  string
		says   string
		wait   time.Duration
		events string
	}{
		{"truncated gzip", gzipped(7, false, 0, "\r\n", tweet(1)+"\r\n"), "network", "cut off", 0, "1"},
		{"gzip header cut", says(200, "\x1f\x8b\x08", gz...), "network", "", 250e6, ""},
		{"empty gzip", says(200, "", gz...), "network", "", 250e6, ""},
		{"no gzip", says(200, "hello, world, this is no gzip at all", gz...), "http", "is not", 5e9, ""},
		{"garbage after the header", says(200, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff", gz...), "network", "broke", 250e6, ""},
		{"deflate", says(200, "x", "Content-Encoding", "deflate"), "http", "deflate", 5e9, ""},
		{"a web page", says(200, "<html><title>Log in to the hotel</title></html>", "Content-Type", "text/html"), "http", "Log in to the hotel", 5e9, ""},
		{"connection reset", cut(tweet(1) + "\r\n"), "network", "", 0, "1"},
		{"closed in order", answer(tweet(1) + "\r\n"), "network", "closed the stream", 0, "1"},
		{"cut in a message", answer(tweet(1)+"\r\n", `{"id":2`), "network", "cut off", 0, "1"},
	} {
		bubble(t, c.name, func(t *testing.T) {
			h := newHostile(t, c.answer, says(503, ""))
			var class, said string
			h.against(t, c.wait/2, func(r *upstream.Runner, _ *record) {
				class, said = r.Status().Class, r.Status().Error
				if c.wait == 0 { // already refused by the 503
					class, said = "", ""
				}
				time.Sleep(c.wait)
				synctest.Wait()
			})
			if got := h.gaps(); len(got) != 1 || got[0] != c.wait {
				t.Errorf("waits %v, want %v", got, c.wait)
			}
			if c.wait > 0 && (class != c.class || !strings.Contains(said, c.says)) {
				t.Errorf("class %s, error %q", class, said)
			}
		})
	}
}

// The error of a broken stream, as the runner gets it.
func TestEndsAreClassed(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		clean  bool
		says   string
	}{
		{"truncated gzip", gzipped(7, false, 0, tweet(1)+"\r\n"), false, "cut off in the middle"},
		{"reset", cut(tweet(1) + "\r\n"), false, "cut off in the middle"},
		{"in order", answer(tweet(1) + "\r\n"), true, "closed the stream"},
		{"in a message", answer(tweet(1)+"\r\n", `{"id":2`), false, "cut off in the middle"},
		{"in order, gzip", gzipped(7, true, 0, tweet(1)+"\r\n"), true, "closed the stream"},
	} {
		bubble(t, c.name, func(t *testing.T) {
			h := newHostile(t, c.answer)
			err := h.source(t).Stream(context.Background(), nowhere{})
			e, ok := err.(*upstream.Error)
			if !ok || e.Class != upstream.Network || e.Clean != c.clean || !strings.Contains(e.Error(), c.says) || e.Hint == "" {
				t.Errorf("got %#v", err)
			}
		})
	}
}

type nowhere struct{}

func (nowhere) Alive(int)          {}
func (nowhere) Emit(*fanout.Event) {}
func (nowhere) Drop(string)        {}

func TestLinesThatAreNotMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		big := `{"id":9,"user":{},"text":"` + strings.Repeat("x", 5<<20) + `"}`
		h := newHostile(t, stay(tweet(1)+"\r\n", "hello, this is text\r\n", `{"id":2,`+"\r\n", "[1]\r\n",
			big+"\r\n", `{"limit":{"track":5}}`+"\r\n", `{"gap":{"missed":1}}`+"\r\n", tweet(3)+"\r\n"))
		h.against(t, time.Second, func(r *upstream.Runner, rec *record) {
			if got := rec.list(); got != "1 gap:oversize limit other 3" {
				t.Errorf("events %s", got)
			}
			st := r.Stats()
			if st.Drops[upstream.DropMalformed] != 3 || st.Drops[upstream.DropOversize] != 1 || st.Connects["ok"] != 1 {
				t.Errorf("stats %+v", st)
			}
		})
	})
}

func TestStallOverTheWire(t *testing.T) {
	hang := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, answer := range map[string]http.HandlerFunc{
		"no answer": hang,
		"nothing after the header": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip") // the gzip header never comes
			send(w)
			hang(w, r)
		},
		"half a message": func(w http.ResponseWriter, r *http.Request) { send(w, `{"id":`); hang(w, r) },
		"an endless error body": func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			send(w, "wait for it")
			hang(w, r)
		},
	} {
		bubble(t, name, func(t *testing.T) {
			h := newHostile(t, answer, stay(tweet(1)+"\r\n"))
			h.against(t, 91*time.Second, func(r *upstream.Runner, rec *record) {
				if got := h.gaps(); !slices.Equal(got, []time.Duration{90*time.Second + 250*time.Millisecond}) {
					t.Errorf("waits %v", got)
				}
			})
		})
	}
}

// The credentials are asked for at each connect, and a halt is left with the new ones.
func TestFreshCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHostile(t, says(401, ""), stay())
		h.against(t, time.Second, func(r *upstream.Runner, _ *record) {
			r.Reconnect()
			synctest.Wait()
			first, second := h.requests[0].Header.Get("Authorization"), h.requests[1].Header.Get("Authorization")
			if first == "" || first == second {
				t.Errorf("signed %q and %q", first, second)
			}
		})
	})
}
