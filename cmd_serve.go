package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"

	"aviary/fanout"
	"aviary/server"
	"aviary/upstream"

	"github.com/prometheus/client_golang/prometheus"
)

// gateway is the running program: its parts in the order they are started.
type gateway struct {
	p        *program
	settings atomic.Pointer[settings] // SIGHUP puts a copy with fresh secrets in its place
	log      *slog.Logger
	wanted   int // MAX_CLIENTS as it was set

	connections int // at most, of the public listener; 0: no limit is known

	public, admin net.Listener   // admin is nil when it is off
	listening     []net.Listener // the same, as they are served
	certificate   *certificate   // nil without TLS
	hub           *fanout.Hub
	source        *source
	runner        *upstream.Runner // of the source; runs while this node holds the upstream
	cluster       *cluster
	demands       *demands
	server        *server.Server
	http          []*http.Server

	failed chan error // what ended although nobody asked for it
}

// serve is `aviary serve`, the gateway.
func serve(ctx context.Context, p *program) int {
	if len(p.args) > 0 {
		return misused(p, "serve", "takes no arguments; settings come from the environment")
	}
	s, found := load(p.environ)
	if len(found) > 0 {
		found.write(p.err)
		return exitSettings
	}
	g := &gateway{p: p, log: newLogger(p, s), failed: make(chan error, 4)}
	g.settings.Store(s)
	if err := g.start(s); err != nil {
		g.log.Error("aviary cannot start", "error", err)
		return exitFailed
	}
	return g.wait(ctx)
}

// start opens the listeners and starts every part, the upstream last. When it
// fails, what it had opened is closed again.
func (g *gateway) start(s *settings) (err error) {
	g.limits(s)
	defer func() {
		if err != nil {
			g.closeListeners()
			if g.source != nil {
				g.source.close()
			}
		}
	}()
	if g.public, err = g.p.open(prefix+"LISTEN="+s.Listen, s.Listen); err != nil {
		return err
	}
	if s.AdminListen != off {
		if g.admin, err = g.p.open(prefix+"ADMIN_LISTEN="+s.AdminListen, s.AdminListen); err != nil {
			return err
		}
	}
	if s.tls() {
		if g.certificate, err = loadCertificate(s.TLSCertFile, s.TLSKeyFile); err != nil {
			return err
		}
	}
	if g.source, err = g.newSource(s); err != nil {
		return err
	}
	g.hub = fanout.NewHub(fanout.Config{Events: s.HistoryEvents, Bytes: int64(s.HistoryBytes), Age: s.HistoryAge})
	g.runner = &upstream.Runner{
		Source:       g.source.Source,
		Name:         s.Source,
		Ladders:      s.ladders(),
		StallTimeout: s.StallTimeout,
		StreamLimit:  s.StreamLimit,
		ConnectLimit: s.ConnectLimit, ConnectsWithin: s.ConnectWindow,
		Log: g.log,
	}
	if g.cluster, err = g.newCluster(s); err != nil {
		return err
	}
	if g.demands, err = g.newDemands(s); err != nil {
		return err
	}
	g.server = server.New(g.options(s))
	g.serveHTTP()
	g.greet(s) // before the upstream has something to say
	g.cluster.start()
	g.demands.start()
	return nil
}

func (g *gateway) closeListeners() {
	for _, l := range []net.Listener{g.public, g.admin} {
		if l != nil {
			_ = l.Close()
		}
	}
}

// options says to the server what it needs to know of the rest.
func (g *gateway) options(s *settings) server.Options {
	o := server.Options{
		Hub:       g.hub,
		Dialect:   g.source.dialect,
		Source:    s.Source,
		Version:   version,
		Commit:    revision(),
		Upstream:  g.cluster.upstream,
		Reconnect: g.cluster.reconnect,
		Cluster:   g.cluster.status,
		Ready:     g.cluster.ready,
		Filling:   g.cluster.filling,
		Elsewhere: s.elsewhere(),

		Heartbeat:    s.Heartbeat,
		Retry:        s.Retry,
		MaxAge:       s.MaxAge,
		WriteTimeout: s.WriteTimeout,
		Drain:        s.Drain,

		MaxClients:       s.MaxClients,
		MaxConnections:   g.connections,
		MaxClientsPerKey: s.MaxClientsPerKey,
		MaxFilterBytes:   int(s.MaxFilterBytes),
		CORSOrigins:      s.CORSOrigins,
		TrustedProxies:   s.TrustedProxies,
		AdminToken:       func() string { return string(g.settings.Load().AdminToken) },

		Collectors: []prometheus.Collector{newUpstreamCollector(g.cluster.stats, g.cluster.upstream), newClusterCollector(g.cluster)},
		Log:        g.log,
	}
	if g.cluster.bus != nil {
		o.Delete = g.cluster.delete
	}
	o.Judge, o.Keyed, o.Asking = g.demands.judge, g.demands.on, g.demands.asking
	if g.demands.source != nil || s.Role == roleEdge {
		o.Ask = g.demands.ask
	}
	g.searchOptions(s, &o)
	if host, _, _ := net.SplitHostPort(s.AdminListen); host != "" {
		o.AdminHosts = []string{host}
	}
	return o
}

// serveHTTP starts answering on the listeners.
func (g *gateway) serveHTTP() {
	public := g.server.NewHTTP(g.server.Public())
	g.http = append(g.http, public)
	listener := g.public
	if g.certificate == nil {
		listener = g.server.Front(g.public)
	}
	g.listening = append(g.listening, listener)
	go func() {
		if g.certificate == nil {
			g.ended("the public listener", public.Serve(listener))
			return
		}
		public.TLSConfig = g.certificate.config()
		g.ended("the public listener", public.ServeTLS(listener, "", ""))
	}()
	if g.admin == nil {
		return
	}
	admin := g.server.NewHTTP(g.server.Admin())
	g.http = append(g.http, admin)
	g.listening = append(g.listening, g.admin)
	go func() { g.ended("the admin listener", admin.Serve(g.admin)) }()
}

// ended reports the end of a part that should have gone on.
func (g *gateway) ended(part string, err error) {
	if err == nil || errors.Is(err, http.ErrServerClosed) {
		return
	}
	select {
	case g.failed <- fmt.Errorf("%s failed: %w", part, err):
	default: // the first failures are told; one is enough to stop
	}
}
