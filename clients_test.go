package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

// The programs of testdata/clients are written for Twitter and run unchanged: only
// its host names lead to the gateway, which serves TLS under them.
var twitterHosts = []string{"stream.twitter.com", "api.twitter.com", "stream.x.com", "api.x.com"}

// dropIn is a gateway over a simulator, under Twitter's names.
type dropIn struct {
	t       *testing.T
	g       *running
	fake    *sim.Server
	address string // of the gateway
	cert    string // file
	proxy   string // leads Twitter's names to the gateway
}

// newDropIn starts a gateway of a source: twitter or x.
func newDropIn(t *testing.T, source string, more ...string) *dropIn {
	t.Helper()
	d := &dropIn{t: t}
	cert, key := certificateFor(t, twitterHosts)
	d.cert = cert
	var environ []string
	if source == "x" {
		d.fake = sim.New(sim.Config{XSearchLag: time.Nanosecond}) // found at once: this is no virtual time
		web := httptest.NewServer(d.fake)
		t.Cleanup(web.Close)
		t.Cleanup(func() { _ = d.fake.Close() })
		environ = []string{"AVIARY_SOURCE=x", "AVIARY_TRACK=go,rust", "AVIARY_X_API_URL=" + web.URL, "AVIARY_X_BEARER_TOKEN=" + d.fake.BearerToken()}
	} else {
		d.fake, environ = fakeTwitter(t)
		environ = searchable(environ)
	}
	d.g = start(t, nil, append(environ, append(more, "AVIARY_TLS_CERT_FILE="+cert, "AVIARY_TLS_KEY_FILE="+key)...)...)
	d.address = strings.TrimPrefix(d.g.url, "http://")
	d.proxy = d.lead()
	connected(t, d.fake)
	return d
}

// certificateFor makes a certificate for names, which is its own authority.
func certificateFor(t *testing.T, names []string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a gateway under test"}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// lead is a proxy that takes CONNECT for Twitter's names and connects to the
// gateway, so that a program needs no change but HTTPS_PROXY in its environment.
func (d *dropIn) lead() string {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.Host)
		if r.Method != http.MethodConnect || !slices.Contains(twitterHosts, host) {
			d.t.Errorf("the program asks for %s %s", r.Method, r.Host)
			http.Error(w, "only Twitter is led here", http.StatusForbidden)
			return
		}
		there, err := net.Dial("tcp", d.address)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer there.Close()
		here, buffered, err := w.(http.Hijacker).Hijack()
		if err != nil {
			d.t.Error(err)
			return
		}
		defer here.Close()
		if _, err := io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
			return
		}
		go func() {
			_, _ = io.Copy(there, buffered)
			_ = there.Close()
		}()
		_, _ = io.Copy(here, there)
	}))
	d.t.Cleanup(web.Close)
	return web.URL
}

// clientProgram is one that runs, and the lines it prints.
type clientProgram struct {
	t     *testing.T
	lines chan saidLine
	log   lockedBuffer
}

// saidLine is one line of what a program says.
type saidLine struct {
	What, ID, Text, User, Author, At, Error string
	Status, Code, Count, Created            int
	Track, Remaining                        int
	Tags, Titles, Values, Messages          []string
	Users                                   map[string]string
	Verified                                []bool
	Rules                                   [][]string
	Summary                                 map[string]int
}

// run starts a program; it is ended with the test.
func (d *dropIn) run(command ...string) *clientProgram {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Env = append(os.Environ(), "HTTPS_PROXY="+d.proxy, "https_proxy="+d.proxy, "NO_PROXY=", "no_proxy=",
		"REQUESTS_CA_BUNDLE="+d.cert, "NODE_EXTRA_CA_CERTS="+d.cert, "GATEWAY="+d.address)
	if filepath.Base(command[0]) == "node" {
		modules, _ := nodeModules() // node has seen to it that they are there
		c.Env = append(c.Env, "NODE_PATH="+modules)
	}
	p := &clientProgram{t: d.t, lines: make(chan saidLine, 1000)}
	out, err := c.StdoutPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	c.Stderr = &p.log
	if err := c.Start(); err != nil {
		d.t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(p.lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			var line saidLine
			if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
				d.t.Errorf("the program says %q: %v", scan.Text(), err)
			}
			p.lines <- line
		}
	})
	d.t.Cleanup(func() {
		cancel()
		reading.Wait()
		_ = c.Wait()
		if d.t.Failed() {
			d.t.Logf("the program's log:\n%s", p.log.String())
		}
	})
	return p
}

