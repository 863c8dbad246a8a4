package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter/sim"
)

// fakeIn serves a simulator in a network in memory.
func fakeIn(t *testing.T, n *network, c sim.Config) *sim.Server {
	t.Helper()
	fake := sim.New(c)
	l, err := n.listen("tcp", "127.0.0.1:9100")
	if err != nil {
		t.Fatal(err)
	}
	web := &http.Server{Handler: fake}
	go func() { _ = web.Serve(l) }()
	t.Cleanup(func() { _ = fake.Close(); _ = web.Close() })
	return fake
}

// demanded runs a gateway on a simulator in virtual time, a second after the stream
// has begun.
func demanded(t *testing.T, c sim.Config, x bool, do func(t *testing.T, fake *sim.Server, g *running), environ ...string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		fake := fakeIn(t, n, c)
		settings := fake.Settings
		if x {
			settings = fake.SettingsX
		}
		g := start(t, n, append(settings("http://127.0.0.1:9100"), environ...)...)
		time.Sleep(time.Second)
		do(t, fake, g)
		g.stop()
	})
}

// polite reports an error if the upstream saw more streams at once than are allowed,
// or more connects.
func polite(t *testing.T, fake *sim.Server) sim.Stats {
	t.Helper()
	stats := fake.Stats()
	if stats.Most > 2 || stats.Refused != 0 {
		t.Errorf("%+v", stats)
	}
	return stats
}

// asked is GET /upstream/filter.
type askedFor struct {
	Track   string
	InForce bool `json:"in_force"`
	Demand  *struct{ Track, Rules []string }
}

func (g *running) asked() (a askedFor) {
	g.t.Helper()
	_, body := fetch(g.t, g.client, g.admin+"/upstream/filter")
	if err := json.Unmarshal([]byte(body), &a); err != nil {
		g.t.Fatal(err, body)
	}
	return a
}

// put is PUT /upstream/filter.
func (g *running) put(body string) (int, string) {
	g.t.Helper()
	request, err := http.NewRequest(http.MethodPut, g.admin+"/upstream/filter", strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := g.client.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	var said strings.Builder
	_ = response.Write(&said)
	return response.StatusCode, said.String()
}

// ownTerms are terms of an operator's.
func ownTerms(n int) string {
	return strings.Join(numbered("own", 0, n), ",")
}

// read discards a stream's events, so that it is no slow client.
func (s *stream) read() { go func() { _, _ = io.Copy(io.Discard, s.body) }() }

// gaps reads a stream to its end and passes on what its gap events say, and how
// many posts came.
func (s *stream) gaps() (<-chan string, *atomic.Int64) {
	gaps, posts := make(chan string, 16), new(atomic.Int64)
	go func() {
		defer close(gaps)
		for {
			e, err := s.next()
			switch {
			case err != nil:
				return
			case e.name == "gap":
				gaps <- e.data
			case e.name == "":
				posts.Add(1)
			}
		}
	}()
	return gaps, posts
}
