package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter/sim"
)

// fakeTwitter is a silent simulator on a real port, and the settings that point at it.
func fakeTwitter(t *testing.T, more ...string) (*sim.Server, []string) {
	t.Helper()
	fake := sim.New(sim.Config{})
	web := httptest.NewServer(fake)
	t.Cleanup(web.Close)
	t.Cleanup(func() { _ = fake.Close() })
	c := sim.DefaultCredentials
	return fake, append([]string{
		"AVIARY_SOURCE=twitter", "AVIARY_TRACK=go,rust", "AVIARY_TWITTER_STREAM_URL=" + web.URL,
		"AVIARY_TWITTER_CONSUMER_KEY=" + c.ConsumerKey, "AVIARY_TWITTER_CONSUMER_SECRET=" + c.ConsumerSecret,
		"AVIARY_TWITTER_ACCESS_TOKEN=" + c.AccessToken, "AVIARY_TWITTER_ACCESS_SECRET=" + c.AccessSecret,
	}, more...)
}

func say(fake *sim.Server, texts ...string) {
	for _, text := range texts {
		fake.Post(sim.Draft{Text: text})
	}
}

// connected waits for the gateway's stream at the simulator.
func connected(t *testing.T, fake *sim.Server) {
	t.Helper()
	eventually(t, "the upstream stream", func() bool { return fake.Stats().Streams == 1 })
}

// The main job on real sockets: a filtered stream, a client that dies and
// comes back, and a goodbye.
func TestStreamResumeAndDrain(t *testing.T) {
	fake, environ := fakeTwitter(t, "AVIARY_RETRY=100ms", "AVIARY_DRAIN=2s")
	g := start(t, nil, environ...)
	connected(t, fake)

	client := g.open("track=go", "")
	hello := client.until("hello")
	var said struct {
		Hello struct{ Resumed, Source, Filter string }
	}
	if err := json.Unmarshal([]byte(hello.data), &said); err != nil || said.Hello.Resumed != "live" || said.Hello.Source != "twitter" || said.Hello.Filter != "track=go" {
		t.Errorf("hello says %s (%v)", hello.data, err)
	}
	say(fake, "go 1", "rust 1", "go 2", "rust 2", "go 3")
	if got := client.posts(3); !slices.Equal(got, numbered("go", 1, 3)) {
		t.Errorf("the filtered stream brings %q", got)
	}
	client.close() // killed
	say(fake, "go 4", "rust 3", "go 5")

	back := g.open("track=go", client.lastID)
	if hello := back.until("hello"); !strings.Contains(hello.data, `"resumed":"full"`) {
		t.Errorf("resumed: %s", hello.data)
	}
	say(fake, "go 6")
	if got := back.posts(3); !slices.Equal(got, numbered("go", 4, 3)) {
		t.Errorf("after coming back: %q", got)
	}

	g.signals <- syscall.SIGTERM
	if bye := back.until("bye"); !strings.Contains(bye.data, `"reason":"draining"`) || back.retry < 100 || back.retry > 2100 {
		t.Errorf("goodbye is %s, retry %d", bye.data, back.retry)
	}
	back.ends()
	if code := g.exits(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	eventually(t, "the upstream's end", func() bool { return fake.Stats().Streams == 0 })
	if _, err := g.client.Get(g.url + "/healthz"); err == nil {
		t.Error("the listener is still open")
	}
}

// With nothing set the program runs on its simulator, and says so. Here it does
// in virtual time and over pipes: minutes pass at once. One client stays, one
// is killed ten times and comes back: both get the same.
func TestDefaultInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := start(t, newNetwork())
		stays, all := g.open("track="+simTrack, ""), make(chan []sseEvent)
		go func() { // a pipe has no buffer: who does not read is too slow
			var events []sseEvent
			for {
				e, err := stays.next()
				if err != nil {
					all <- events
					return
				}
				events = append(events, e)
			}
		}()
		comes := g.open("track="+simTrack, "")
		comes.until("hello")
		var got []string
		for range 10 {
			for range 5 {
				e := comes.until("")
				got = append(got, e.subject())
				if !strings.Contains(strings.ToLower(e.data), simTrack) {
					t.Errorf("%s does not match %s", e.data, simTrack)
				}
			}
			comes.close()
			time.Sleep(5 * time.Second)
			comes = g.open("track="+simTrack, comes.lastID)
		}
		comes.close()
		for _, words := range []string{"simulated data", strings.Replace(g.url, "127.0.0.1", "localhost", 1) + "/", "curl -N", "AVIARY_SOURCE=twitter"} {
			if !strings.Contains(g.log.String(), words) {
				t.Errorf("the first lines of the log do not say %q", words)
			}
		}
		g.cancel()
		events := <-all
		var want, deleted []string
		for _, e := range events {
			switch e.name {
			case "":
				want = append(want, e.subject())
			case "delete":
				deleted = append(deleted, e.subject())
			}
		}
		// A post that was deleted meanwhile is not for who comes later.
		gone := func(id string) bool { return slices.Contains(deleted, id) }
		got, want = slices.DeleteFunc(got, gone), slices.DeleteFunc(want, gone)
		want = want[:min(len(want), len(got))]
		if len(got) < 40 || !slices.Equal(got, want) {
			t.Errorf("who came back got %q, who stayed %q", got, want)
		}
		if last := events[len(events)-1]; events[0].name != "hello" || last.name != "bye" {
			t.Errorf("who stayed was greeted with %+v and left with %+v", events[0], last)
		}
		if code := g.stop(); code != exitOK {
			t.Errorf("exit code %d", code)
		}
	})
}

