package bus

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// cluster starts three servers that know each other.
func cluster(t testing.TB) (servers []*server.Server, urls string) {
	t.Helper()
	for range 10 { // a port that is free may be another one's a moment later
		if servers, urls, ok := tryCluster(t); ok {
			return servers, urls
		}
	}
	t.Fatal("the servers did not start")
	return nil, ""
}

func tryCluster(t testing.TB) (servers []*server.Server, urls string, ok bool) {
	t.Helper()
	var routes []*url.URL
	var list []string
	var ports []int
	for range 3 { // JetStream wants to know its routes before it starts
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: l.Addr().String()})
		must(l.Close())
	}
	for i := range 3 {
		s, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprintf("n%d", i), Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
			Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: ports[i]}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers, list = append(servers, s), append(list, s.ClientURL())
	}
	for _, s := range servers {
		if !s.ReadyForConnections(soon / 4) {
			for _, s := range servers {
				s.Shutdown()
			}
			return nil, "", false
		}
	}
	return servers, strings.Join(list, ","), true
}

// Three servers hold each message; the one that leads the stream dies under load:
// nothing acknowledged is lost, and every reader sees the same order.
func TestClusterLosesAServer(t *testing.T) {
	t.Parallel()
	servers, urls := cluster(t)
	b := openBus(t, Config{URL: urls, Replicas: 3, Node: "leader"})
	n := follow(t, b)
	other := follow(t, openBus(t, Config{URL: urls, Replicas: 3, Node: "other"}))
	p := b.Publisher(1, always)
	defer p.Close()
	mark(t, p, 1)
	js, err := b.jetStream()
	must(err)
	stream, err := js.Stream(t.Context(), "aviary")
	must(err)
	leads := stream.CachedInfo().Cluster.Leader
	const many = 2000
	for i := range many {
		if err := p.Publish(testPost(t, i+1)); err != nil {
			t.Fatal(err)
		}
		if i%20 == 0 {
			time.Sleep(5 * time.Millisecond)
		}
		if i == many/2 {
			for _, s := range servers {
				if s.Name() == leads {
					go s.Shutdown()
				}
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*soon)
	defer cancel()
	if err := p.Flush(ctx); err != nil {
		t.Fatalf("%v: %+v", err, b.Status())
	}
	for _, reader := range []*node{n, other} {
		eventually(t, func() error {
			if got := reader.hub.Stats().Posts; got != many {
				return fmt.Errorf("%d posts came: %+v", got, reader.bus.Status())
			}
			return nil
		})
	}
	if n.told() != other.told() {
		t.Error("two readers saw different orders")
	}
	if n.told() != numbers(1, many) {
		t.Log("what was lost of a volley came later: the order of the bus is not that of Publish")
	}
}
