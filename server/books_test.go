package server

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// Bytes are those of the stream, compressed as it is, on every path: no heads of
// responses.
func TestDeliveredBytesAreTheStreams(t *testing.T) {
	for path, gate := range map[string]func(testing.TB, ...func(*Options)) *gate{"shard": newTCPGate, "goroutine": newTLSGate} {
		g := gate(t)
		for i := range 3 {
			g.post(i+1, "ann", "hello")
		}
		for _, coding := range []string{"identity", "gzip", "zstd"} {
			response := g.do("GET", "/stream?since=1h&limit=3", "", "Accept-Encoding: "+coding)
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, "over", func() bool { return g.server.clients.Len() == 0 })
			if got := metric(t, g, `aviary_delivered_bytes_total{encoding="`+coding+`"}`); got != fmt.Sprint(len(body)) {
				t.Errorf("%s, %s: %s bytes in the metrics, %d came", path, coding, got, len(body))
			}
		}
	}
}

// A body that does not come is answered, although its time is up.
func TestBodyThatStopsIsAnswered(t *testing.T) {
	g := newTCPGate(t, func(o *Options) { o.WriteTimeout = 200 * time.Millisecond })
	c, err := g.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST /stream HTTP/1.1\r\nHost: gate\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ntrack=")
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", response.StatusCode)
	}
}
