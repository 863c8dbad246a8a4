package server

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
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

// A client that stops reading is cut and costs the others nothing; one that reads
// too slowly is told.
func TestCompatV1Slow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) { o.Hub = fanout.NewHub(fanout.Config{Events: 50}) })
		stuck := g.do("GET", "/1.1/statuses/sample.json", "") // its body is not read: a pipe holds nothing
		slow := g.do("GET", "/1.1/statuses/filter.json?track=go&stall_warnings=true", "")
		good := g.follow("GET", "/1.1/statuses/filter.json?track=go", "")
		for i := range 200 {
			g.status(uint64(i+1), "go "+strconv.Itoa(i))
			if got := good.texts(1); got[0] != "go "+strconv.Itoa(i) {
				t.Fatalf("%q", got)
			}
		}
		// The slow one was stuck in the write of the first posts; then it reads.
		l := &compatLines{t: t, body: soak(slow.Body)}
		l.in = bufio.NewReader(l.body)
		seen, warned, limit := 0, 0, ""
		for seen < 200 {
			line := l.line()
			switch {
			case strings.HasPrefix(line, `{"warning":{"code":"FALLING_BEHIND"`):
				warned++
			case strings.HasPrefix(line, `{"limit":{"track":`):
				limit = line
				n, _, _ := strings.Cut(strings.TrimPrefix(line, `{"limit":{"track":`), ",")
				missed, _ := strconv.Atoi(n)
				seen += missed
			case strings.Contains(line, `"text":"go `):
				seen++
			default:
				t.Fatalf("%q", line)
			}
		}
		if seen != 200 || warned != 1 || limit == "" {
			t.Errorf("%d posts are accounted for, with %d warnings and %q", seen, warned, limit)
		}
		time.Sleep(15 * time.Second)
		if n := g.server.clients.Len(); n != 2 {
			t.Errorf("%d clients are left: the stuck one is not cut", n)
		}
		_ = stuck.Body.Close()
	})
}

// Places run out, operators end streams, connections grow old.
func TestCompatLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(t, func(o *Options) { o.MaxClients = 2; o.MaxAge = 10 * time.Minute })
		g.rules("", `{"add":[{"value":"go"}]}`)
		one, two := g.follow("GET", "/1.1/statuses/sample.json", ""), g.follow("GET", "/2/tweets/search/stream", "")
		if resp := g.do("GET", "/1.1/statuses/sample.json", ""); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%d", resp.StatusCode)
		}
		resp := g.do("GET", "/2/tweets/search/stream", "")
		if body := readAll(t, resp.Body); resp.StatusCode != 503 || !strings.Contains(body, `"title":"Service Unavailable"`) {
			t.Errorf("%d %s", resp.StatusCode, body)
		}
		list := g.server.compat.List()
		if len(list) != 2 || list[0].ID == list[1].ID {
			t.Fatalf("%+v", list)
		}
		if g.server.compat.Evict(99) {
			t.Error("nobody has that id")
		}
		for _, info := range list {
			g.server.compat.Evict(info.ID)
		}
		one.want(`{"disconnect":{"code":7,…`, "EOF")
		two.want(`{"errors":[{"detail":"This stream has been disconnected for operational reasons. An operator has ended it.","disconnect_type":"OperationalDisconnect","title":"operational-disconnect",…`, "EOF")
		synctest.Wait()
		old := g.follow("GET", "/1.1/statuses/sample.json", "")
		began := time.Now()
		for line := ""; line == ""; {
			if line = old.line(); line != "" && !strings.HasPrefix(line, `{"disconnect":{"code":1,`) {
				t.Errorf("%q", line)
			}
		}
		if age := time.Since(began); age < 8*time.Minute || age > 10*time.Minute {
			t.Errorf("it lived for %v", age)
		}
	})
}

// A body that does not come to its end in time is refused in words.
func TestCompatSlowBody(t *testing.T) {
	for path, kind := range map[string]string{"/1.1/statuses/filter.json": "application/x-www-form-urlencoded", rulesPath: "application/json"} {
		synctest.Test(t, func(t *testing.T) {
			g := newGate(t)
			conn, err := g.dial()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			began := time.Now()
			if _, err := fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 100\r\n\r\ntra", path, kind); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			if body := readAll(t, resp.Body); resp.StatusCode != 400 || !strings.Contains(body, "could not be read to its end") || time.Since(began) > time.Minute {
				t.Errorf("%s: %d %s after %v", path, resp.StatusCode, body, time.Since(began))
			}
		})
	}
}

// Of one address there may be so many: Twitter's 420, and X's TooManyConnections.
func TestCompatPerKey(t *testing.T) {
	g := newTCPGate(t, func(o *Options) {
		o.MaxClientsPerKey, o.TrustedProxies = 1, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	g.rules("", `{"add":[{"value":"go"}]}`)
	from := "X-Forwarded-For: 203.0.113.9" // clients on this machine are not counted
	first := g.follow("GET", "/1.1/statuses/sample.json", "", from)
	defer first.body.Close()
	resp := g.do("GET", "/1.1/statuses/sample.json", "", from)
	if body := readAll(t, resp.Body); resp.StatusCode != 420 || body != "Exceeded connection limit for user\r\n" {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
	resp = g.do("GET", "/2/tweets/search/stream", "", from)
	var said struct {
		Title, Connection string
		Issue             string `json:"connection_issue"`
	}
	if err := json.Unmarshal([]byte(readAll(t, resp.Body)), &said); err != nil || resp.StatusCode != 429 || said.Title != "ConnectionException" || said.Issue != "TooManyConnections" {
		t.Errorf("%d %+v %v", resp.StatusCode, said, err)
	}
}

// Streams come and go while posts flow: no race, and everybody gets all that came
// while it was there, in order. Posts come as fast as they are read, so that nobody
// falls behind the history, whoever gets the processor.
func TestCompatChurn(t *testing.T) {
	const clients, streams, lines = 4, 8, 50
	g := newTCPGate(t, func(o *Options) {
		o.Hub = fanout.NewHub(fanout.Config{Epoch: 1 << 30, Events: clients * streams * lines})
	})
	t.Cleanup(g.hub.Close)
	g.rules("", `{"add":[{"value":"go"}]}`)
	wanted := make(chan struct{}, clients*streams*lines)
	var posting, reading sync.WaitGroup
	posting.Go(func() {
		i := uint64(0)
		for range wanted {
			i++
			g.status(i, "go "+strconv.FormatUint(i, 10))
		}
	})
	for k := range clients {
		reading.Go(func() {
			for range streams {
				path, lead := "/1.1/statuses/filter.json?track=go", `"text":"go `
				if k%2 == 1 {
					path = "/2/tweets/search/stream"
				}
				l := g.follow("GET", path, "", "Accept-Encoding: "+[]string{"identity", "gzip"}[k/2])
				last := 0
				for range lines {
					wanted <- struct{}{}
					line := l.line()
					_, rest, _ := strings.Cut(line, lead)
					n, err := strconv.Atoi(rest[:strings.IndexByte(rest+`"`, '"')])
					if err != nil || last > 0 && n != last+1 {
						t.Errorf("after %d comes %q", last, line)
						break
					}
					last = n
				}
				_ = l.body.Close()
			}
		})
	}
	reading.Wait()
	close(wanted)
	posting.Wait()
}
