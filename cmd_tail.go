package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/r3labs/sse/v2"
)

// Figures of tail.
const (
	tailBuffer  = 1 << 20          // longest event; the gateway's own limit is a little below
	tailRetry   = 3 * time.Second  // first wait before a reconnect until the server says otherwise
	tailLongest = 30 * time.Second // longest wait, unless the server asks for more
	tailQuiet   = time.Minute      // silence that ends a connection until hello tells the heartbeat
)

// tail is `aviary tail`: it follows a stream until it has shown N posts, the
// server says that there is no more, or somebody stops it.
func tail(ctx context.Context, p *program) int {
	address, limit, err := tailArgs(p.args)
	if err != nil {
		return misused(p, "tail", err.Error())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if p.signals != nil {
		go func() { // ends with the command
			select {
			case <-p.signals:
				cancel()
			case <-ctx.Done():
			}
		}()
	}
	out := &screen{w: p.out, terminal: p.outTerminal}
	defer out.leave()
	t := &tailer{
		p: p, url: address, left: limit, retry: tailRetry, screen: out,
		show: printer{w: out, colour: p.outTerminal && !slices.ContainsFunc(p.environ, func(e string) bool { return strings.HasPrefix(e, "NO_COLOR=") && e != "NO_COLOR=" })},
	}
	return t.follow(ctx)
}

// tailArgs reads URL and -n N in either order.
func tailArgs(args []string) (address string, limit int, err error) {
	flags := flag.NewFlagSet("tail", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Func("n", "end after so many posts", func(text string) error {
		limit, err = strconv.Atoi(text)
		if err != nil || limit < 1 {
			return errors.New("write a number of posts, at least 1")
		}
		return nil
	})
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return "", 0, err
		}
		if args = flags.Args(); len(args) == 0 {
			break
		}
		if address != "" {
			return "", 0, fmt.Errorf("takes one URL, not also %q", args[0])
		}
		address, args = args[0], args[1:]
	}
	if address == "" {
		return "", 0, errors.New("needs the URL of a gateway, such as localhost:8080")
	}
	address, err = streamURL(address)
	return address, limit, err
}

// streamURL completes what a person types: http and /stream go without saying.
func streamURL(typed string) (string, error) {
	if !strings.Contains(typed, "://") {
		typed = "http://" + typed
	}
	u, err := url.Parse(typed)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is not the URL of a gateway; write e.g. localhost:8080 or http://localhost:8080/stream?track=go", typed)
	}
	if u.Fragment != "" {
		return "", fmt.Errorf("%q: what stands behind # is not sent; a # in a filter is written %%23", typed)
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/stream"
	}
	u.RawQuery = strings.ReplaceAll(u.RawQuery, " ", "%20") // of a rule, as people write it
	return u.String(), nil
}

// tailer is one run of tail. It is used by one goroutine at a time: the
// client's, while it is connected.
type tailer struct {
	p    *program
	url  string
	left int // posts still to show; 0 from the start: no end
	show printer

	screen *screen // under show
	failed bool    // the server said that going on is no use

	lastID  string // of the last event that came whole
	alone   string // an id that came without data: believed when something follows it
	retry   time.Duration
	quiet   time.Duration
	alive   bool // this connection brought something
	ended   bool // nothing more is wanted, or will come
	cancel  context.CancelFunc
	silence *time.Timer
}

// follow connects again and again.
func (t *tailer) follow(ctx context.Context) int {
	for failures := 0; ; {
		err := t.connect(ctx)
		var answer *refusal
		switch refused := errors.As(err, &answer); {
		case t.failed:
			return exitFailed
		case ctx.Err() != nil || t.ended:
			return exitOK
		case refused && answer.status == http.StatusNoContent:
			t.show.notice("the stream has ended")
			return exitOK
		case refused && answer.final:
			fmt.Fprintf(t.p.err, "aviary tail: %v\n", err)
			return exitFailed
		}
		if t.alive {
			failures = 0
		}
		wait := min(t.retry<<min(failures, 10), max(tailLongest, t.retry))
		failures++
		if answer != nil {
			wait = max(wait, answer.retryAfter)
		}
		wait += rand.N(wait/2 + 1) // so that many do not come back at once
		if err == nil {
			err = errors.New("the connection ended")
		}
		t.screen.leave()
		fmt.Fprintf(t.p.err, "aviary tail: %s; again in %v\n", clean(err.Error()), wait.Round(time.Millisecond))
		select {
		case <-ctx.Done():
			return exitOK
		case <-time.After(wait):
		}
	}
}

