package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"aviary/upstream/twitter/sim"
)

// swallower leads to a NATS server. What comes over the connections of a publisher goes
// nowhere while it is on.
type swallower struct {
	net.Listener
	on atomic.Bool
}

func newSwallower(t *testing.T, to string) (s *swallower, url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	s = &swallower{Listener: listener}
	host := strings.TrimPrefix(to, "nats://")
	go func() {
		for {
			here, err := listener.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", host)
			if err != nil {
				_ = here.Close()
				continue
			}
			go s.lead(here, there)
		}
	}()
	return s, "nats://" + listener.Addr().String()
}

func (s *swallower) lead(here, there net.Conn) {
	defer here.Close()
	defer there.Close()
	go func() {
		defer here.Close()
		defer there.Close()
		buffer := make([]byte, 64<<10)
		for {
			n, err := there.Read(buffer)
			if err != nil {
				return
			}
			if _, err := here.Write(buffer[:n]); err != nil {
				return
			}
		}
	}()
	publisher := false
	buffer := make([]byte, 64<<10)
	for {
		n, err := here.Read(buffer)
		if err != nil {
			return
		}
		publisher = publisher || bytes.Contains(buffer[:n], []byte("aviary publisher"))
		if publisher && s.on.Load() {
			continue
		}
		if _, err := there.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// A leader whose posts are not stored says so, and so do the nodes that have no trouble
// of their own: they have no posts either.
func TestLeadersPostsAreNotStored(t *testing.T) {
	nats := startNATS(t)
	wire, through := newSwallower(t, nats)
	f := newFleet(t, 2)
	leader := f.add("AVIARY_NATS_URL=" + through)
	f.streaming()
	follower, edge := f.add("AVIARY_NATS_URL="+nats), f.add("AVIARY_NATS_URL="+nats, "AVIARY_ROLE=edge")
	f.streaming()
	client := edge.listen("")
	wire.on.Store(true)
	stop := f.talk(20 * time.Millisecond)
	for _, m := range []*member{leader, follower, edge} {
		eventually(t, "its word", func() bool {
			s, _ := m.status()
			return s.Upstream.State == "backing_off" && strings.Contains(s.Upstream.Error, "messages are not stored")
		})
	}
	if s, _ := follower.status(); s.Cluster.Bus.State != "ok" || s.Cluster.Leader == "" || !strings.Contains(s.Upstream.Error, "the node that holds the upstream") {
		t.Errorf("the follower says %+v", s)
	}
	_, metrics := fetch(t, http.DefaultClient, edge.admin+"/metrics")
	if !strings.Contains(metrics, `aviary_upstream_state{state="backing_off"} 1`) {
		t.Error("the metrics say something else")
	}
	wire.on.Store(false)
	f.streaming()
	all := stop()
	client.has(all[len(all)-1].id)
	if missing := client.follows(all); missing != 0 && !f.starved() {
		t.Errorf("%d posts are lost", missing)
	}
}

// Nobody who may lead, a bus on which nobody can, and nodes that would ask for
// something else: each is told in words.
func TestLeaderIsMissing(t *testing.T) {
	nats := startNATS(t)
	f := newFleet(t, 2, "AVIARY_NATS_URL="+nats)
	edge := f.add("AVIARY_ROLE=edge")
	says := func(m *member, words string) {
		t.Helper()
		agreed(t, words, func() bool {
			s, _ := m.status()
			return s.Cluster.Bus != nil && strings.Contains(s.Upstream.Error+s.Cluster.Bus.Error, words)
		})
	}
	says(edge, "no node holds the upstream")
	node := f.add()
	f.streaming()
	other := f.add("AVIARY_TRACK=stop")
	says(other, "with other settings")
	for _, m := range []*member{node, edge} {
		if s, _ := m.status(); s.Cluster.Bus.Error != "" {
			t.Errorf("%s is told of: %+v", m.url, s)
		}
	}
	other.kill()
	if os.Getenv("CHAOS") == "" {
		return // `make chaos` goes on
	}

	// The store of the leases takes nothing any more, as with a disk that failed.
	js := jetStreamOf(t, nats)
	ctx := context.Background()
	stream, err := js.Stream(ctx, "KV_AVIARY_LEASE")
	if err != nil {
		t.Fatal(err)
	}
	config := stream.CachedInfo().Config
	config.Sealed = true
	if _, err := js.UpdateStream(ctx, config); err != nil {
		t.Fatal(err)
	}
	says(node, "no node can hold the lease")
	says(edge, "no node")
	if n := f.fake.Stats().Streams; n != 0 {
		t.Errorf("%d streams are open without a lease", n)
	}
	if err := js.DeleteStream(ctx, "KV_AVIARY_LEASE"); err != nil {
		t.Fatal(err)
	}
	f.streaming()
	p := f.fake.Post(sim.Draft{Text: "go"})
	client := node.listenQuery("since=1m", "")
	client.has(p.ID)
}

// The bucket of leases, or a key in it, is removed while a leader streams: there is
// another leader soon, and never a second stream.
func TestLeaderLosesItsLease(t *testing.T) {
	nats := startNATS(t)
	f := newFleet(t, 1, "AVIARY_NATS_URL="+nats)
	f.add()
	f.add()
	js := jetStreamOf(t, nats)
	ctx := context.Background()
	for round := range times(3, 12) {
		f.streaming()
		client := f.nodes[0].listen("")
		stop := f.talk(5 * time.Millisecond)
		client.begins()
		connects := f.fake.Stats().Connects
		stream, err := js.Stream(ctx, "KV_AVIARY_LEASE")
		if err != nil {
			t.Fatal(err)
		}
		switch round % 3 {
		case 0:
			err = js.DeleteStream(ctx, "KV_AVIARY_LEASE")
		case 1:
			err = stream.Purge(ctx)
		case 2:
			err = stream.Purge(ctx, jetstream.WithPurgeSubject("$KV.AVIARY_LEASE.leader"))
		}
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "another stream", func() bool { s := f.fake.Stats(); return s.Connects > connects && s.Streams == 1 })
		f.streaming()
		all := stop()
		client.has(all[len(all)-1].id)
		client.follows(all)
		client.close()
	}
	if most := f.fake.Stats().Most; most > 1 {
		t.Errorf("%d streams at once", most)
	}
}