// next is the next line, which must be about this.
func (p *clientProgram) next(what string) saidLine {
	p.t.Helper()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatalf("the program ended before %q\n%s", what, p.log.String())
		}
		if line.What == "alive" && what != line.What {
			return p.next(what)
		}
		if line.What != what {
			p.t.Fatalf("%+v, want %q", line, what)
		}
		return line
	case <-time.After(30 * time.Second):
		p.t.Fatalf("no %q came\n%s", what, p.log.String())
		panic("not reached")
	}
}

// many are the next n lines about this.
func (p *clientProgram) many(what string, n int) (texts []string) {
	p.t.Helper()
	for range n {
		texts = append(texts, p.next(what).Text)
	}
	return texts
}

// missing ends a test that needs what is not installed.
func missing(t *testing.T, what string, err error) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s: %v", what, err)
	}
	t.Skipf("SKIPPED, AND THAT MATTERS: %s: %v", what, err)
}

// python is one that has tweepy.
func python(t *testing.T) string {
	t.Helper()
	var err error
	for _, path := range []string{"/usr/bin/python3", "python3"} {
		if err = exec.Command(path, "-c", "import tweepy, requests_oauthlib").Run(); err == nil {
			return path
		}
	}
	missing(t, "tweepy is not installed; `make test-tools` installs it", err)
	return ""
}

// npmClient is the version of twitter-api-v2, https://github.com/plhery/node-twitter-api-v2.
const npmClient = "1.29.1"

// nodeModules is a folder with twitter-api-v2 in it, from the user's cache or by npm.
var nodeModules = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "aviary-clients", "twitter-api-v2-"+npmClient)
	modules := filepath.Join(dir, "node_modules")
	if _, err := os.Stat(filepath.Join(modules, "twitter-api-v2", "package.json")); err == nil {
		return modules, nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "install", "--prefix", dir, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "twitter-api-v2@"+npmClient)
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm install: %w: %s", err, out)
	}
	return modules, nil
})

// tweepy's v1.1 stream: posts, a delete, the language, what is no predicate, a drain.
func TestTweepyV1Stream(t *testing.T) {
	python := python(t)
	for _, source := range []string{"twitter", "x"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			d := newDropIn(t, source)
			p := d.run(python, "testdata/clients/tweepy_v1.py", "filter", "go,rust")
			p.next("connected")
			first := d.fake.Post(sim.Draft{Text: "go & more #golang 日本"})
			d.fake.Post(sim.Draft{Text: "rust nicht hier", Lang: "de"})
			d.fake.Post(sim.Draft{Text: "rust 2 " + strings.Repeat("long ", 60)})
			if got := p.next("status"); got.ID != first.ID || got.Text != "go &amp; more #golang 日本" || got.User == "" || !slices.Equal(got.Tags, []string{"golang"}) {
				t.Errorf("%+v", got)
			}
			if got := p.next("status"); !strings.HasPrefix(got.Text, "rust 2 long") || len(got.Text) < 300 {
				t.Errorf("%+v", got)
			}
			if source == "twitter" { // the filtered stream of X has no deletes
				d.fake.Delete(first.ID)
				if got := p.next("delete"); got.ID != first.ID {
					t.Errorf("%+v", got)
				}
			}
			say(d.fake, "go end")
			p.next("status")
			p.next("over")

			if got := d.run(python, "testdata/clients/tweepy_v1.py", "nothing").next("error"); got.Status != 406 {
				t.Errorf("%+v", got)
			}
			p = d.run(python, "testdata/clients/tweepy_v1.py", "sample")
			p.next("connected")
			say(d.fake, "rust 3")
			p.next("status")
			d.g.cancel()
			if got := p.next("disconnect"); got.Code != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// tweepy's search of v1.1 walks all pages.
func TestTweepyV1Search(t *testing.T) {
	python := python(t)
	for _, source := range []string{"twitter", "x"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			d := newDropIn(t, source)
			say(d.fake, numbered("alpha", 0, 40)...)
			p := d.run(python, "testdata/clients/tweepy_v1.py", "search")
			want := numbered("alpha", 0, 40)
			slices.Reverse(want)
			if got := p.many("found", 40); !slices.Equal(got, want) {
				t.Errorf("%q", got)
			}
			if got := p.many("short", 3); !slices.Equal(got, want[:3]) {
				t.Errorf("%q", got)
			}
			if got := p.next("refused"); got.Code != 25 {
				t.Errorf("%+v", got)
			}
			p.next("over")
		})
	}
}

