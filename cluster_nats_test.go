package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"
)

// natsCluster is three NATS servers inside the test that hold everything three times.
type natsCluster struct {
	t       *testing.T
	options []*natsd.Options
	servers []*natsd.Server
}

func startNATSCluster(t *testing.T) *natsCluster {
	t.Helper()
	var routes []*url.URL
	var options []*natsd.Options
	for i := range 3 { // a server wants to know its routes before it starts
		route := freePort(t)
		routes = append(routes, &url.URL{Scheme: "nats", Host: "127.0.0.1:" + route})
		options = append(options, &natsd.Options{
			ServerName: fmt.Sprint("nats-", i+1), JetStream: true, Cluster: natsd.ClusterOpts{Name: "aviary", Port: number(t, route)},
		})
	}
	for _, o := range options {
		o.Routes = routes
	}
	return startNATSServers(t, options)
}

// startNATSServers starts three servers on loopback and waits until they are a cluster.
func startNATSServers(t *testing.T, options []*natsd.Options) *natsCluster {
	t.Helper()
	c := &natsCluster{t: t, options: options, servers: make([]*natsd.Server, len(options))}
	for i, o := range options {
		o.Host, o.Port, o.Cluster.Host, o.HTTPPort = "127.0.0.1", number(t, freePort(t)), "127.0.0.1", 0
		o.StoreDir, o.NoLog, o.NoSigs = t.TempDir(), true, true
		o.LameDuckGracePeriod, o.LameDuckDuration = 50*time.Millisecond, 250*time.Millisecond
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range c.servers {
			c.stop(i)
		}
	})
	agreed(t, "a NATS cluster", func() bool {
		led := false
		for _, s := range c.servers {
			led = led || s.JetStreamIsLeader()
		}
		return led
	})
	return c
}

// agreed is eventually for what NATS servers have to agree on: when one of them ends
// without a word the others notice after four to nine seconds.
func agreed(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(40 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain for " + what)
		}
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// urls names all servers, as NATS_URL does; user ends in @, or is none.
func (c *natsCluster) urls(user string) string {
	var all []string
	for _, o := range c.options {
		all = append(all, fmt.Sprintf("nats://%s%s:%d", user, o.Host, o.Port))
	}
	return strings.Join(all, ",")
}

func (c *natsCluster) start(i int) {
	c.t.Helper()
	s, err := natsd.NewServer(c.options[i].Clone())
	if err != nil {
		c.t.Fatal(err)
	}
	s.Start()
	if c.servers[i] = s; !s.ReadyForConnections(10 * time.Second) {
		c.t.Fatal("nats-server does not start")
	}
}

func (c *natsCluster) stop(i int) {
	c.servers[i].Shutdown()
	c.servers[i].WaitForShutdown()
}

// leads is the server that leads a stream.
func (c *natsCluster) leads(stream string) (found int) {
	c.t.Helper()
	agreed(c.t, "a leader of "+stream, func() bool {
		for i, s := range c.servers {
			if s.Running() && s.JetStreamIsStreamLeader(natsd.DEFAULT_GLOBAL_ACCOUNT, stream) {
				found = i
				return true
			}
		}
		return false
	})
	return found
}

// whole waits until every server has all of a stream.
func (c *natsCluster) whole(stream string) {
	c.t.Helper()
	agreed(c.t, "three copies of "+stream, func() bool {
		for _, s := range c.servers {
			if !s.JetStreamIsStreamCurrent(natsd.DEFAULT_GLOBAL_ACCOUNT, stream) {
				return false
			}
		}
		return true
	})
}

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

// retire stops a server as an operator does who cares (nats-server --signal ldm): it
// gives what it leads to others first.
func (c *natsCluster) retire(i int) {
	c.servers[i].LameDuckShutdown()
	c.servers[i].WaitForShutdown()
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

// accounts checks that each post came, and once, or that a gap tells of its time. The
// order is the bus's: when its leader goes, some of a volley may be stored behind others.
func (l *listener) accounts(all []posted) (missing int) {
	l.t.Helper()
	came, late, newest := map[string]int{}, 0, ""
	var told []gap
	for _, e := range l.all() {
		switch e.name {
		case "gap":
			var g gap
			if err := json.Unmarshal([]byte(e.data), &g); err != nil {
				l.t.Error(err)
			}
			told = append(told, g)
		case "":
			id := e.subject()
			if came[id]++; id < newest {
				late++
			}
			newest = max(newest, id)
		}
	}
	for i, p := range all {
		switch n := came[p.id]; {
		case n > 1:
			l.t.Errorf("post %d came %d times", i, n)
		case n == 0 && !covered(p.at, told):
			l.t.Errorf("post %d of %v is missing, and no gap tells", i, p.at.Format(time.StampMilli))
		case n == 0:
			missing++
		}
	}
	l.t.Logf("%d posts were stored behind later ones", late)
	return missing
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
	time.Sleep(settle)
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