// once is a back-off that never retries: one call of the client is one
// connection, so that resuming and waiting are decided here.
type once struct{}

func (once) NextBackOff() time.Duration { return -1 } // -1 is the library's Stop
func (once) Reset()                     {}

// connect makes one connection and returns when it has ended.
func (t *tailer) connect(ctx context.Context) error {
	ctx, t.cancel = context.WithCancel(ctx)
	defer t.cancel()
	t.alive, t.alone, t.quiet = false, "", tailQuiet
	transport := &http.Transport{DialContext: t.p.dial, ResponseHeaderTimeout: tailQuiet}
	defer transport.CloseIdleConnections()

	client := sse.NewClient(t.url, sse.ClientMaxBufferSize(tailBuffer))
	client.Connection = &http.Client{Transport: transport}
	client.ReconnectStrategy = once{}
	client.ResponseValidator = validate
	client.Headers["User-Agent"] = "aviary-tail/" + version
	if t.lastID != "" {
		client.Headers["Last-Event-ID"] = t.lastID
	}
	t.silence = time.AfterFunc(t.quiet, t.cancel)
	defer t.silence.Stop()
	return client.SubscribeRawWithContext(ctx, t.take)
}

// refusal is an answer that is not a stream.
type refusal struct {
	status     int
	final      bool // asking again will not help
	retryAfter time.Duration
	msg        string
}

func (r *refusal) Error() string { return r.msg }

// validate accepts a stream and closes the body of everything else: the client
// leaves that to its validator.
func validate(_ *sse.Client, response *http.Response) error {
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if response.StatusCode == http.StatusOK && kind == "text/event-stream" {
		return nil
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 8<<10))
	r := &refusal{status: response.StatusCode, msg: "the server answers " + response.Status}
	var said struct{ Title, Detail string }
	switch {
	case json.Unmarshal(body, &said) == nil && said.Detail != "":
		r.msg += ": " + clean(said.Detail)
	case response.StatusCode == http.StatusOK:
		r.final, r.msg = true, fmt.Sprintf("this is no event stream but %q; is the URL right?", kind)
	}
	seconds, _ := strconv.Atoi(response.Header.Get("Retry-After"))
	r.retryAfter = time.Duration(max(seconds, 0)) * time.Second
	passing := []int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}
	if response.StatusCode >= 300 && response.StatusCode < 500 && !slices.Contains(passing, response.StatusCode) {
		r.final = true
	}
	return r
}

// take is called for each event. The client passes on a last event that was
// cut off by the end of the connection: its data is not whole JSON, and an id
// without data may be half an id. Neither moves lastID.
func (t *tailer) take(e *sse.Event) {
	if t.ended {
		return
	}
	t.alive = true
	if ms, err := strconv.Atoi(string(e.Retry)); err == nil && ms >= 0 && ms <= int(time.Hour/time.Millisecond) {
		t.retry = max(time.Duration(ms)*time.Millisecond, time.Millisecond)
	}
	if t.alone != "" {
		t.lastID, t.alone = t.alone, ""
	}
	data := bytes.TrimSpace(e.Data)
	switch {
	case len(data) == 0: // a heartbeat or a retry alone
		t.alone = string(e.ID)
	case json.Valid(data):
		if len(e.ID) > 0 {
			t.lastID = string(e.ID)
		}
		t.event(string(e.Event), data)
	}
	t.silence.Reset(t.quiet)
}

// event shows one whole event and acts on what it says about the connection.
func (t *tailer) event(name string, data []byte) {
	switch name {
	case "", "message":
		t.show.post(data)
		if t.left > 0 {
			if t.left--; t.left == 0 {
				t.ended = true
				t.cancel()
			}
		}
		return
	case "hello":
		var said struct {
			Hello struct {
				Heartbeat int `json:"heartbeat_ms"`
			}
		}
		if json.Unmarshal(data, &said) == nil && said.Hello.Heartbeat > 0 {
			t.quiet = 3*time.Duration(said.Hello.Heartbeat)*time.Millisecond + time.Second
		}
	case "bye":
		var said struct{ Bye struct{ Reason string } }
		t.ended = json.Unmarshal(data, &said) == nil && said.Bye.Reason == "limit"
	}
	if !t.searched(name, data) {
		t.show.event(name, data)
	}
}
