package main

import (
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
)

// times is how often a test does what it is about: few times in `make test`, as
// often as the long run asks for in `make chaos`.
func times(few, many int) int {
	if os.Getenv("CHAOS") != "" {
		return many
	}
	return few
}

func TestLeaderIsKilled(t *testing.T) {
	const streams = 2
	f := newFleet(t, streams, "AVIARY_NATS_URL="+startNATS(t))
	for range 3 {
		f.add()
	}
	var took []time.Duration
	for range times(2, 20) {
		leader := f.streaming()
		follower := f.nodes[0]
		if follower == leader {
			follower = f.nodes[1]
		}
		client := follower.listen("")
		stop := f.talk(5 * time.Millisecond)
		time.Sleep(200 * time.Millisecond)
		connects, killed := f.fake.Stats().Connects, time.Now()
		leader.kill()
		eventually(t, "another stream", func() bool { s := f.fake.Stats(); return s.Connects > connects && s.Streams == 1 })
		took = append(took, time.Since(killed))
		f.streaming()
		time.Sleep(settle)
		all := stop()
		client.has(all[len(all)-1].id)
		if missing := client.follows(all); missing == 0 {
			t.Error("nothing is missing after a kill: the posts prove nothing")
		}
		client.close()
		f.add()
	}
	slices.Sort(took)
	t.Logf("a new stream after %v", took)
	if median := took[len(took)/2]; median > 3*time.Second {
		t.Errorf("the median is %v", median)
	}
	if most := f.fake.Stats().Most; most > streams {
		t.Errorf("%d streams at once", most)
	}
}

// SIGTERM of the leader: the next one streams before the old one lets go.
func TestLeaderHandsOver(t *testing.T) {
	const streams = 2
	f := newFleet(t, streams, "AVIARY_NATS_URL="+startNATS(t))
	for range 3 {
		f.add()
	}
	for range times(2, 20) {
		leader := f.streaming()
		follower := f.nodes[0]
		if follower == leader {
			follower = f.nodes[1]
		}
		client := follower.listen("")
		stop := f.talk(5 * time.Millisecond)
		time.Sleep(100 * time.Millisecond)
		connects, asked := f.fake.Stats().Connects, time.Now()
		leader.signal(syscall.SIGTERM)
		eventually(t, "another stream", func() bool { return f.fake.Stats().Connects > connects })
		took := time.Since(asked)
		<-leader.exited
		t.Logf("a new stream after %v, exit after %v", took, time.Since(asked))
		if took > 500*time.Millisecond*slack {
			t.Errorf("a new stream takes %v", took)
		}
		if code := leader.cmd.ProcessState.ExitCode(); code != exitOK {
			t.Errorf("exit code %d", code)
		}
		f.remove(leader)
		f.streaming()
		time.Sleep(settle)
		all := stop()
		client.has(all[len(all)-1].id)
		if missing := client.follows(all); missing != 0 {
			t.Errorf("%d posts are lost", missing)
		}
		client.close()
		f.add()
	}
	if most := f.fake.Stats().Most; most > streams {
		t.Errorf("%d streams at once", most)
	}
}

// With one stream allowed there is no overlap: what is lost is told.
func TestLeaderHandsOverItsOnlyStream(t *testing.T) {
	f := newFleet(t, 1, "AVIARY_NATS_URL="+startNATS(t))
	f.add()
	f.add()
	leader := f.streaming()
	follower := f.nodes[0]
	if follower == leader {
		follower = f.nodes[1]
	}
	client := follower.listen("")
	stop := f.talk(5 * time.Millisecond)
	time.Sleep(100 * time.Millisecond)
	leader.signal(syscall.SIGTERM)
	<-leader.exited
	f.remove(leader)
	f.streaming()
	time.Sleep(settle)
	all := stop()
	client.has(all[len(all)-1].id)
	client.follows(all)
	if most := f.fake.Stats().Most; most > 1 {
		t.Errorf("%d streams at once", most)
	}
}

