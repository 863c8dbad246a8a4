package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTailArgs(t *testing.T) {
	for _, test := range []struct {
		args  string
		url   string
		limit int
		wrong string
	}{
		{"localhost:8080", "http://localhost:8080/stream", 0, ""},
		{"http://localhost:8080/", "http://localhost:8080/stream", 0, ""},
		{"https://h.example/stream?track=go -n 3", "https://h.example/stream?track=go", 3, ""},
		{"-n 3 h.example", "http://h.example/stream", 3, ""},
		{"-n=3 h.example/other", "http://h.example/other", 3, ""},
		{"h.example?track=a", "http://h.example/stream?track=a", 0, ""},
		{"h.example?q=(cat%20OR%20dog)+-bird", "http://h.example/stream?q=(cat%20OR%20dog)+-bird", 0, ""},
		{"h.example?q=#go", "", 0, "%23"},
		{"", "", 0, "needs the URL"},
		{"-n 3", "", 0, "needs the URL"},
		{"a b", "", 0, "one URL"},
		{"a -n 0", "", 0, "at least 1"},
		{"a -n x", "", 0, "number of posts"},
		{"a -x", "", 0, "-x"},
		{"ftp://a", "", 0, "not the URL"},
		{"http://", "", 0, "not the URL"},
	} {
		url, limit, err := tailArgs(strings.Fields(test.args))
		switch {
		case test.wrong == "" && (err != nil || url != test.url || limit != test.limit):
			t.Errorf("%q: %q, %d, %v", test.args, url, limit, err)
		case test.wrong != "" && (err == nil || !strings.Contains(err.Error(), test.wrong)):
			t.Errorf("%q: %v does not say %q", test.args, err, test.wrong)
		}
	}
}

// A rule may be typed as it is.
func TestTailSpaces(t *testing.T) {
	got, err := streamURL(`localhost:8080/stream?q=("hot soup" OR tea) lang:en&n=é`)
	if want := `http://localhost:8080/stream?q=("hot%20soup"%20OR%20tea)%20lang:en&n=é`; err != nil || got != want {
		t.Errorf("%s, %v; want %s", got, err, want)
	}
}

// script is a server that answers each connection with the next step.
type script struct {
	steps []func(http.ResponseWriter)
	ids   []string // the Last-Event-ID of each request
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.ids = append(s.ids, r.Header.Get("Last-Event-ID"))
	if len(s.ids) > len(s.steps) {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	s.steps[len(s.ids)-1](w)
}

// events answers with the text of an event stream and ends the connection.
func events(text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		fmt.Fprint(w, text)
	}
}

func problemAnswer(status int, detail string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(map[string]string{"title": "t", "detail": detail})
	}
}

// follow runs tail against the steps and returns all it did.
func follow(t *testing.T, steps []func(http.ResponseWriter), args ...string) (code int, ids []string, out, errs string) {
	t.Helper()
	s := &script{steps: steps}
	web := httptest.NewServer(s)
	defer web.Close()
	var o, e lockedBuffer
	code = run(context.Background(), &program{
		args: append([]string{"tail", web.URL}, args...), dial: new(net.Dialer).DialContext, out: &o, err: &e,
	})
	return code, s.ids, o.String(), e.String()
}

const quick = "retry: 1\n\n"

func TestTailResumesAfterWhatCameWhole(t *testing.T) {
	code, ids, out, errs := follow(t, []func(http.ResponseWriter){
		events(quick + "event: hello\nid: a-1\ndata: {\"hello\":{\"source\":\"sim\",\"missed\":0,\"resumed\":\"live\"}}\n\n" +
			"id: a-2\ndata: {\"text\":\"one\",\"user\":{\"screen_name\":\"ann\"}}\n\n" +
			"id: a-3\ndata: {\"text\":\"tw"), // cut: neither shown nor passed
		events(quick + "id: a-3\ndata: {\"text\":\"two\"}\n\n:\nid: a-7\n\nid: a-8\ndata: {\"text\":\"three\"}\n\n:\nid: a-9\n\n:\nid: a-1"), // a cut id
		func(w http.ResponseWriter) { w.Header().Set("Retry-After", "0"); problemAnswer(503, "later")(w) },
		events(quick + "event: gap\nid: a-9\ndata: {\"gap\":{\"missed\":12,\"reason\":\"slow\"}}\n\n" +
			"event: delete\nid: a-10\ndata: {\"delete\":{\"status\":{\"id_str\":\"77\"}}}\n\n"),
	})
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if want := []string{"", "a-2", "a-9", "a-9", "a-10"}; !slices.Equal(ids, want) {
		t.Errorf("came back with %q, not %q", ids, want)
	}
	for _, text := range []string{"source sim", "@ann one\n", " two\n", " three\n", "gap (slow): 12 posts", "deleted: 77", "the stream has ended"} {
		if strings.Count(out, text) != 1 {
			t.Errorf("%q is not there once in:\n%s", text, out)
		}
	}
	if strings.Contains(out, "\x1b") || !strings.Contains(errs, "503") || !strings.Contains(errs, "later") {
		t.Errorf("colour without a terminal, or not told why: %q %q", out, errs)
	}
}