// streamV2 is what every client of the v2 stream sees.
func (d *dropIn) streamV2(p *clientProgram, triedFirst bool) {
	d.t.Helper()
	if got := p.next("rules"); got.Count != 0 {
		d.t.Errorf("%+v", got)
	}
	if triedFirst {
		if got := p.next("tried"); got.Created != 1 {
			d.t.Errorf("%+v", got)
		}
	}
	added := p.next("added")
	if len(added.Rules) != 2 || added.Rules[0][1] != "go" || added.Rules[1][1] != "rust" || !slices.Equal(added.Titles, []string{"DuplicateRule"}) {
		d.t.Fatalf("%+v", added)
	}
	if triedFirst {
		if got := p.next("deleted"); got.Summary["deleted"] != 1 {
			d.t.Errorf("%+v", got)
		}
		if got := p.next("rules"); got.Count != 2 || !slices.Equal(got.Values, []string{"go", "rust"}) {
			d.t.Errorf("%+v", got)
		}
	} else if got := p.next("tried"); got.Created != 1 {
		d.t.Errorf("%+v", got)
	}
	p.next("connected")
	eventually(d.t, "the stream", func() bool { return d.clients() == 1 })
	made := d.fake.Post(sim.Draft{Text: "go with rust"})
	d.fake.Post(sim.Draft{Text: "rust end"})
	got := p.next("post")
	if got.ID != made.ID || got.Text != "go with rust" || got.Users[got.Author] == "" || len(got.Verified) != 1 {
		d.t.Errorf("%+v", got)
	}
	if want := [][]string{{added.Rules[0][0], "g"}, {added.Rules[1][0], ""}}; !slices.EqualFunc(got.Rules, want, slices.Equal) {
		d.t.Errorf("rules %v, want %v", got.Rules, want)
	}
	if got := p.next("post"); got.Text != "rust end" || len(got.Rules) != 1 {
		d.t.Errorf("%+v", got)
	}
}

// clients is how many streams are open.
func (d *dropIn) clients() int {
	_, body := fetch(d.t, d.g.client, d.g.admin+"/clients")
	var in struct{ Count int }
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		d.t.Fatal(err)
	}
	return in.Count
}

// tweepy's StreamingClient: rules and the stream.
func TestTweepyV2Stream(t *testing.T) {
	python := python(t)
	for _, source := range []string{"twitter", "x"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			d := newDropIn(t, source)
			p := d.run(python, "testdata/clients/tweepy_v2.py", "stream", "token-of-tweepy")
			d.streamV2(p, true)
			p.next("over")
		})
	}
}

// Node's twitter-api-v2: rules and the stream.
func TestNodeStream(t *testing.T) {
	node := node(t)
	for _, source := range []string{"twitter", "x"} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			d := newDropIn(t, source)
			p := d.run(node, "testdata/clients/twitter_api_v2.cjs", "stream", "token-of-node")
			d.streamV2(p, false)
			if got := p.next("deleted"); got.Summary["deleted"] != 2 {
				t.Errorf("%+v", got)
			}
			p.next("over")
		})
	}
}

