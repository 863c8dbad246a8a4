package server

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/upstream/twitter"
)

// status publishes a post as v1.1 streams have it.
func (g *gate) status(id uint64, text string) {
	g.t.Helper()
	words, _ := json.Marshal(text)
	raw := fmt.Sprintf(`{"created_at":"Fri Jan 02 03:04:05 +0000 2026","id":%d,"id_str":"%d","text":%s,"source":"","truncated":false,"in_reply_to_status_id":null,`+
		`"user":{"id":7,"id_str":"7","name":"N","screen_name":"n","description":"d","verified":true},"entities":{"hashtags":[],"urls":[],"user_mentions":[],"symbols":[]},"lang":"en"}`, id, id, words)
	e, err := twitter.Decode([]byte(raw))
	if err != nil {
		g.t.Fatal(err)
	}
	if !g.hub.Publish(e) {
		g.t.Fatalf("post %d was refused", id)
	}
}

// compatLines reads what these routes send: lines that end in CRLF.
type compatLines struct {
	t    testing.TB
	body *sponge
	in   *bufio.Reader
}

// follow opens one of the drop-in streams.
func (g *gate) follow(method, path, body string, headers ...string) *compatLines {
	g.t.Helper()
	resp := g.do(method, path, body, headers...)
	if resp.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(resp.Body)
		g.t.Fatalf("%s %s: %d %s", method, path, resp.StatusCode, b)
	}
	if got := resp.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		g.t.Errorf("%s is %q", path, got)
	}
	if !slices.Equal(resp.TransferEncoding, []string{"chunked"}) {
		g.t.Errorf("%s comes %v", path, resp.TransferEncoding)
	}
	s := soak(resp.Body)
	l := &compatLines{t: g.t, body: s, in: bufio.NewReader(s)}
	if resp.Header.Get("Content-Encoding") == "gzip" {
		plain, err := gzip.NewReader(s)
		if err != nil {
			g.t.Fatal(err)
		}
		l.in = bufio.NewReader(plain)
	}
	return l
}

// line is the next line; a keep-alive is "", the end is "EOF", a broken end its error.
func (l *compatLines) line() string {
	l.t.Helper()
	s, err := l.in.ReadString('\n')
	if err != nil {
		return err.Error()
	}
	text, ok := strings.CutSuffix(s, "\r\n")
	if !ok || strings.ContainsAny(text, "\r\n") {
		l.t.Fatalf("a line is not ended by CRLF: %q", s)
	}
	return text
}

func (l *compatLines) want(want ...string) {
	l.t.Helper()
	for _, w := range want {
		if got := l.line(); got != w && !(strings.HasSuffix(w, "…") && strings.HasPrefix(got, strings.TrimSuffix(w, "…"))) {
			l.t.Fatalf("%q, want %q", got, w)
		}
	}
}

// texts are the texts of the next n posts of a v1.1 stream.
func (l *compatLines) texts(n int) (texts []string) {
	l.t.Helper()
	for range n {
		var post struct{ Text string }
		line := l.line()
		if err := json.Unmarshal([]byte(line), &post); err != nil || post.Text == "" {
			l.t.Fatalf("%q is no post: %v", line, err)
		}
		texts = append(texts, post.Text)
	}
	return texts
}

const formType = "Content-Type: application/x-www-form-urlencoded"

