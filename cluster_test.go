package main

import (
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

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
	f.streaming()
	all := stop()
	client.has(all[len(all)-1].id)
	got = append(got, client.posts()...)
	var want []string
	for _, p := range all {
		want = append(want, p.id)
	}
	if f.starved() { // what there was is one sequence all the same
		want = slices.DeleteFunc(want, func(id string) bool { return !slices.Contains(got, id) })
	}
	if !slices.Equal(got, want) {
		at := differ(got, want)
		t.Errorf("%d posts on the way, %d were made; they differ from number %d on: %q instead of %q, after client %d", len(got), len(want), at, got[at:min(at+5, len(got))], want[max(0, at-5):min(at+5, len(want))], hop[min(at, len(hop)-1)])
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
	f.ends(stop, client)
	f.neverMore(2)
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
	if f.fake.Stats().Connects != connects && !f.starved() {
		t.Error("a deploy of the edge touches the stream")
	}
}

// What an operator asks of any node holds for all: a reconnect after a halt, a delete.
func TestOperatorAsksAnyNode(t *testing.T) {
	f := newFleet(t, 2, "AVIARY_NATS_URL="+startNATS(t))
	f.add()
	f.add()
	leader, follower := f.leads()
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