// A leader that was frozen for longer than its lease is none when it wakes: nothing
// of it is delivered, and it closes its stream.
func TestFrozenLeader(t *testing.T) {
	f := newFleet(t, 2, "AVIARY_NATS_URL="+startNATS(t))
	for range 3 {
		f.add()
	}
	for range times(1, 10) {
		leader := f.streaming()
		follower := f.nodes[0]
		if follower == leader {
			follower = f.nodes[1]
		}
		client := follower.listen("")
		stop := f.talk(5 * time.Millisecond)
		time.Sleep(100 * time.Millisecond)
		leader.signal(syscall.SIGSTOP)
		old, _ := follower.status()
		eventually(t, "another leader", func() bool {
			s, _ := follower.status()
			return s.Upstream.State == "streaming" && s.Cluster.Leader != "" && s.Cluster.Leader != old.Cluster.Leader
		})
		time.Sleep(200 * time.Millisecond)
		leader.signal(syscall.SIGCONT)
		f.streaming()
		eventually(t, "the old stream's end", func() bool { return f.fake.Stats().Streams == 1 })
		time.Sleep(settle)
		all := stop()
		client.has(all[len(all)-1].id)
		client.follows(all)
		client.close()
	}
	if most := f.fake.Stats().Most; most > 2 {
		t.Errorf("%d streams at once", most)
	}
}

// A client that goes from node to node with its last event id gets one sequence.
func TestClientHops(t *testing.T) {
	f := newFleet(t, 2, "AVIARY_NATS_URL="+startNATS(t))
	for range 3 {
		f.add()
	}
	f.streaming()
	client := f.nodes[0].listen("")
	stop := f.talk(2 * time.Millisecond)
	var got []string
	var hop []int
	for i := range times(60, 1000) {
		eventually(t, "a post", func() bool { return len(client.posts()) > 2 })
		client.close()
		<-client.ended
		got = append(got, client.posts()...)
		for len(hop) < len(got) {
			hop = append(hop, i)
		}
		client = f.nodes[(i+1)%3].listen(client.lastID())
	}
	all := stop()
	client.has(all[len(all)-1].id)
	got = append(got, client.posts()...)
	var want []string
	for _, p := range all {
		want = append(want, p.id)
	}
	if !slices.Equal(got, want) {
		at := differ(got, want)
		t.Errorf("%d posts on the way, %d were made; they differ from number %d on: %q instead of %q, after client %d", len(got), len(want), at, got[at:min(at+5, len(got))], want[max(0, at-5):min(at+5, len(want))], hop[at])
	}
}