// Not ready before the first data; live all the time.
func TestReadiness(t *testing.T) {
	fake, environ := fakeTwitter(t)
	fake.Close() // nobody there: no first data
	g := start(t, nil, environ...)
	if code, _ := g.get("/healthz"); code != http.StatusOK {
		t.Errorf("healthz %d", code)
	}
	if code, _ := g.get("/readyz"); code != http.StatusServiceUnavailable {
		t.Errorf("readyz without data is %d", code)
	}
	other, environ := fakeTwitter(t)
	ready := start(t, nil, environ...)
	connected(t, other)
	say(other, "go")
	eventually(t, "readiness", func() bool { code, _ := ready.get("/readyz"); return code == http.StatusOK })
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, name := range []string{"AVIARY_LISTEN", "AVIARY_ADMIN_LISTEN"} {
		errs := &lockedBuffer{}
		code := run(context.Background(), &program{
			environ: []string{"AVIARY_LISTEN=127.0.0.1:0", "AVIARY_ADMIN_LISTEN=off", name + "=" + taken.Addr().String()},
			listen:  net.Listen, err: errs,
		})
		if text := errs.String(); code != exitFailed || !strings.Contains(text, name+"="+taken.Addr().String()) || !strings.Contains(text, "in use") || !strings.Contains(text, "another port") {
			t.Errorf("%s in use: exit code %d, %s", name, code, text)
		}
	}
}

func TestDescriptorAndMemoryLimits(t *testing.T) {
	s, _ := load([]string{"AVIARY_HISTORY_BYTES=100MiB"})
	errs := &lockedBuffer{}
	var limit int64
	p := &program{err: errs, descriptors: func() (int, error) { return 1000, nil }, memoryLimit: func(n int64) { limit = n }}
	g := &gateway{p: p, log: newLogger(p, s)}
	g.limits(s)
	if s.MaxClients != 1000-reservedDescriptors || g.wanted != 50000 {
		t.Errorf("%d clients of %d with 1000 descriptors", s.MaxClients, g.wanted)
	}
	if want := int64(250<<20 + 872*40<<10 + 128<<20); limit != want {
		t.Errorf("memory limit %d, not %d", limit, want)
	}
	limit, p.environ = 0, []string{"GOMEMLIMIT=1GiB"}
	if g.limits(s); limit != 0 {
		t.Error("GOMEMLIMIT is overridden")
	}
}

// TLS: HTTP/2, the healthcheck, and a certificate that is renewed by SIGHUP.
func TestTLS(t *testing.T) {
	fake, environ := fakeTwitter(t)
	cert, key := selfSigned(t)
	g := start(t, nil, append(environ, "AVIARY_TLS_CERT_FILE="+cert, "AVIARY_TLS_KEY_FILE="+key)...)
	connected(t, fake)
	g.url = "https" + strings.TrimPrefix(g.url, "http")
	g.client.Transport = &http.Transport{ForceAttemptHTTP2: true, DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}

	response, err := g.client.Get(g.url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.ProtoMajor != 2 {
		t.Errorf("TLS speaks %s", response.Proto)
	}
	serial := response.TLS.PeerCertificates[0].SerialNumber
	client := g.open("track=go", "")
	client.until("hello")
	say(fake, "rust 1", "go 1")
	if got := client.posts(1); got[0] != "go 1" {
		t.Errorf("over HTTP/2 comes %q", got)
	}
	var out, errs lockedBuffer
	if code := run(context.Background(), &program{
		args: []string{"healthcheck"}, dial: new(net.Dialer).DialContext, out: &out, err: &errs,
		environ: []string{"AVIARY_LISTEN=" + strings.TrimPrefix(g.url, "https://"), "AVIARY_TLS_CERT_FILE=" + cert, "AVIARY_TLS_KEY_FILE=" + key},
	}); code != exitOK {
		t.Errorf("healthcheck exits with %d: %s", code, errs.String())
	}

	newCert, newKey := selfSigned(t)
	for from, to := range map[string]string{newCert: cert, newKey: key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	g.signals <- syscall.SIGHUP
	eventually(t, "the new certificate", func() bool {
		response, err := g.client.Get(g.url + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.TLS.PeerCertificates[0].SerialNumber.Cmp(serial) != 0
	})
	g.cancel()
	client.until("bye")
}

// The README's examples are understood.
func TestReadmeExamples(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, environ...)
	connected(t, fake)
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile(`localhost:8080(/stream\?[^'"\s]+)`).FindAllStringSubmatch(string(readme), -1)
	if len(examples) < 8 {
		t.Fatalf("only %d examples are found", len(examples))
	}
	for _, example := range examples {
		response, err := g.client.Get(g.url + example[1])
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", example[1], response.Status)
		}
	}
}
