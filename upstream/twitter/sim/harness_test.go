package sim

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dghubble/oauth1"
	"github.com/klauspost/compress/gzip"
)

// world is a simulator behind a real http.Server on in-memory connections, so
// that it lives in virtual time.
type world struct {
	*Server
	t    *testing.T
	pipe *pipes
}

// pipes is a listener whose connections are net.Pipes.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p.conns <- server:
		return client, nil
	case <-p.done:
		return nil, errors.New("refused")
	}
}

// inTime runs a test in virtual time against a server that is closed behind it.
func inTime(t *testing.T, cfg Config, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{Server: New(cfg), t: t, pipe: &pipes{conns: make(chan net.Conn), done: make(chan struct{})}}
		server := &http.Server{Handler: w.Server}
		go func() { _ = server.Serve(w.pipe) }()
		test(t, w)
		if err := w.Close(); err != nil {
			t.Error(err)
		}
		_ = server.Close()
	})
}

// feed is one client: its answer, and the lines of the stream with their time.
type feed struct {
	t      *testing.T
	status int
	header http.Header
	body   string // of an answer that is no stream
	lines  chan string
	end    error // why the lines ended; io.EOF: in order. Valid when lines is closed
	cancel context.CancelFunc
}

// ask is what a client asks for.
type ask struct {
	path  string // "": filter
	form  url.Values
	plain bool // don't offer gzip
	cred  Credentials
}

func track(phrases string) ask { return ask{form: url.Values{"track": {phrases}}} }

// request builds the request, unsigned.
func (a ask) request(ctx context.Context, base string) *http.Request {
	method, path, body := http.MethodPost, "/1.1/statuses/filter.json", a.form.Encode()
	if a.path != "" {
		method, path, body = http.MethodGet, a.path, ""
	}
	r, _ := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
	if a.path != "" {
		r.URL.RawQuery = a.form.Encode()
	} else {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Encoding", "gzip")
	if a.plain {
		r.Header.Set("Accept-Encoding", "identity")
	}
	return r
}

// signer is an HTTP client that signs as an unrelated library does.
func signer(cred Credentials, transport http.RoundTripper) *http.Client {
	if cred == (Credentials{}) {
		cred = DefaultCredentials
	}
	ctx := context.WithValue(context.Background(), oauth1.HTTPClient, &http.Client{Transport: transport})
	return oauth1.NewConfig(cred.ConsumerKey, cred.ConsumerSecret).Client(ctx, oauth1.NewToken(cred.AccessToken, cred.AccessSecret))
}

// connect opens a stream, or gets its refusal.
func (w *world) connect(a ask) *feed {
	w.t.Helper()
	transport := &http.Transport{DialContext: w.pipe.dial, DisableKeepAlives: true, DisableCompression: true}
	f, err := open(w.t, signer(a.cred, transport), a, "http://stream.sim.example")
	if err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
	return f
}

func open(t *testing.T, client *http.Client, a ask, base string) (*feed, error) {
	ctx, cancel := context.WithCancel(context.Background())
	resp, err := client.Do(a.request(ctx, base))
	if err != nil {
		cancel()
		return nil, err
	}
	t.Cleanup(cancel)
	f := &feed{t: t, status: resp.StatusCode, header: resp.Header, lines: make(chan string, 100_000), cancel: cancel}
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		f.body = string(body)
		cancel()
		return f, nil
	}
	go f.pump(resp)
	return f, nil
}

// pump reads CRLF lines, keep-alives as "".
func (f *feed) pump(resp *http.Response) {
	defer close(f.lines)
	defer resp.Body.Close()
	var body io.Reader = resp.Body
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if body, f.end = gzip.NewReader(resp.Body); f.end != nil {
			return
		}
	}
	in := bufio.NewReaderSize(body, 1<<16)
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		if n := len(line); n >= 2 && line[n-2] == '\r' && line[n-1] == '\n' {
			f.lines <- string(line[:n-2])
			line = line[:0]
		}
		if err != nil && err != bufio.ErrBufferFull {
			if f.end = err; len(line) > 0 && err == io.EOF {
				f.end = io.ErrUnexpectedEOF
			}
			return
		}
	}
}

// now returns the lines that have come by now.
func (f *feed) now() []string {
	synctest.Wait()
	var out []string
	for {
		select {
		case line, ok := <-f.lines:
			if !ok {
				return out
			}
			out = append(out, line)
		default:
			return out
		}
	}
}

// ended waits for the end of the stream, and returns what came before and why.
func (f *feed) ended() ([]string, error) {
	var out []string
	for line := range f.lines {
		out = append(out, line)
	}
	return out, f.end
}

// overTCP is a simulator on a real loopback socket, in real time.
func overTCP(t testing.TB, cfg Config) (*Server, string) {
	s := New(cfg)
	ts := httptest.NewServer(s)
	t.Cleanup(func() {
		_ = s.Close()
		ts.Close()
	})
	return s, ts.URL
}

// post is a small valid post.
func rawPost(id int) string {
	return `{"id":` + strconv.Itoa(id) + `,"id_str":"` + strconv.Itoa(id) + `","text":"n","user":{"id":1,"id_str":"1"}}`
}

// minute is long enough for anything that comes at once, in virtual time.
const minute = time.Minute
