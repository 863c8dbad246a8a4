package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"

	"aviary/upstream/twitter/sim"
)

// startNATS runs a NATS server with JetStream inside the test, on a port of its own.
func startNATS(t *testing.T) string {
	t.Helper()
	url, _ := startNATSServer(t)
	return url
}

func startNATSServer(t *testing.T) (url string, s *natsd.Server) {
	t.Helper()
	s, err := natsd.NewServer(&natsd.Options{
		Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("nats-server does not start")
	}
	return s.ClientURL(), s
}

// cable is a TCP proxy that can be cut: what goes through it stops, and nobody gets
// through, until it is mended.
type cable struct {
	listener net.Listener
	to       string

	mu   sync.Mutex
	cut  bool
	open map[net.Conn]bool
}

// newCable leads to the host of a URL; url is that URL through the cable.
func newCable(t *testing.T, to string) (c *cable, url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme, host, _ := strings.Cut(to, "://")
	c = &cable{listener: listener, to: host, open: map[net.Conn]bool{}}
	go c.accept()
	t.Cleanup(func() {
		_ = listener.Close()
		c.set(true)
	})
	return c, scheme + "://" + listener.Addr().String()
}

func (c *cable) accept() {
	for {
		here, err := c.listener.Accept()
		if err != nil {
			return
		}
		there, err := net.Dial("tcp", c.to)
		if err != nil || !c.lead(here, there) {
			_ = here.Close()
			if err == nil {
				_ = there.Close()
			}
		}
	}
}

// lead copies both ways until one end closes.
func (c *cable) lead(here, there net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut {
		return false
	}
	c.open[here], c.open[there] = true, true
	copyTo := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, end := range []net.Conn{here, there} {
			_ = end.Close()
			delete(c.open, end)
		}
	}
	go copyTo(here, there)
	go copyTo(there, here)
	return true
}

// set cuts the cable, or mends it.
func (c *cable) set(cut bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = cut
	if cut {
		for end := range c.open {
			_ = end.Close()
		}
	}
}

// fleet is gateways as processes of their own on one NATS server and one upstream.
type fleet struct {
	t       *testing.T
	fake    *sim.Server
	environ []string // what is the same for all
	nodes   []*member
}

// member is one gateway of a fleet.
type member struct {
	f      *fleet
	cmd    *exec.Cmd
	url    string
	admin  string
	log    *lockedBuffer
	exited chan struct{}
}

// newFleet prepares a fleet over a simulator that allows so many streams at once.
func newFleet(t *testing.T, streams int, more ...string) *fleet {
	t.Helper()
	return newFleetWith(t, simConfig{streams: streams}, more...)
}

// simConfig is what the simulator of a fleet allows.
type simConfig struct{ streams, searches int }

func newFleetWith(t *testing.T, allowed simConfig, more ...string) *fleet {
	t.Helper()
	fake := sim.New(sim.Config{MaxStreams: allowed.streams, SearchLimit: allowed.searches, KeepAlive: 100 * time.Millisecond})
	web := httptest.NewServer(fake)
	t.Cleanup(web.Close)
	t.Cleanup(func() { _ = fake.Close() })
	environ := append(fake.Settings(web.URL), "AVIARY_TRACK=go", fmt.Sprint("AVIARY_STREAM_LIMIT=", allowed.streams), "AVIARY_LOG_FORMAT=json", "AVIARY_DRAIN=2s", "AVIARY_RETRY=50ms")
	return &fleet{t: t, fake: fake, environ: append(environ, more...)}
}

// add starts another node and waits until it answers.
func (f *fleet) add(more ...string) *member {
	f.t.Helper()
	m := &member{f: f, exited: make(chan struct{})}
	admin := "127.0.0.1:" + freePort(f.t)
	m.admin = "http://" + admin
	environ := append(append([]string{}, f.environ...), more...)
	m.cmd, m.url, m.log = startBinary(f.t, append(environ, "AVIARY_ADMIN_LISTEN="+admin)...)
	go func() {
		defer close(m.exited)
		_ = m.cmd.Wait()
	}()
	f.t.Cleanup(func() {
		_ = m.cmd.Process.Signal(syscall.SIGCONT)
		_ = m.cmd.Process.Kill()
		<-m.exited
		if f.t.Failed() {
			f.t.Logf("the log of %s:\n%s", m.url, m.log)
		}
	})
	f.nodes = append(f.nodes, m)
	return m
}

// remove takes a node that was stopped out of the fleet.
func (f *fleet) remove(m *member) {
	for i, n := range f.nodes {
		if n == m {
			f.nodes = append(f.nodes[:i:i], f.nodes[i+1:]...)
		}
	}
}

// state is the part of /status that these tests read.
type state struct {
	Upstream struct{ State, Error string }
	History  struct{ Events int }
	Cluster  struct {
		Node, Leader, Role string
		LagS               float64 `json:"lag_s"`
		Bus                *struct{ Kind, State, Error, Hint string }
	}
}

// status asks a node; ok is false if it does not answer.
func (m *member) status() (s state, ok bool) { return askStatus(http.DefaultClient, m.url) }

func askStatus(client *http.Client, url string) (s state, ok bool) {
	response, err := client.Get(url + "/status")
	if err != nil {
		return s, false
	}
	defer response.Body.Close()
	return s, json.NewDecoder(response.Body).Decode(&s) == nil
}

