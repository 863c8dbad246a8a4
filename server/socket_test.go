package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"aviary/fanout"

	"github.com/r3labs/sse/v2"
)

var goVersion = runtime.Version()

// patient is how long tests wait for what is sure to come. No promise has a part in
// it: it is for a machine that has much else to do.
const patient = time.Minute

// eventually waits for what the kernel and other goroutines still have to do.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patient); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after %v: not %s", patient, what)
		}
	}
}

// One client stops reading while 10 MB go out, far more than a socket holds. The others get every post, in
// order, and the stalled one is closed and costs little. (A reader that gets nothing of
// the machine for so long is a stalled one, too: hence the long timeout.)
func TestStalledReaderHarmsNobody(t *testing.T) {
	t.Parallel() // it mostly waits
	hub := fanout.NewHub(fanout.Config{Events: 20000})
	defer hub.Close()
	g := newTCPGate(t, func(o *Options) { o.Hub = hub; o.WriteTimeout = 6 * time.Second })
	stalled, err := net.Dial("tcp", strings.TrimPrefix(g.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	fmt.Fprint(stalled, "GET /stream HTTP/1.1\r\nHost: gate\r\n\r\n")

	const readers, posts, size = 8, 640, 16 << 10
	var reading sync.WaitGroup
	for range readers {
		s := g.stream("/stream?payload=full")
		reading.Go(func() {
			for i := range posts {
				if f := s.next(); f.event != "" || !strings.HasPrefix(f.data, fmt.Sprintf(`{"id":%d,`, i+1)) {
					t.Errorf("post %d: %.100s", i+1, f)
					return
				}
			}
		})
	}
	eventually(t, "all streaming", func() bool { return g.server.clients.Len() == readers+1 })
	text := strings.Repeat("x", size)
	began := time.Now()
	for i := range posts {
		g.post(i+1, "7", text)
		if i%10 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	published := time.Since(began)
	reading.Wait()
	t.Logf("%d MB published in %v, read by all in %v", posts*size>>20, published, time.Since(began))
	eventually(t, "closed", func() bool { return metric(t, g, `aviary_client_closes_total{reason="too_slow"}`) == "1" })
	// Reset: what the kernel held is gone, and the client knows that this was no end.
	if n, err := io.Copy(io.Discard, stalled); err == nil {
		t.Errorf("the stalled client's stream ended after %d bytes as if it were whole", n)
	}
}

// certificate makes a throw-away certificate for 127.0.0.1.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func newTLSGate(t testing.TB, change ...func(*Options)) *gate {
	g := newTCPGate(t, change...)
	cert, pool := certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	secure := g.server.NewHTTP(g.server.Public())
	secure.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}}
	var serving sync.WaitGroup
	serving.Go(func() { _ = secure.ServeTLS(l, "", "") })
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, DisableCompression: true}
	t.Cleanup(func() { transport.CloseIdleConnections(); secure.Close(); serving.Wait() })
	g.client = &http.Client{Transport: transport}
	g.url = "https://" + l.Addr().String()
	return g
}

func TestHTTP2(t *testing.T) {
	t.Parallel() // it mostly waits
	g := newTLSGate(t, func(o *Options) { o.WriteTimeout = 5 * time.Second; o.Heartbeat = time.Hour })
	resp := g.do("GET", "/stream", "")
	if resp.ProtoMajor != 2 {
		t.Fatalf("%s, want HTTP/2", resp.Proto)
	}
	for _, h := range []string{"Connection", "Transfer-Encoding", "Keep-Alive"} {
		if v, found := resp.Header[h]; found {
			t.Errorf("%s: %q has no place in HTTP/2", h, v)
		}
	}
	s := newReader(t, resp.Body)
	s.next()
	g.post(1, "7", "go")
	s.ids(1)
	time.Sleep(5500 * time.Millisecond) // a deadline left standing would end the stream here
	g.post(2, "7", strings.Repeat("x", 300<<10))
	g.post(3, "7", "go")
	if got := s.ids(2); got[1] != "3" {
		t.Error(got)
	}
	if err := g.server.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	expectBye(t, s, "draining")
}

