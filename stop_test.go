package main

import (
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

// SIGHUP: the fatal refusal of a wrong secret is left with the right one.
func TestHangupReadsSecretsAgainAndLeavesAHalt(t *testing.T) {
	fake, environ := fakeTwitter(t)
	path := scratch(t, "secret", "wrong\n")
	environ = slices.DeleteFunc(environ, func(e string) bool { return strings.HasPrefix(e, "AVIARY_TWITTER_CONSUMER_SECRET=") })
	g := start(t, nil, append(environ, "AVIARY_TWITTER_CONSUMER_SECRET_FILE="+path)...)
	halted := func() bool {
		_, status := g.get("/status")
		return strings.Contains(status, `"state":"halted"`)
	}
	eventually(t, "the halt", halted)
	g.signals <- syscall.SIGHUP // the secret is still wrong
	eventually(t, "another refusal", func() bool { return fake.Stats().Refused == 2 && halted() })

	if err := os.WriteFile(path, []byte(sim.DefaultCredentials.ConsumerSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	g.signals <- syscall.SIGHUP
	connected(t, fake)
	if strings.Contains(g.log.String(), sim.DefaultCredentials.ConsumerSecret) {
		t.Error("the log shows a secret")
	}
}

// SIGHUP leaves a halt, but not a wait: that is what the upstream asked for.
func TestHangupDoesNotCutAWaitShort(t *testing.T) {
	fake, environ := fakeTwitter(t, "AVIARY_BACKOFF_HTTP=1h", "AVIARY_BACKOFF_HTTP_MAX=1h")
	_ = fake.Close() // from now on it refuses with 503
	g := start(t, nil, environ...)
	waits := func() bool { _, status := g.get("/status"); return strings.Contains(status, `"state":"backing_off"`) }
	eventually(t, "the wait", waits)
	asked := fake.Stats().Connects
	g.signals <- syscall.SIGHUP
	eventually(t, "the secrets", func() bool { return strings.Contains(g.log.String(), "read again") })
	if !waits() || fake.Stats().Connects != asked {
		t.Errorf("asked %d times, then %d", asked, fake.Stats().Connects)
	}
}

// deaf connects a client that never reads and fills everything between it and
// the gateway.
func deaf(t *testing.T, g *running, fake *sim.Server) {
	t.Helper()
	connected(t, fake)
	host := strings.TrimPrefix(g.url, "http://")
	c, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Write([]byte("GET /stream HTTP/1.1\r\nHost: " + host + "\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the client", func() bool { _, status := g.get("/status"); return strings.Contains(status, `"clients":1`) })
	long := strings.Repeat("go ", 5000)
	for range 600 { // about 18 MB, more than two kernels' buffers
		say(fake, long)
	}
	eventually(t, "the posts", func() bool { _, status := g.get("/status"); return strings.Contains(status, `"events":600,`) })
}

func TestGoodbyeEndsAtDrain(t *testing.T) {
	fake, environ := fakeTwitter(t, "AVIARY_DRAIN=700ms", "AVIARY_WRITE_TIMEOUT=1h")
	g := start(t, nil, environ...)
	deaf(t, g, fake)
	began := time.Now()
	g.signals <- syscall.SIGTERM
	if code := g.exits(); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	if took := time.Since(began); took < 600*time.Millisecond { // and not an hour: see exits
		t.Errorf("goodbye took %v", took)
	}
}

// While a client is waited for the listener is open, and says it is not ready.
// A second signal ends the waiting.
func TestSecondSignalEndsTheDrain(t *testing.T) {
	fake, environ := fakeTwitter(t, "AVIARY_DRAIN=1h", "AVIARY_WRITE_TIMEOUT=1h")
	g := start(t, nil, environ...)
	deaf(t, g, fake)
	g.signals <- syscall.SIGTERM
	eventually(t, "the drain", func() bool { code, _ := g.get("/readyz"); return code == http.StatusServiceUnavailable })
	if code, _ := g.get("/healthz"); code != http.StatusOK {
		t.Errorf("healthz while draining is %d", code)
	}
	late := g.open("", "")
	late.until("bye")
	late.ends()
	select {
	case code := <-g.exit:
		t.Fatalf("nobody waits for the client: exit code %d", code)
	case <-time.After(200 * time.Millisecond):
	}
	g.signals <- syscall.SIGINT
	if code := g.exits(); code != exitFailed {
		t.Errorf("exit code %d", code)
	}
}

// A listener that dies while the program runs ends it, in order and with 1.
func TestFailureWhileRunning(t *testing.T) {
	fake, environ := fakeTwitter(t)
	g := start(t, nil, environ...)
	connected(t, fake)
	client := g.open("", "")
	client.until("hello")
	_ = g.listeners[1].Close()
	client.until("bye")
	if code := g.exits(); code != exitFailed || !strings.Contains(g.log.String(), "the admin listener failed") {
		t.Errorf("exit code %d", code)
	}
}