// streaming waits until every node says that the upstream streams, and that all
// know the same leader, and returns it.
func (f *fleet) streaming() (leader *member) {
	f.t.Helper()
	eventually(f.t, "one leader that streams", func() bool {
		leader = nil
		names := map[string]bool{}
		for _, m := range f.nodes {
			s, ok := m.status()
			if !ok || s.Upstream.State != "streaming" || s.Cluster.Bus == nil || s.Cluster.Bus.State != "ok" {
				return false
			}
			names[s.Cluster.Leader] = true
			if s.Cluster.Leader == s.Cluster.Node {
				leader = m
			}
		}
		return leader != nil && len(names) == 1
	})
	return leader
}

// posted is a post that the simulator made.
type posted struct {
	id string
	at time.Time
}

// talk posts every so often until stop is called, which returns all posts.
func (f *fleet) talk(every time.Duration) (stop func() []posted) {
	var all []posted
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-quit:
				return
			case <-t.C:
				p := f.fake.Post(sim.Draft{Text: fmt.Sprint("go ", len(all))})
				all = append(all, posted{p.ID, time.Now()})
			}
		}
	}()
	return func() []posted {
		close(quit)
		<-done
		return all
	}
}

// listener reads a node's stream for as long as it is there.
type listener struct {
	t      *testing.T
	mu     sync.Mutex
	events []sseEvent
	last   string // the last event id
	ended  chan struct{}
	close  func()
}

// listen opens a stream and waits for its hello.
func (m *member) listen(lastID string) *listener {
	m.f.t.Helper()
	return listenWith(m.f.t, m.url, "", lastID)
}

func listenWith(t *testing.T, url, query, lastID string) *listener {
	t.Helper()
	g := &running{t: t, url: url, client: http.DefaultClient}
	s := g.open(query, lastID)
	s.until("hello")
	l := &listener{t: t, ended: make(chan struct{}), close: s.close}
	go func() {
		defer close(l.ended)
		for {
			e, err := s.next()
			l.mu.Lock()
			l.last = s.lastID
			if err == nil {
				l.events = append(l.events, e)
			}
			l.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return l
}

// all is what came so far.
func (l *listener) all() []sseEvent {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]sseEvent(nil), l.events...)
}

// lastID is the last event id.
func (l *listener) lastID() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}

// posts are the ids of the posts that came so far.
func (l *listener) posts() (ids []string) {
	for _, e := range l.all() {
		if e.name == "" {
			ids = append(ids, e.subject())
		}
	}
	return ids
}

// has waits until a post has come.
func (l *listener) has(id string) {
	l.t.Helper()
	defer func() {
		if l.t.Failed() {
			for _, e := range last(l.all(), 5) {
				l.t.Logf("among the last events that came: %s %s %.200s", e.id, e.name, e.data)
			}
		}
	}()
	eventually(l.t, "post "+id, func() bool {
		for _, got := range l.posts() {
			if got == id {
				return true
			}
		}
		return false
	})
}

func last[T any](all []T, n int) []T { return all[max(0, len(all)-n):] }

// gap is what a gap event says.
type gap struct {
	Gap struct {
		Reason   string
		From, To time.Time
	}
}

// follows checks what a client got against what was posted while it listened: in
// order, nothing twice, and what is missing lies within a gap that was told right
// before the next post.
func (l *listener) follows(all []posted) (missing int) {
	l.t.Helper()
	place := map[string]int{}
	for i, p := range all {
		place[p.id] = i
	}
	next, told := 0, []gap(nil)
	for _, e := range l.all() {
		switch e.name {
		case "gap":
			var g gap
			if err := json.Unmarshal([]byte(e.data), &g); err != nil {
				l.t.Error(err)
			}
			told = append(told, g)
		case "":
			at, ours := place[e.subject()]
			if !ours {
				continue
			}
			if at < next {
				l.t.Errorf("post %d comes after %d", at, next-1)
				return missing
			}
			for ; next < at; next++ {
				missing++
				if !covered(all[next].at, told) {
					l.t.Errorf("post %d of %v is missing, and the gaps before the next post are %+v", next, all[next].at.Format(time.StampMilli), told)
					return missing
				}
			}
			next, told = at+1, nil
		}
	}
	if next != len(all) {
		l.t.Errorf("ends with post %d of %d", next, len(all))
	}
	return missing
}

// covered says that a gap covers the time. The clocks are one, but a post is on
// its way for some milliseconds.
func covered(at time.Time, gaps []gap) bool {
	const way = 100 * time.Millisecond
	for _, g := range gaps {
		if g.Gap.Reason == "upstream" && at.After(g.Gap.From.Add(-way)) && at.Before(g.Gap.To.Add(way)) {
			return true
		}
	}
	return false
}

// kill ends the node like a power cut.
func (m *member) kill() {
	_ = m.cmd.Process.Kill()
	<-m.exited
	m.f.remove(m)
}

func (m *member) signal(s os.Signal) { _ = m.cmd.Process.Signal(s) }

// runs is a gateway that ended by itself.
type runs struct {
	code int
	log  string
}

// runToEnd runs the program until it ends by itself.
func runToEnd(t *testing.T, environ ...string) runs {
	t.Helper()
	c := exec.Command(binary())
	c.Env = environ
	log := &lockedBuffer{}
	c.Stderr = log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(20*time.Second, func() { _ = c.Process.Kill() })
	defer late.Stop()
	_ = c.Wait()
	return runs{c.ProcessState.ExitCode(), log.String()}
}
