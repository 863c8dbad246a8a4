package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"aviary/fanout"
	"aviary/server"
	"aviary/upstream"
	"aviary/upstream/twitter"

	"github.com/prometheus/client_golang/prometheus"
)

// gateway is the running program: its parts in the order they are started.
type gateway struct {
	p        *program
	settings atomic.Pointer[settings] // SIGHUP puts a copy with fresh secrets in its place
	log      *slog.Logger
	wanted   int // MAX_CLIENTS as it was set

	public, admin net.Listener // admin is nil when it is off
	certificate   *certificate // nil without TLS
	hub           *fanout.Hub
	source        *source
	runner        *upstream.Runner
	server        *server.Server
	http          []*http.Server

	stopUpstream context.CancelFunc
	upstreamDone chan struct{}
	failed       chan error // what ended although nobody asked for it
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
	g.greet(s)
	return g.wait(ctx)
}

// start opens the listeners and starts every part, the upstream last. When it
// fails, what it had opened is closed again.
func (g *gateway) start(s *settings) (err error) {
	g.limits(s)
	defer func() {
		if err != nil {
			g.closeListeners()
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
		Source:  g.source,
		Publish: g.hub.Publish,
		Name:    s.Source,
		Ladders: upstream.Ladders{
			Network: s.BackoffNetwork, NetworkMax: s.BackoffNetworkMax,
			HTTP: s.BackoffHTTP, HTTPMax: s.BackoffHTTPMax,
			RateLimit: s.BackoffRateLimit, RateLimitMax: s.BackoffRateLimitMax,
		},
		StallTimeout: s.StallTimeout,
		StreamLimit:  s.StreamLimit,
		Log:          g.log,
	}
	g.server = server.New(g.options(s))
	g.serveHTTP()
	g.startUpstream()
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
		Dialect:   twitter.Dialect,
		Source:    s.Source,
		Version:   version,
		Commit:    revision(),
		Upstream:  g.runner.Status,
		Reconnect: g.runner.Reconnect,
		Ready:     func() bool { return g.runner.Stats().Connects["ok"] > 0 },

		Heartbeat:    s.Heartbeat,
		Retry:        s.Retry,
		MaxAge:       s.MaxAge,
		WriteTimeout: s.WriteTimeout,
		Drain:        s.Drain,

		MaxClients:       s.MaxClients,
		MaxClientsPerKey: s.MaxClientsPerKey,
		MaxFilterBytes:   int(s.MaxFilterBytes),
		CORSOrigins:      s.CORSOrigins,
		TrustedProxies:   s.TrustedProxies,
		AdminToken:       func() string { return string(g.settings.Load().AdminToken) },

		Collectors: []prometheus.Collector{newUpstreamCollector(g.runner)},
		Log:        g.log,
	}
	if host, _, _ := net.SplitHostPort(s.AdminListen); host != "" {
		o.AdminHosts = []string{host}
	}
	return o
}

// serveHTTP starts answering on the listeners.
func (g *gateway) serveHTTP() {
	public := g.server.NewHTTP(g.server.Public())
	g.http = append(g.http, public)
	go func() {
		if g.certificate == nil {
			g.ended("the public listener", public.Serve(g.public))
			return
		}
		public.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: g.certificate.get}
		g.ended("the public listener", public.ServeTLS(g.public, "", ""))
	}()
	if g.admin == nil {
		return
	}
	admin := g.server.NewHTTP(g.server.Admin())
	g.http = append(g.http, admin)
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

// startUpstream starts the runner; stopUpstream and upstreamDone are its end.
func (g *gateway) startUpstream() {
	ctx, stop := context.WithCancel(context.Background())
	g.stopUpstream, g.upstreamDone = stop, make(chan struct{})
	go func() {
		defer close(g.upstreamDone)
		g.ended("the upstream", g.runner.Run(ctx))
	}()
}

// wait runs until something says stop, and stops; it returns the exit code.
func (g *gateway) wait(ctx context.Context) int {
	for {
		select {
		case err := <-g.failed:
			g.log.Error("aviary stops", "error", err)
			g.stop()
			return exitFailed
		case <-ctx.Done():
			g.log.Info("asked to stop; saying goodbye to every client", "at_most", g.settings.Load().Drain)
			return g.stop()
		case sig := <-g.p.signals:
			if sig == syscall.SIGHUP {
				g.reload()
				continue
			}
			g.log.Info("asked to stop; saying goodbye to every client", "signal", sig.String(), "at_most", g.settings.Load().Drain)
			return g.stop()
		}
	}
}

