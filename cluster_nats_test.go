package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"
)

// The files that the documents give for three servers make a cluster that a gateway
// can use.
func TestDocsThreeServers(t *testing.T) {
	text, err := os.ReadFile("docs/nats/nats.env")
	if err != nil {
		t.Fatal(err)
	}
	var routes []string // ports
	for i := range 3 {
		routes = append(routes, freePort(t))
		text = bytes.ReplaceAll(text, fmt.Appendf(nil, "@nats-%d:6222", i+1), []byte("@127.0.0.1:"+routes[i]))
	}
	password := ""
	for line := range strings.Lines(string(text)) {
		name, value, set := strings.Cut(strings.TrimSpace(line), "=")
		if set && !strings.HasPrefix(line, "#") {
			t.Setenv(name, strings.Trim(value, `"`))
		}
		if name == "GATEWAY_PASSWORD" {
			password = value
		}
	}
	var options []*natsd.Options
	for i, port := range routes {
		t.Setenv("NODE", fmt.Sprint("nats-", i+1))
		o, err := natsd.ProcessConfigFile("docs/nats/three.conf")
		if err != nil {
			t.Fatal(err)
		}
		o.Cluster.Port = number(t, port)
		options = append(options, o)
	}
	c := startNATSServers(t, options)
	f := newFleet(t, 1, "AVIARY_NATS_URL="+c.urls("aviary:"+password+"@"), "AVIARY_NATS_REPLICAS=3")
	f.add()
	f.streaming()
	c.whole("aviary")
}

// Of three NATS servers the one that leads the stream goes, comes back, and the one
// that leads the leases goes. Where others lead at once nobody notices. Where they
// take longer to agree than a lease lasts, up to nine seconds, the upstream's stream
// is closed and opened again, and what was said meanwhile is told; else nothing is lost.
func TestLeaderOfTheBusGoes(t *testing.T) {
	ways := map[string]func(*natsCluster, int){"it retires": (*natsCluster).retire}
	if os.Getenv("CHAOS") != "" {
		ways["it stops"] = (*natsCluster).stop
	}
	for name, take := range ways {
		t.Run(name, func(t *testing.T) {
			connects, missing := busWithout(t, take, times(1, 10), "aviary", "KV_AVIARY_LEASE")
			if connects == 1 && missing != 0 {
				t.Errorf("%d posts are lost by a stream that stayed", missing)
			}
		})
	}
}

// busWithout takes from a cluster, again and again, the server that leads a stream,
// and returns how often the gateways connected upstream, and how many posts are
// missing at a client, all of them told.
func busWithout(t *testing.T, take func(*natsCluster, int), rounds int, streams ...string) (connects, missing int) {
	t.Helper()
	c := startNATSCluster(t)
	f := newFleet(t, 2, "AVIARY_NATS_URL="+c.urls(""), "AVIARY_NATS_REPLICAS=3")
	f.add()
	f.add()
	f.streaming()
	var clients []*listener
	for _, m := range f.nodes {
		clients = append(clients, m.listen(""))
	}
	before := f.fake.Stats().Connects - 1
	stop := f.talk(5 * time.Millisecond)
	for range rounds {
		for _, stream := range streams {
			for _, held := range []string{"aviary", "KV_AVIARY_LEASE", "KV_AVIARY_STATE"} {
				c.whole(held)
			}
			gone, began := c.leads(stream), time.Now()
			take(c, gone)
			p := f.fake.Post(goDraft)
			agreed(t, "posts at all clients", func() bool {
				return !slices.ContainsFunc(clients, func(l *listener) bool {
					got := l.posts()
					return len(got) == 0 || got[len(got)-1] <= p.ID
				})
			})
			t.Logf("the leader of %s went; posts again after %v", stream, time.Since(began))
			c.start(gone)
		}
	}
	agreed(t, "one stream", func() bool { return f.fake.Stats().Streams == 1 })
	f.streaming()
	all := stop()
	for _, l := range clients {
		l.has(all[len(all)-1].id)
		missing = max(missing, l.accounts(all))
	}
	s := f.fake.Stats()
	if s.Most > 2 {
		t.Errorf("%d streams at once", s.Most)
	}
	t.Logf("%d posts, %d missing and told, %d connects", len(all), missing, s.Connects-before)
	return s.Connects - before, missing
}