func TestTailEnds(t *testing.T) {
	post := "id: a-1\ndata: {\"text\":\"one\"}\n\n"
	for _, test := range []struct {
		name  string
		steps []func(http.ResponseWriter)
		args  []string
		code  int
		asked int
		says  string
	}{
		{"after n posts", []func(http.ResponseWriter){events(post + post + post)}, []string{"-n", "2"}, exitOK, 1, ""},
		{"after bye limit", []func(http.ResponseWriter){events(post + "event: bye\nid: a-1.end\ndata: {\"bye\":{\"reason\":\"limit\"}}\n\n")}, nil, exitOK, 1, ""},
		{"not after bye draining", []func(http.ResponseWriter){events(quick + "event: bye\nid: a-1\ndata: {\"bye\":{\"reason\":\"draining\"}}\n\n")}, nil, exitOK, 2, ""},
		{"on a bad filter", []func(http.ResponseWriter){problemAnswer(400, "unknown parameter trakc\x1b[2J")}, nil, exitFailed, 1, "400 Bad Request: unknown parameter trakc"},
		{"on a page", []func(http.ResponseWriter){func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") }}, nil, exitFailed, 1, "is the URL right?"},
		{"not when busy", []func(http.ResponseWriter){events(quick), problemAnswer(429, "busy")}, nil, exitOK, 3, "busy"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, ids, _, errs := follow(t, test.steps, test.args...)
			if code != test.code || len(ids) != test.asked || !strings.Contains(errs, test.says) || strings.Contains(errs, "\x1b") {
				t.Errorf("exit code %d, asked %d times: %s", code, len(ids), errs)
			}
		})
	}
}

func TestTailStopsOnSignal(t *testing.T) {
	release := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		events(quick + "id: a-1\ndata: {\"text\":\"one\"}\n\n")(w)
		_ = http.NewResponseController(w).Flush()
		close(release)
		<-r.Context().Done()
	}))
	defer web.Close()
	signals, exit := make(chan os.Signal, 1), make(chan int)
	var out, errs lockedBuffer
	go func() {
		exit <- run(context.Background(), &program{args: []string{"tail", web.URL}, dial: new(net.Dialer).DialContext, out: &out, err: &errs, signals: signals})
	}()
	<-release
	signals <- os.Interrupt
	if code := <-exit; code != exitOK {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

// The whole way: tail follows a gateway that follows the simulator.
func TestTailFollowsAGateway(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, environ...)
	connected(t, fake)
	say(fake, "go 1", "rust 1", "go 2")
	var out, errs lockedBuffer
	code := run(context.Background(), &program{
		args: []string{"tail", g.url + `/stream?q=go -(rust "no post") OR "nothing"&since=1h`, "-n", "2"}, dial: new(net.Dialer).DialContext, out: &out, err: &errs,
	})
	if text := out.String(); code != exitOK || !strings.Contains(text, "go 1\n") || !strings.Contains(text, "go 2\n") || strings.Contains(text, "rust") {
		t.Errorf("exit code %d:\n%s%s", code, text, errs.String())
	}
}

func TestPrinter(t *testing.T) {
	for _, test := range []struct{ post, line string }{
		{`{"id_str":"1","created_at":"bad","text":"a &amp; b","user":{"screen_name":"ann"}}`, "--:--:-- @ann a & b\n"},
		{`{"text":"cut…","extended_tweet":{"full_text":"the whole text"},"user":{"screen_name":"ann"}}`, "--:--:-- @ann the whole text\n"},
		{`{"text":"RT @bob: cu…","user":{"screen_name":"ann"},"retweeted_status":{"full_text":"all of it","user":{"screen_name":"bob"}}}`, "--:--:-- @ann repost of @bob: all of it\n"},
		{`{"text":"&amp; stays","author":{"username":"ann"}}`, "--:--:-- @ann &amp; stays\n"},
		{`{"id_str":"17"}`, "--:--:-- @? 17\n"},
		{`{"text":"line\nline\u001b[2J\u009b\u202eevil\u2028","user":{"screen_name":"a\u0007"}}`, "--:--:-- @a  line line [2J evil \n"},
		{`[1]`, "-- a post of an unknown form: [1]\n"},
	} {
		var out strings.Builder
		printer{w: &out}.post([]byte(test.post))
		if out.String() != test.line {
			t.Errorf("%s is shown as %q, not %q", test.post, out.String(), test.line)
		}
	}
	var out strings.Builder
	printer{w: &out, colour: true}.post([]byte(`{"text":"x","created_at":"2026-01-02T03:04:05.000Z"}`))
	if !strings.Contains(out.String(), bold) || strings.Contains(out.String(), "--:") || time.Local == nil {
		t.Errorf("a terminal shows %q", out.String())
	}
}

func FuzzPrinter(f *testing.F) {
	f.Add("hello", `{"hello":{"source":"sim"}}`)
	f.Add("", `{"text":"\u001b[2J\r\n","user":{"screen_name":"\u0000"}}`)
	f.Add("evil\x1b", `{"gap":{"missed":null}}`)
	f.Fuzz(func(t *testing.T, name, data string) {
		var out strings.Builder
		p := printer{w: &out}
		p.post([]byte(data))
		p.event(name, []byte(data))
		if text := out.String(); strings.Count(text, "\n") != 2 || strings.ContainsAny(text, "\x00\x07\x1b\r\u009b\u202e") {
			t.Errorf("not two safe lines: %q", text)
		}
	})
}
