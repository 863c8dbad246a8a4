package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"
	natsc "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
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
	if !s.ReadyForConnections(patient) {
		t.Fatal("nats-server does not start")
	}
	return s.ClientURL(), s
}

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
	for deadline := time.Now().Add(2 * patient); !ok(); time.Sleep(10 * time.Millisecond) {
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
	if c.servers[i] = s; !s.ReadyForConnections(patient) {
		c.t.Fatal("nats-server does not start")
	}
}

func (c *natsCluster) stop(i int) {
	c.servers[i].Shutdown()
	c.servers[i].WaitForShutdown()
}

// retire stops a server as an operator does who cares (nats-server --signal ldm): it
// gives what it leads to others first.
func (c *natsCluster) retire(i int) {
	c.servers[i].LameDuckShutdown()
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

// jetStreamOf is an operator's own way to NATS, past every gateway.
func jetStreamOf(t *testing.T, url string) jetstream.JetStream {
	t.Helper()
	nc, err := natsc.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}
