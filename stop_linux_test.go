package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The gateway is asked to stop while clients connect as fast as they can: whoever got
// a connection gets an answer, and nobody is reset.
func TestStopInAStormOfConnects(t *testing.T) {
	cert, key := selfSigned(t)
	tls := []string{"AVIARY_TLS_CERT_FILE=" + cert, "AVIARY_TLS_KEY_FILE=" + key}
	for name, c := range map[string]struct {
		path    string
		clients int
		after   time.Duration
		environ []string
	}{
		"streams at once": {"/stream", 50, 0, nil},
		"streams":         {"/stream", 50, 100 * time.Millisecond, nil},
		"others":          {"/healthz", 50, 100 * time.Millisecond, nil},
		"TLS streams":     {"/stream", 10, 0, tls},
		"TLS others":      {"/healthz", 10, 100 * time.Millisecond, tls},
	} {
		t.Run(name, func(t *testing.T) {
			g := start(t, nil, c.environ...)
			s := &storm{t: t, host: strings.TrimPrefix(g.url, "http://"), path: c.path, tls: c.environ != nil}
			s.begin(c.clients)
			time.Sleep(c.after)
			g.signals <- syscall.SIGTERM
			if code := g.exits(); code != exitOK {
				t.Errorf("exit code %d", code)
			}
			s.clients.Wait()
			if s.answered.Load() == 0 || s.refused.Load() == 0 {
				t.Errorf("%d were answered and %d refused: this shows nothing", s.answered.Load(), s.refused.Load())
			}
		})
	}
}

// storm is clients that connect again and again until they are refused.
type storm struct {
	t          *testing.T
	host, path string
	tls        bool

	clients           sync.WaitGroup
	answered, refused atomic.Int64
}

func (s *storm) begin(clients int) {
	for range clients {
		s.clients.Go(func() {
			for s.client() {
			}
		})
	}
}

// client asks once; false: the gateway is gone.
func (s *storm) client() bool {
	c, err := net.DialTimeout("tcp", s.host, 10*time.Second)
	if errors.Is(err, syscall.ECONNREFUSED) {
		s.refused.Add(1)
		return false
	}
	if err != nil {
		s.t.Error(err)
		return false
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if s.tls {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	}
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", s.path, s.host); err != nil {
		s.t.Errorf("the request: %v", err)
		return false
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		s.t.Errorf("the answer: %v", err)
		return false
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Errorf("the answer's body: %v", err)
		return false
	}
	if s.path == "/stream" && !strings.Contains(string(body), "draining") {
		s.t.Errorf("%s: the stream ends without a word: %q", resp.Status, body)
	}
	s.answered.Add(1)
	return true
}