// What a v1.1 stream cannot begin with, in Twitter's statuses and text bodies.
func TestCompatV1Refusals(t *testing.T) {
	g := newTCPGate(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		said               string
	}{
		{"GET", "/1.1/statuses/filter.json", "", 406, "No filter parameters found"},
		{"POST", "/1.1/statuses/filter.json", "track=&follow=,,", 406, "No filter parameters found"},
		{"POST", "/1.1/statuses/filter.json", "language=en&delimited=length", 406, "No filter parameters found"},
		{"POST", "/1.1/statuses/filter.json", "follow=twitterapi", 406, "Parameter follow"},
		{"POST", "/1.1/statuses/filter.json", "track=" + strings.Repeat("x", 61), 406, "Parameter track"},
		{"POST", "/1.1/statuses/filter.json", "locations=1,2,3", 406, "Parameter locations"},
		{"POST", "/1.1/statuses/filter.json", "locations=10,0,0,10", 406, "Parameter locations"},
		{"POST", "/1.1/statuses/filter.json", "track=go&filter_level=high", 406, "Parameter filter_level"},
		{"POST", "/1.1/statuses/filter.json", "track=" + strings.Repeat("a,", 401), 413, "limit is 400"},
		{"POST", "/1.1/statuses/filter.json", "follow=" + strings.Repeat("1,", 5001), 413, "limit is 5000"},
		{"POST", "/1.1/statuses/filter.json", "locations=" + strings.Repeat("0,0,1,1,", 26), 413, "limit is 100"},
		{"POST", "/1.1/statuses/filter.json", "track=go&count=100", 416, "count"},
		{"POST", "/1.1/statuses/filter.json", "track=" + strings.Repeat("x", 200<<10), 413, "too large"},
		{"GET", "/1.1/statuses/filter.json?track=" + strings.Repeat("x", 129<<10), "", 414, "too long"},
		{"GET", "/1.1/statuses/sample.json?filter_level=high", "", 406, "filter_level"},
	} {
		resp := g.do(c.method, c.path, c.body, formType)
		body := readAll(t, resp.Body)
		if resp.StatusCode != c.status || !strings.Contains(body, c.said) || !strings.HasSuffix(body, "\r\n") || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s %.60s %.40s: %d %q, want %d %q", c.method, c.path, c.body, resp.StatusCode, body, c.status, c.said)
		}
	}
	for _, c := range []struct{ method, path string }{{"PUT", "/1.1/statuses/filter.json"}, {"POST", "/1.1/statuses/sample.json"}} {
		if resp := g.do(c.method, c.path, ""); resp.StatusCode != 405 || resp.Header.Get("Allow") == "" {
			t.Errorf("%s %s: %d", c.method, c.path, resp.StatusCode)
		}
	}
}

// Framing, the kinds of messages, keep-alives, and what is ignored.
func TestCompatV1Stream(t *testing.T) {
	for _, coding := range []string{"identity", "gzip", "gzip;q=0", "deflate, gzip"} {
		t.Run(coding, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGate(t)
				l := g.follow("POST", "/1.1/statuses/filter.json?oauth_nonce=1&track=go",
					"track=rust&stringify_friend_ids=true&tweet_mode=extended&stall_warnings=True", formType, "Accept-Encoding: "+coding)
				g.status(1, "go\u2028 1")
				g.status(2, "neither")
				g.status(3, "rust 3")
				if got := l.texts(2); !slices.Equal(got, []string{"go\u2028 1", "rust 3"}) {
					t.Errorf("%q", got)
				}
				began := time.Now()
				l.want("", "")
				if took := time.Since(began); took < 59*time.Second || took > 61*time.Second {
					t.Errorf("two keep-alives take %v", took)
				}
				g.delete(1)
				l.want(`{"delete":{"status":{"id":1,…`)
				g.notice(fanout.KindLimit, `{"limit":{"track":5}}`)
				l.want(`{"limit":{"track":5,"timestamp_ms":"…`)
				g.hub.Publish(&fanout.Event{Kind: fanout.KindGap, Dialect: dialect, Loss: &fanout.Loss{Reason: "upstream", Missed: 9}})
				l.want(`{"limit":{"track":6,"timestamp_ms":"…`) // how many of the 9 matched nobody knows: one at least
				g.notice(fanout.KindLimit, `{"limit":{"track":2}}`)
				l.want(`{"limit":{"track":8,"timestamp_ms":"…`)
				g.notice(fanout.KindDisconnect, `{"disconnect":{"code":4}}`)
				g.notice(fanout.KindOther, `{"friends":[1]}`)
				g.notice(fanout.KindWarning, `{"warning":{"code":"FALLING_BEHIND"}}`)
				l.want(`{"warning":{"code":"FALLING_BEHIND"}}`)
				go func() { _ = g.server.Drain(t.Context()) }()
				l.want(`{"disconnect":{"code":1,…`, "EOF")
			})
		})
	}
}

// delimited=length: a number of bytes, then so many bytes, CRLF included.
func TestCompatDelimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t)
		l := g.follow("GET", "/1.1/statuses/sample.json?delimited=length", "")
		texts := []string{"plain", "日本 \U0001f600", "é"}
		for i, text := range texts {
			g.status(uint64(i+1), text)
		}
		for i := range 4 {
			if i == 3 {
				g.delete(2)
			}
			n, err := strconv.Atoi(l.line())
			if err != nil {
				t.Fatal(err)
			}
			message := make([]byte, n)
			if _, err := io.ReadFull(l.in, message); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(string(message), "}\r\n") || !json.Valid(message) || i < 3 && !strings.Contains(string(message), texts[i]) {
				t.Errorf("%q", message)
			}
		}
		l.want("") // a keep-alive has no length
	})
}
