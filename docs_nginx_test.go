package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// tool finds a program that a test needs and that is not part of Go. Where it
// is missing the test is skipped, loudly; in CI that is a failure, since what
// is skipped there is checked nowhere.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path = "/usr/sbin/" + name // not in the PATH of every user
		_, err = os.Stat(path)
	}
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%s is not installed; `make test-tools` installs it: %v", name, err)
	default:
		t.Skipf("SKIPPED, AND THAT MATTERS: %s is not installed; `make test-tools` installs it", name)
	}
	return path
}

// freePort returns the port of a loopback address that nobody listens on, for whoever
// has to be told one. It lies below those that the system gives away by itself: the
// next connection of anybody could have such a one before it is used.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		if _, given := givenPorts.LoadOrStore(port, true); given {
			continue
		}
		if l, err := net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// givenPorts are those that freePort has returned, so that no two tests get one.
var givenPorts sync.Map

// behindNginx starts nginx with the file that we ship in front of a gateway,
// and returns nginx's URL. Only addresses and places of files are other; change
// holds further pairs of what stands in the file and what to put in its place.
func behindNginx(t *testing.T, gateway string, change ...string) string {
	t.Helper()
	nginx, dir, address := tool(t, "nginx"), t.TempDir(), "127.0.0.1:"+freePort(t)
	conf := readString(t, "docs/proxy/nginx.conf")
	change = append([]string{
		"listen 80;", "listen " + address + ";",
		"server 127.0.0.1:8080;", "server " + strings.TrimPrefix(gateway, "http://") + ";",
		"worker_processes auto;", "worker_processes 1; daemon off; pid nginx.pid;",
		"worker_connections 16384;", "worker_connections 256;",
		"http {\n", "http {\n access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n",
	}, change...)
	for i := 0; i < len(change); i += 2 {
		if strings.Count(conf, change[i]) != 1 {
			t.Fatalf("docs/proxy/nginx.conf does not hold %q once", change[i])
		}
		conf = strings.Replace(conf, change[i], change[i+1], 1)
	}
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	c := exec.Command(nginx, "-p", dir, "-c", "nginx.conf", "-e", "stderr")
	c.Stderr = log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM) // the master takes its worker along
		<-ended
		if t.Failed() {
			t.Logf("nginx says:\n%s", log)
		}
	})
	eventually(t, "nginx", func() bool {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("nginx ends: %v\n%s", err, log)
		default:
		}
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return "http://" + address
}

// Behind nginx with the file we ship, each post arrives by itself: the next one
// is posted only when the last has come through, so a proxy that gathers would
// stop the test. Resuming works, and clients are told apart.
func TestNginx(t *testing.T) {
	tool(t, "nginx") // before anything is started
	fake, environ := fakeTwitter(t, "AVIARY_TRUSTED_PROXIES=127.0.0.1/32", "AVIARY_MAX_CLIENTS_PER_KEY=2", "AVIARY_HEARTBEAT=1h")
	g := start(t, nil, environ...)
	connected(t, fake)
	g.client.Transport.(*http.Transport).ResponseHeaderTimeout = patient // a proxy may hold back even these
	outside := *g                                                        // the same gateway, seen through the proxy
	outside.url = behindNginx(t, g.url)

	for _, query := range []string{"track=go", "track=go&payload=compact"} {
		// An address has two streams, and the end of one gets through nginx in its own time.
		eventually(t, "the end of the streams before", func() bool {
			_, status := g.get("/status")
			return strings.Contains(status, `"clients":0`)
		})
		s := outside.open(query, "")
		within(s.body, func() { s.until("hello") })
		for i := range 20 {
			text := fmt.Sprintf("go %s %d", query[len(query)-3:], i)
			say(fake, text)
			within(s.body, func() {
				if got := s.posts(1); got[0] != text {
					t.Errorf("instead of %q comes %q", text, got[0])
				}
			})
		}
		s.close()
		missed := numbered("go missed", 1, 3)
		say(fake, missed...)
		back := outside.open(query, s.lastID)
		within(back.body, func() {
			if hello := back.until("hello"); !strings.Contains(hello.data, `"resumed":"full"`) {
				t.Errorf("resumed: %s", hello.data)
			}
			if got := back.posts(3); strings.Join(got, ",") != strings.Join(missed, ",") {
				t.Errorf("after coming back: %q", got)
			}
		})
		back.close()
	}

	// NDJSON comes through line by line as well, also as the gateway has compressed it.
	request, err := http.NewRequest(http.MethodGet, outside.url+"/stream?format=ndjson&events=hello", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip")
	request.Header.Set("X-Forwarded-For", "192.0.2.1, 203.0.113.7") // as from a proxy before nginx; the first is a lie
	response, err := g.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if got := response.Header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("Content-Encoding %q, want what the gateway sent: gzip", got)
	}
	var plain *gzip.Reader
	within(response.Body, func() { plain, err = gzip.NewReader(response.Body) })
	if err != nil {
		t.Fatal(err)
	}
	lines := newStream(t, plain).lines
	for i := range 3 {
		within(response.Body, func() {
			if _, err := lines.ReadString('\n'); err != nil {
				t.Error(err)
			}
		})
		say(fake, fmt.Sprintf("go line %d", i))
	}

	// The client is the last address that is no proxy of ours.
	if _, clients := fetch(t, g.client, g.admin+"/clients"); !strings.Contains(clients, `"key":"203.0.113.7"`) || strings.Contains(clients, "192.0.2.1") {
		t.Errorf("the client is not told by X-Forwarded-For: %s", clients)
	}
	again := func(client *http.Client, address string) int {
		request, err := http.NewRequest(http.MethodGet, outside.url+"/stream?format=ndjson", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("X-Forwarded-For", address)
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		return response.StatusCode
	}
	for i, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
		if got := again(g.client, "203.0.113.7"); got != want {
			t.Errorf("stream %d of one address is answered with %d", i+2, got)
		}
	}
	if got := again(g.client, "203.0.113.8"); got != http.StatusOK {
		t.Errorf("another address is answered with %d", got)
	}
	// Who is no proxy of ours is not believed: nginx adds where it comes from.
	liar := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}).DialContext}}
	if got := again(liar, "203.0.113.7"); got != http.StatusOK {
		t.Errorf("somebody else is counted as 203.0.113.7: %d", got)
	}
	if code, body := fetch(t, g.client, outside.url+"/readyz"); code != http.StatusOK {
		t.Errorf("/readyz for this machine: %d %s", code, body)
	}
}

// within closes a stream that holds something back for longer than it may; f,
// which reads it, then fails. Nothing else comes meanwhile: a heartbeat is later.
func within(body io.Closer, f func()) {
	timer := time.AfterFunc(patient, func() { _ = body.Close() })
	defer timer.Stop()
	f()
}
