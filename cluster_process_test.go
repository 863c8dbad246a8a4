package main

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"
)

// Three gateways in this process, under the race detector if the tests are: a stream
// through every change of leader, and a goodbye.
func TestThreeGatewaysInOneProcess(t *testing.T) {
	f := newFleet(t, 2, "AVIARY_NATS_URL="+startNATS(t))
	var nodes []*running
	leads := func() *running {
		for _, g := range nodes {
			if s, ok := askStatus(g.client, g.url); ok && s.Upstream.State == "streaming" && s.Cluster.Leader == s.Cluster.Node {
				return g
			}
		}
		return nil
	}
	for range 3 {
		g := start(t, nil, f.environ...)
		nodes, f.logs = append(nodes, g), append(f.logs, g.log)
	}
	var leader *running
	led := func() bool { leader = leads(); return leader != nil }
	eventually(t, "a leader", led)
	stop := f.talk(5 * time.Millisecond)
	var last *listener
	late := false
	for len(nodes) > 1 {
		eventually(t, "a leader", led)
		nodes = slices.DeleteFunc(nodes, func(g *running) bool { return g == leader })
		for _, g := range nodes {
			eventually(t, "the history at those who stay", func() bool { code, _ := g.get("/readyz"); return code == http.StatusOK })
		}
		if len(nodes) == 1 {
			last = listenWith(t, nodes[0].url, "since=1h", "")
		}
		connects, asked := f.fake.Stats().Connects, time.Now()
		leader.signals <- syscall.SIGTERM
		eventually(t, "another stream", func() bool { return f.fake.Stats().Connects > connects })
		late = late || time.Since(asked) > publishesOn
		if code := leader.exits(); code != exitOK {
			t.Errorf("exit code %d", code)
		}
	}
	eventually(t, "the last leader", led)
	all := stop()
	last.has(all[len(all)-1].id)
	if missing := last.follows(all); missing != 0 && !late && !f.starved() {
		t.Errorf("%d posts are lost", missing)
	}
	if most := f.fake.Stats().Most; most > 2 {
		t.Errorf("%d streams at once", most)
	}
}

// The configurations that the documents give to nats-server start one that a gateway
// can use.
func TestDocsServerConfigurations(t *testing.T) {
	for name, value := range map[string]string{"GATEWAY_PASSWORD": "h1dden", "ROUTE_PASSWORD": "h1dden", "NODE": "nats-1", "ROUTES": "[nats://nats-1:6222]"} {
		t.Setenv(name, value)
	}
	files, err := filepath.Glob("docs/nats/*.conf")
	if err != nil || len(files) != 2 {
		t.Fatalf("%q: %v", files, err)
	}
	for _, file := range files {
		o, err := natsd.ProcessConfigFile(file)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if o.MaxPayload < 1<<20 || !o.JetStream || o.JetStreamMaxStore < 1<<30 || o.Username != "aviary" || o.Password != "h1dden" {
			t.Errorf("%s is read as %+v", file, o)
		}
	}
	o, err := natsd.ProcessConfigFile("docs/nats/one.conf")
	if err != nil {
		t.Fatal(err)
	}
	o.Host, o.Port, o.StoreDir, o.NoLog, o.NoSigs = "127.0.0.1", -1, t.TempDir(), true, true
	s, err := natsd.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(s.Shutdown)
	if !s.ReadyForConnections(patient) {
		t.Fatal("it does not start")
	}
	_, address, _ := strings.Cut(s.ClientURL(), "://")
	address = address[strings.LastIndex(address, "@")+1:]

	f := newFleet(t, 2)
	denied := start(t, nil, append(f.environ, "AVIARY_NATS_URL=nats://aviary:wr0ng@"+address)...)
	eventually(t, "words about the password", func() bool {
		state, ok := askStatus(denied.client, denied.url)
		return ok && state.Cluster.Bus.State == "opening" && strings.Contains(strings.ToLower(state.Cluster.Bus.Error), "authorization")
	})
	right := start(t, nil, append(f.environ, "AVIARY_NATS_URL=nats://aviary:h1dden@"+address)...)
	eventually(t, "the stream", func() bool {
		state, ok := askStatus(right.client, right.url)
		return ok && state.Upstream.State == "streaming"
	})
	for _, g := range []*running{denied, right} {
		_, status := g.get("/status")
		if said := g.log.String() + status; strings.Contains(said, "h1dden") || strings.Contains(said, "wr0ng") {
			t.Errorf("a password is shown: %s", said)
		}
	}
}

// A store that is made anew while gateways run: their clients are sent away and told
// that the history is another one.
func TestStoreIsMadeAnew(t *testing.T) {
	nats := startNATS(t)
	f := newFleet(t, 2, "AVIARY_NATS_URL="+nats)
	g := start(t, nil, f.environ...)
	streaming := func() bool { s, _ := askStatus(g.client, g.url); return s.Upstream.State == "streaming" }
	eventually(t, "the stream", streaming)
	client := listenWith(t, g.url, "", "")
	p := f.fake.Post(goDraft)
	client.has(p.ID)

	js := jetStreamOf(t, nats)
	if err := js.DeleteStream(t.Context(), "aviary"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the client's end", func() bool {
		return slices.ContainsFunc(client.all(), func(e sseEvent) bool { return e.name == "bye" })
	})
	<-client.ended
	eventually(t, "the stream again", streaming)
	old := client.all()[0].id
	back := listenWith(t, g.url, "", client.lastID())
	eventually(t, "a post in the new history", func() bool {
		p := f.fake.Post(goDraft)
		time.Sleep(20 * time.Millisecond)
		return slices.Contains(back.posts(), p.ID)
	})
	if is := back.all()[0].id; old[:6] == is[:6] {
		t.Errorf("the epoch of %s is that of %s", is, old)
	}
}
