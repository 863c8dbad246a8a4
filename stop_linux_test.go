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
			eventually(t, "a client", func() bool { return s.connected.Load() > 0 })
			time.Sleep(c.after)
			asked := time.Now()
			g.signals <- syscall.SIGTERM
			if code := g.exits(); code != exitOK {
				t.Errorf("exit code %d", code)
			}
			took := time.Since(asked)
			s.clients.Wait()
			t.Logf("stopped in %v: %d were answered, %d refused, %d slow to ask", took, s.answered.Load(), s.refused.Load(), s.slow.Load())
			for _, cut := range s.cut {
				if took < resting {
					t.Error(cut)
				} else { // nobody is waited for longer
					t.Log(cut)
				}
			}
			if s.answered.Load() == 0 && s.slow.Load() == 0 || s.refused.Load() == 0 {
				t.Error("this shows nothing")
			}
		})
	}
}

// storm is clients that connect again and again until they are refused.
type storm struct {
	t          *testing.T
	host, path string
	tls        bool

	clients                            sync.WaitGroup
	connected, answered, refused, slow atomic.Int64

	mu  sync.Mutex
	cut []error // of clients that asked in time and had no whole answer
}

// prompt is how soon a client asks that means to be answered: a gateway that stops
// does not see connections whose clients have not asked yet, and listens on for some
// fifty milliseconds.
const prompt = 20 * time.Millisecond

// failed notes that a client had no whole answer.
func (s *storm) failed(asked time.Duration, what string, err error) {
	if asked > prompt {
		s.slow.Add(1)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = append(s.cut, fmt.Errorf("%s: %w", what, err))
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
	began := time.Now()
	c, err := net.DialTimeout("tcp", s.host, patient)
	if errors.Is(err, syscall.ECONNREFUSED) {
		s.refused.Add(1)
		return false
	}
	if err != nil {
		s.t.Error(err)
		return false
	}
	defer c.Close()
	s.connected.Add(1)
	_ = c.SetDeadline(time.Now().Add(patient))
	if s.tls {
		c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	}
	_, err = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", s.path, s.host)
	asked := time.Since(began)
	if err != nil {
		s.failed(asked, "the request", err)
		return false
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		s.failed(asked, "the answer", err)
		return false
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.failed(asked, "the answer's body", err)
		return false
	}
	if s.path == "/stream" && !strings.Contains(string(body), "draining") {
		s.t.Errorf("%s: the stream ends without a word: %q", resp.Status, body)
	}
	s.answered.Add(1)
	return true
}
