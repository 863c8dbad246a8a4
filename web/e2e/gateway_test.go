package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

// world is one gateway process and the simulator that is its upstream.
type world struct {
	t       *testing.T
	sim     *sim.Server
	url     string // of the gateway
	environ []string
	process *exec.Cmd
	log     *logBuffer
}

// logBuffer is written by the process and read by the test.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// newWorld starts both. With a rate of 0 the simulator sends only what the test
// posts. The settings come on top of those that point at the simulator.
func newWorld(t *testing.T, rate float64, settings ...string) *world {
	t.Helper()
	w := &world{t: t, sim: sim.New(sim.Config{Rate: rate, Seed: 7}), log: &logBuffer{}}
	upstream := httptest.NewServer(w.sim)
	address := freeAddress(t)
	w.url = "http://" + address
	w.environ = append(w.sim.Settings(upstream.URL),
		"AVIARY_LISTEN="+address, "AVIARY_ADMIN_LISTEN=off", "AVIARY_RETRY=300ms", "AVIARY_DRAIN=1s",
		"AVIARY_BACKOFF_NETWORK=100ms", "PATH=/usr/bin:/bin")
	w.environ = append(w.environ, settings...)
	t.Cleanup(func() {
		w.stop()
		_ = w.sim.Close()
		upstream.Close()
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", w.log)
		}
	})
	w.start()
	return w
}

// freeAddress is a loopback address that nobody listens on. The gateway must come
// back to it after a restart, so it is none that the system gives to connections.
func freeAddress(t *testing.T) string {
	t.Helper()
	const from, to = 12000, 32000
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", from+rand.IntN(to-from)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("there is no port to listen on")
	return ""
}

// start runs the gateway and returns when it has its stream.
func (w *world) start() {
	w.t.Helper()
	w.process = exec.Command(binary)
	w.process.Env = w.environ
	w.process.Stdout, w.process.Stderr = w.log, w.log
	if err := w.process.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.eventually("a gateway that has its stream", func() bool {
		answer, err := http.Get(w.url + "/status")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return bytes.Contains(body, []byte(`"state":"streaming"`)) || bytes.Contains(body, []byte(`"state":"halted"`)) || w.sim.Stats().Streams > 0
	})
}

// stop asks the gateway to end, and waits for that.
func (w *world) stop() {
	if w.process == nil {
		return
	}
	_ = w.process.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		_ = w.process.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		_ = w.process.Process.Kill()
		<-done
		w.t.Error("the gateway did not end when it was asked to")
	}
	w.process = nil
	w.eventually("a simulator without a stream", func() bool { return w.sim.Stats().Streams == 0 })
}

// post sends a post with a plain text and returns its id.
func (w *world) post(text string) string {
	return w.sim.Post(sim.Draft{Text: text + " go"}).ID
}

// posts sends n posts named by their number, "lead 0" first.
func (w *world) posts(lead string, n int) (ids []string) {
	for i := range n {
		ids = append(ids, w.post(fmt.Sprintf("%s %d", lead, i)))
	}
	return ids
}

func (w *world) eventually(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// held waits until the gateway holds n events, so that a page that opens now
// begins with them.
func (w *world) held(n int) {
	w.t.Helper()
	w.eventually(fmt.Sprintf("%d events in the history", n), func() bool {
		answer, err := http.Get(w.url + "/status")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		var have int
		if _, rest, found := strings.Cut(string(body), `"events":`); found {
			_, _ = fmt.Sscanf(rest, "%d", &have)
		}
		return have >= n
	})
}
