package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

// fleet is gateways as processes of their own on one NATS server and one upstream.
type fleet struct {
	t       *testing.T
	fake    *sim.Server
	environ []string // what is the same for all
	nodes   []*member
	logs    []*lockedBuffer // of all nodes that there ever were
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
	environ := append(append([]string{}, f.environ...), more...)
	m.cmd, m.url, m.log = startBinary(f.t, append(environ, "AVIARY_ADMIN_LISTEN=127.0.0.1:0")...)
	m.admin = "http://" + logged(m.log, "admin")
	go func() {
		defer close(m.exited)
		_ = m.cmd.Wait()
	}()
	f.t.Cleanup(func() {
		_ = m.cmd.Process.Signal(syscall.SIGCONT)
		_ = m.cmd.Process.Kill()
		<-m.exited
	})
	f.nodes, f.logs = append(f.nodes, m), append(f.logs, m.log)
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

// leads is streaming that names a follower too.
func (f *fleet) leads() (leader, follower *member) {
	f.t.Helper()
	leader = f.streaming()
	for _, m := range f.nodes {
		if m != leader {
			return leader, m
		}
	}
	f.t.Fatal("there is no follower")
	return nil, nil
}

// neverMore checks how many streams the upstream ever had open at once.
func (f *fleet) neverMore(streams int) {
	f.t.Helper()
	if most := f.fake.Stats().Most; most > streams {
		f.t.Errorf("%d streams at once", most)
	}
}

// posted is a post that the simulator made, at some time between two.
type posted struct {
	id         string
	from, upTo time.Time
}

// talk posts every so often until stop is called, which makes the last post and returns
// all. Whoever knows then that the upstream streams knows that the last one comes.
func (f *fleet) talk(every time.Duration) (stop func() []posted) {
	var all []posted
	post := func() {
		began := time.Now()
		p := f.fake.Post(sim.Draft{Text: fmt.Sprint("go ", len(all))})
		all = append(all, posted{p.ID, began, time.Now()})
	}
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
				post()
			}
		}
	}()
	return func() []posted {
		close(quit)
		<-done
		post()
		return all
	}
}

// ends ends a talk once the upstream streams, and checks what a client got of it: see
// listener.follows.
func (f *fleet) ends(stop func() []posted, client *listener) (missing int) {
	f.t.Helper()
	f.streaming()
	all := stop()
	client.has(all[len(all)-1].id)
	return client.follows(all)
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
	late := time.AfterFunc(patient, func() { _ = c.Process.Kill() })
	defer late.Stop()
	_ = c.Wait()
	return runs{c.ProcessState.ExitCode(), log.String()}
}

// times is how often a test does what it is about: few times in `make test`, as
// often as the long run asks for in `make chaos`.
func times(few, many int) int {
	if measured() {
		return many
	}
	return few
}

// measured says that this run is one that holds the program to its times, which `make
// chaos` does and no test beside others: there the machine would be measured.
func measured() bool { return os.Getenv("CHAOS") != "" }

// starved says that a node had so little of the machine that it lost its lease. Then a
// stream is opened anew and what is lost is told, as ever; what holds while leases are
// kept, a test cannot ask for.
func (f *fleet) starved() bool {
	for _, log := range f.logs {
		if strings.Contains(log.String(), "was not renewed in time") {
			f.t.Log("a node had too little of the machine to keep its lease")
			return true
		}
	}
	return false
}

// goDraft is a post that the fleet asks for.
var goDraft = sim.Draft{Text: "go"}

func asks(t *testing.T, method, url, want string) {
	t.Helper()
	if got := request(t, method, url); strings.TrimSpace(got) != want {
		t.Errorf("%s %s is answered with %s", method, url, got)
	}
}

// refuses checks that a node cannot do what it is asked, and that it says why.
func refuses(t *testing.T, method, url string, words ...string) {
	t.Helper()
	got := request(t, method, url)
	for _, w := range append(words, `"status":503`) {
		if !strings.Contains(got, w) {
			t.Errorf("%s %s is answered without %q: %s", method, url, w, got)
		}
	}
}

func request(t *testing.T, method, url string) string {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
