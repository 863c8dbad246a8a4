package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"
)

// lockedBuffer is a writer for several goroutines.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// running is a gateway that runs inside a test.
type running struct {
	t       *testing.T
	url     string // of the public listener
	admin   string // of the admin listener
	client  *http.Client
	log     *lockedBuffer
	signals chan os.Signal
	exit    chan int
	cancel  context.CancelFunc

	listeners []net.Listener // public, admin, and the simulator's if it has one
}

// start runs a gateway with the settings on loopback ports of its own: real
// ones, or those of a network in memory.
func start(t *testing.T, n *network, environ ...string) *running {
	t.Helper()
	g := &running{t: t, log: &lockedBuffer{}, signals: make(chan os.Signal, 2), exit: make(chan int, 1)}
	listen, dial := listen, new(net.Dialer).DialContext
	if n != nil {
		listen, dial = n.listen, n.dial
	}
	opened := make(chan net.Listener, 8)
	ctx, cancel := context.WithCancel(context.Background())
	g.cancel = cancel
	p := &program{
		environ: append([]string{"AVIARY_LISTEN=127.0.0.1:0", "AVIARY_ADMIN_LISTEN=127.0.0.1:0"}, environ...),
		listen: func(network, address string) (net.Listener, error) {
			l, err := listen(network, address)
			if err == nil {
				opened <- l
			}
			return l, err
		},
		dial: dial, out: io.Discard, err: g.log, signals: g.signals,
	}
	go func() { g.exit <- run(ctx, p) }()
	for _, at := range []*string{&g.url, &g.admin} {
		select {
		case l := <-opened:
			*at = "http://" + l.Addr().String()
			g.listeners = append(g.listeners, l)
		case code := <-g.exit:
			t.Fatalf("the gateway exits with %d:\n%s", code, g.log)
		}
	}
	transport := &http.Transport{DialContext: dial, DisableCompression: true}
	g.client = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		g.stop()
		if t.Failed() {
			t.Logf("the gateway's log:\n%s", g.log)
		}
	})
	return g
}

// stop asks the gateway to stop and returns its exit code. Asking again gives the same.
func (g *running) stop() int {
	g.cancel()
	code := <-g.exit
	g.exit <- code
	return code
}

// exits waits until the gateway has ended by itself and returns its exit code.
func (g *running) exits() int {
	g.t.Helper()
	select {
	case code := <-g.exit:
		g.exit <- code
		return code
	case <-time.After(patient):
		g.t.Fatal("the gateway does not exit")
		return -1
	}
}

// get fetches a path of the public listener.
func (g *running) get(path string) (int, string) { return fetch(g.t, g.client, g.url+path) }

func fetch(t *testing.T, client *http.Client, url string) (int, string) {
	t.Helper()
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// patient is how long tests wait for what is sure to come. No promise has a part in
// it: it is for a machine that has much else to do.
const patient = time.Minute

// eventually waits for what goroutines of the gateway bring about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patient); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for " + what)
		}
	}
}

// numbered makes n texts.
func numbered(lead string, from, n int) []string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = fmt.Sprintf("%s %d", lead, from+i)
	}
	return texts
}