// A stream of HTTP/2 that is not read is reset; its neighbours on the same
// connection live on.
func TestHTTP2StalledStream(t *testing.T) {
	t.Parallel() // it mostly waits
	g := newTLSGate(t, func(o *Options) { o.WriteTimeout = 5 * time.Second })
	good := g.stream("/stream?track=small")
	stalled := g.do("GET", "/stream?track=large", "")
	if stalled.ProtoMajor != 2 {
		t.Fatal(stalled.Proto)
	}
	eventually(t, "streaming", func() bool { return g.server.clients.Len() == 2 })
	for i := range 100 { // beyond the client's window of 4 MB
		g.post(1+i, "7", "large "+strings.Repeat("x", 100<<10))
	}
	eventually(t, "closed", func() bool { return metric(t, g, `aviary_client_closes_total{reason="too_slow"}`) == "1" })
	g.post(1000, "7", "small")
	if got := good.ids(1); got[0] != "1000" {
		t.Error(got)
	}
}

func TestSocketOptionsLeaveStreamsWhole(t *testing.T) {
	g := newTCPGate(t)
	s := g.stream("/stream")
	big := strings.Repeat("y", 900<<10) // many writes, far beyond what the socket holds
	g.post(1, "7", big)
	if f := s.next(); len(f.data) < 900<<10 || idOf(t, f.data) != "1" {
		t.Errorf("%d bytes", len(f.data))
	}
}

func TestR3LabsReadsTheWire(t *testing.T) {
	g := newTCPGate(t)
	client := sse.NewClient(g.url + "/stream?since=1h")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for i := range 5 {
		g.post(1+i, "7", "line\r\nbreaks \u2028 and \x00 nul")
	}
	g.delete(5)
	got := make(chan *sse.Event, 16)
	var reading sync.WaitGroup
	reading.Go(func() { _ = client.SubscribeRawWithContext(ctx, func(e *sse.Event) { got <- e }) })
	defer reading.Wait()
	defer stop()
	// What was deleted meanwhile comes first.
	var names []string
	for len(names) < 6 {
		select {
		case e := <-got:
			if len(e.Data) == 0 {
				continue
			}
			name := string(e.Event)
			if name == "" {
				name = idOf(t, string(e.Data))
			}
			names = append(names, name)
		case <-time.After(patient):
			t.Fatalf("only %v", names)
		}
	}
	if have := strings.Join(names, " "); have != "hello delete 1 2 3 4" {
		t.Errorf("%q", have)
	}
}

// Ten thousand clients that come and go leave nothing behind.
func TestTenThousandConnectsLeaveNothing(t *testing.T) {
	g := newTCPGate(t)
	addr := strings.TrimPrefix(g.url, "http://")
	visit := func() {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		fmt.Fprint(c, "GET /stream?track=go HTTP/1.1\r\nHost: gate\r\n\r\n")
		b := make([]byte, 4096)
		if n, err := c.Read(b); err != nil || !strings.HasPrefix(string(b[:n]), "HTTP/1.1 200") {
			t.Errorf("%v %.100q", err, b[:n])
		}
		if tc, ok := c.(*net.TCPConn); ok {
			_ = tc.SetLinger(0) // no TIME_WAIT: ports are for others
		}
	}
	visits := func(n int) {
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				for range n / 20 {
					visit()
				}
			})
		}
		all.Wait()
		eventually(t, "all gone", func() bool { return g.server.clients.Len() == 0 })
	}
	state := func() (int, uint64) {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), m.HeapAlloc
	}
	visits(1000) // pools and maps take their size
	goroutines, heap := state()
	visits(9000)
	eventually(t, "as few goroutines as before", func() bool { n, _ := state(); return n <= goroutines })
	eventually(t, "as small a heap as before, but for a MB", func() bool { _, after := state(); return after <= heap+(1<<20) })
	if st := g.hub.Stats(); st.Subscriptions != 0 || st.Filters != 0 {
		t.Errorf("the hub still has %d subscriptions, %d filters", st.Subscriptions, st.Filters)
	}
}