// What the documentation of both clients shows beside the least that works.
func TestClientsMore(t *testing.T) {
	for name, command := range map[string]func(*testing.T) []string{
		"tweepy": func(t *testing.T) []string { return []string{python(t), "testdata/clients/tweepy_v2.py"} },
		"node":   func(t *testing.T) []string { return []string{node(t), "testdata/clients/twitter_api_v2.cjs"} },
	} {
		for _, source := range []string{"twitter", "x"} {
			t.Run(name+" over "+source, func(t *testing.T) {
				program := command(t)
				t.Parallel()
				d := newDropIn(t, source, "AVIARY_HEARTBEAT=1s", "AVIARY_SEARCH_CACHE=1ms")
				say(d.fake, numbered("alpha", 0, 40)...)
				if name == "tweepy" { // it waits for the reset that the gateway tells it
					if err := d.fake.Do("after 3 searches search 429 reset 1s"); err != nil {
						t.Fatal(err)
					}
				}
				p := d.run(append(program, "more", "a-token")...)
				d.more(p, name)
				p.next("over")
				if n := d.fake.Stats().Searches; name == "tweepy" && n != 5 {
					t.Errorf("%d searches: it was not refused and asked again", n)
				}
			})
		}
	}
}

// more is what every program has to say that was asked for more.
func (d *dropIn) more(p *clientProgram, name string) {
	d.t.Helper()
	if got := p.next("rules"); !slices.Equal(got.Values, []string{"go lang:en", "(rust OR zig) -is:retweet"}) {
		d.t.Errorf("%+v", got)
	}
	if got := p.next("partial"); !slices.Equal(got.Values, []string{"fine"}) || !slices.Equal(got.Titles, []string{"UnprocessableEntity"}) {
		d.t.Errorf("%+v", got)
	}
	if got := p.next("deleted"); got.Summary["deleted"] != 1 {
		d.t.Errorf("%+v", got)
	}
	p.next("connected")
	eventually(d.t, "the stream", func() bool { return d.clients() == 1 })
	if name == "tweepy" {
		p.next("alive")
	}
	for _, text := range []string{"go alone", "rust end"} {
		say(d.fake, text)
		got := p.next("tweet")
		if got.Text != text || slices.Contains(got.Verified, false) || len(got.Verified) != 2 {
			d.t.Errorf("%+v", got)
		}
		if name == "tweepy" {
			if got := p.next("includes"); !slices.Equal(got.Values, []string{"users"}) {
				d.t.Errorf("%+v", got)
			}
			if got := p.next("matching"); len(got.Tags) != 1 {
				d.t.Errorf("%+v", got)
			}
		}
	}
	pages := map[string]int{"tweepy": 3, "node": 1}[name]
	for range pages {
		if got := p.next("page"); got.Count != 30/pages || !slices.Equal(slices.Compact(got.Values), []string{"test_sim"}) {
			d.t.Errorf("%+v", got)
		}
	}
	if got := p.next("waited"); got.Count != 20 {
		d.t.Errorf("%+v", got)
	}
	if name == "node" {
		p.next("connected")
		eventually(d.t, "the stream of v1.1", func() bool { return d.clients() == 1 })
		made := d.fake.Post(sim.Draft{Text: "go end"})
		if got := p.next("status"); got.ID != made.ID || got.User == "" {
			d.t.Errorf("%+v", got)
		}
	}
}

// node is Node with twitter-api-v2 where it looks for it.
func node(t *testing.T) string {
	t.Helper()
	path := tool(t, "node")
	if _, err := nodeModules(); err != nil {
		missing(t, "twitter-api-v2 cannot be had", err)
	}
	return path
}

// Both clients walk the pages of recent search.
func TestClientsV2Search(t *testing.T) {
	want := numbered("alpha", 0, 40)
	slices.Reverse(want)
	for name, command := range map[string]func(*testing.T) []string{
		"tweepy": func(t *testing.T) []string { return []string{python(t), "testdata/clients/tweepy_v2.py"} },
		"node":   func(t *testing.T) []string { return []string{node(t), "testdata/clients/twitter_api_v2.cjs"} },
	} {
		for source, left := range map[string]int{"twitter": 179, "x": 449} {
			t.Run(name+" over "+source, func(t *testing.T) {
				program := command(t)
				t.Parallel()
				d := newDropIn(t, source)
				say(d.fake, numbered("alpha", 0, 40)...)
				p := d.run(append(program, "search", "a-token")...)
				if name == "node" {
					if got := p.next("limit"); got.Remaining != left {
						t.Errorf("%+v", got)
					}
				}
				if got := p.many("found", 40); !slices.Equal(got, want) {
					t.Errorf("%q", got)
				}
				if got := p.next("refused"); len(got.Messages) != 1 {
					t.Errorf("%+v", got)
				}
				p.next("over")
			})
		}
	}
}