func differ(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// A node that is cut off from NATS says so, serves its history, and catches up. One
// that leads lets the upstream go.
func TestNodeIsCutOff(t *testing.T) {
	nats := startNATS(t)
	f := newFleet(t, 2)
	f.add("AVIARY_NATS_URL=" + nats)
	f.streaming() // and not the one that is cut off
	wire, through := newCable(t, nats)
	far := f.add("AVIARY_NATS_URL=" + through)
	f.streaming()
	client := far.listen("")
	stop := f.talk(5 * time.Millisecond)
	eventually(t, "posts", func() bool { return len(client.posts()) > 10 })
	wire.set(true)
	eventually(t, "the node's word that it is cut off", func() bool {
		s, _ := far.status()
		return s.Upstream.State == "backing_off" && strings.Contains(s.Upstream.Error, "cut off") && s.Cluster.Bus.State == "cut_off"
	})
	eventually(t, "the same for its clients", func() bool {
		return slices.ContainsFunc(client.all(), func(e sseEvent) bool { return e.name == "upstream" && strings.Contains(e.data, "cut off") })
	})
	refuses(t, "POST", far.admin+"/upstream/reconnect", "could not be told", "NATS cannot be reached")
	refuses(t, "DELETE", far.admin+"/posts/1", "could not be published", "NATS cannot be reached")
	late := far.listen("")
	late.close()
	history := (&running{t: t, url: far.url, client: http.DefaultClient}).open("since=1h&limit=5", "")
	if got := history.posts(5); len(got) != 5 {
		t.Errorf("history of the node that is cut off: %q", got)
	}
	if code, _ := fetch(t, http.DefaultClient, far.url+"/readyz"); code != 200 {
		t.Errorf("readyz of a node with a history: %d", code)
	}
	time.Sleep(300 * time.Millisecond)
	wire.set(false)
	f.streaming()
	time.Sleep(settle)
	all := stop()
	client.has(all[len(all)-1].id)
	client.follows(all)
	if most := f.fake.Stats().Most; most > 2 {
		t.Errorf("%d streams at once", most)
	}
}

// Roles: ingest holds the upstream and serves nobody, an edge the other way round,
// without any secret of the source.
func TestRoles(t *testing.T) {
	nats := startNATS(t)
	f := newFleet(t, 2, "AVIARY_NATS_URL="+nats)
	secrets := f.environ
	f.environ = []string{"AVIARY_NATS_URL=" + nats, "AVIARY_SOURCE=twitter", "AVIARY_ROLE=edge", "AVIARY_DRAIN=1s"}
	edge := f.add()
	eventually(t, "the edge", func() bool { s, ok := edge.status(); return ok && s.Cluster.Bus.State == "ok" })
	if code, _ := fetch(t, http.DefaultClient, edge.url+"/readyz"); code != 503 {
		t.Errorf("readyz before any data is %d", code)
	}
	time.Sleep(500 * time.Millisecond)
	if n := f.fake.Stats().Connects; n != 0 {
		t.Errorf("the edge connects upstream: %d", n)
	}
	f.environ = secrets
	ingest := f.add("AVIARY_ROLE=ingest")
	if leader := f.streaming(); leader != ingest {
		t.Error("the edge leads")
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/status": 200, "/stream": 503, "/": 503, "/search?q=go": 503} {
		if code, body := fetch(t, http.DefaultClient, ingest.url+path); code != want || code == 503 && !strings.Contains(body, "ROLE=edge") {
			t.Errorf("ingest answers %s with %d: %s", path, code, body)
		}
	}
	if code, body := fetch(t, http.DefaultClient, edge.url+"/search?q=go"); code != 501 {
		t.Errorf("search at an edge without secrets: %d %s", code, body)
	}
	client := edge.listen("")
	p := f.fake.Post(goDraft)
	client.has(p.ID)

	// A new edge has what the old one had; taking it away does not touch the stream.
	connects := f.fake.Stats().Connects
	edge.signal(syscall.SIGTERM)
	<-edge.exited
	f.remove(edge)
	again := f.add("AVIARY_ROLE=edge")
	f.streaming()
	(&running{t: t, url: again.url, client: http.DefaultClient}).open("since=1h&limit=1", "").posts(1)
	if f.fake.Stats().Connects != connects {
		t.Error("a deploy of the edge touches the stream")
	}
}

// What an operator asks of any node holds for all: a reconnect after a halt, a delete.
func TestOperatorAsksAnyNode(t *testing.T) {
	f := newFleet(t, 2, "AVIARY_NATS_URL="+startNATS(t))
	f.add()
	f.add()
	leader := f.streaming()
	follower := f.nodes[0]
	if follower == leader {
		follower = f.nodes[1]
	}
	p := f.fake.Post(goDraft)
	for _, m := range f.nodes {
		(&running{t: t, url: m.url, client: http.DefaultClient}).open("since=1h&limit=1", "").posts(1)
	}
	client := leader.listen("")
	asks(t, "DELETE", follower.admin+"/posts/"+p.ID, `{"held":1,"published":1}`)
	eventually(t, "the delete at the other node", func() bool {
		return slices.ContainsFunc(client.all(), func(e sseEvent) bool { return e.name == "delete" && e.subject() == p.ID })
	})
	for _, m := range f.nodes { // who knows it already publishes nothing
		asks(t, "DELETE", m.admin+"/posts/"+p.ID, `{"held":0,"published":0}`)
	}
	if s, _ := follower.status(); s.History.Events != 1 { // the delete itself
		t.Errorf("%d events are held", s.History.Events)
	}

	if err := f.fake.Do("disconnect 6"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the halt at both nodes", func() bool {
		for _, m := range f.nodes {
			if s, ok := m.status(); !ok || s.Upstream.State != "halted" {
				return false
			}
		}
		return true
	})
	// A halt stays a halt when its leader is gone.
	connects := f.fake.Stats().Connects
	leader.kill()
	eventually(t, "the next leader", func() bool {
		s, _ := follower.status()
		return s.Cluster.Leader == s.Cluster.Node && s.Upstream.State == "halted"
	})
	if f.fake.Stats().Connects != connects {
		t.Error("the next leader tries what must not be tried")
	}
	other := f.add()
	eventually(t, "the new node", func() bool { s, _ := other.status(); return s.Cluster.Leader != "" })
	asks(t, "POST", other.admin+"/upstream/reconnect", `{"reconnecting":true}`)
	f.streaming()
}

// settle is enough for a post to be made after a stream has opened: the last one is
// then not among those that a gap is to tell.
const settle = 100 * time.Millisecond

// slack is what the race detector and a busy machine cost: bounds in time that are
// not the test's own subject are that much wider.
const slack = 4

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

// goDraft is a post that the fleet asks for.
var goDraft = sim.Draft{Text: "go"}