// stop takes the parts down in order. A second signal cuts it short.
func (g *gateway) stop() int {
	ctx, cancel := context.WithTimeout(context.Background(), g.settings.Load().Drain)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		g.shutdown(ctx)
	}()
	code := exitOK
	for {
		select {
		case <-done:
			g.log.Info("stopped")
			return code
		case sig := <-g.p.signals:
			if sig != syscall.SIGHUP {
				g.log.Warn("asked again to stop; not waiting any longer", "signal", sig.String())
				code = exitFailed
				cancel()
			}
		}
	}
}

// Parts of a shutdown that wait at most so long, if DRAIN leaves so much.
const (
	parting = 500 * time.Millisecond // for the upstream, before clients are told: what it still brings is theirs
	closing = time.Second            // for requests that are not streams, after every stream is closed
)

// shutdown: no new events, goodbye to every client, and the listeners last, so
// that whoever asks meanwhile is told and not refused.
func (g *gateway) shutdown(ctx context.Context) {
	g.stopUpstream()
	select {
	case <-g.upstreamDone:
	case <-time.After(parting):
	case <-ctx.Done():
	}
	if err := g.server.Drain(ctx); err != nil {
		g.log.Warn("not every client could be told goodbye in time", "error", err)
	}
	last, cancel := context.WithTimeout(ctx, closing)
	defer cancel()
	for _, s := range g.http {
		if s.Shutdown(last) != nil {
			_ = s.Close()
		}
	}
	g.server.Close()
	g.source.close()
	select {
	case <-g.upstreamDone:
	case <-time.After(parting):
		g.log.Warn("the upstream connection did not close in time")
	}
	g.hub.Close()
}

// reload is what SIGHUP asks for: fresh secrets and certificate, and a new
// attempt if the upstream had given up. A wait goes on: whoever asked for it
// did not mean the operator.
func (g *gateway) reload() {
	fresh, err := g.settings.Load().reread()
	if err != nil {
		g.log.Error("the secret files could not be read again; the old secrets stay", "error", err)
	} else {
		g.settings.Store(fresh)
		g.log.Info("secret files read again", "files", len(fresh.secretFiles))
	}
	if g.certificate != nil {
		if err := g.certificate.reload(); err != nil {
			g.log.Error("the TLS files could not be read again; the old certificate stays", "error", err)
		}
	}
	if g.runner.Status().State == upstream.StateHalted {
		g.runner.Reconnect()
	}
}

// greet says where things are. With simulated data it says so first of all.
func (g *gateway) greet(s *settings) {
	scheme := "http"
	if s.tls() {
		scheme = "https"
	}
	base := scheme + "://" + displayAddress(s.Listen, g.public.Addr())
	if s.Source == "sim" {
		g.log.Info("this is simulated data: no post here comes from Twitter or X")
		g.log.Info("the page: " + base + "/")
		g.log.Info("try: curl -N '" + base + "/stream?track=" + simTrack + "'")
		g.log.Info("for real posts set AVIARY_SOURCE=twitter, AVIARY_TRACK=<words>, AVIARY_TWITTER_CONSUMER_KEY, AVIARY_TWITTER_CONSUMER_SECRET, AVIARY_TWITTER_ACCESS_TOKEN and AVIARY_TWITTER_ACCESS_SECRET; `aviary env` lists all settings")
		for name := range s.given {
			if strings.HasPrefix(name, "TWITTER_") || name == "FILE" {
				g.log.Warn(prefix + name + " is set, but the source is sim and does not use it; set AVIARY_SOURCE too")
			}
		}
	}
	admin := off
	if g.admin != nil {
		admin = g.admin.Addr().String()
	}
	g.log.Info("serving", "version", version, "source", s.Source, "url", base+"/", "admin", admin, "max_clients", s.MaxClients)
	if g.wanted > s.MaxClients {
		g.log.Warn("MAX_CLIENTS is lowered to what the descriptor limit allows; raise that with `ulimit -n` or LimitNOFILE",
			"wanted", g.wanted, "max_clients", s.MaxClients)
	}
}

// displayAddress is the public listener's address as a person on this machine
// types it: the host of the setting, the port that was opened.
func displayAddress(setting string, opened net.Addr) string {
	host, _, _ := net.SplitHostPort(setting)
	_, port, _ := net.SplitHostPort(opened.String())
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
