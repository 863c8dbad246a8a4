package main

import (
	"context"
	"syscall"
	"time"

	"aviary/upstream"
)

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
	resting = time.Second            // for connections that have begun and are not accepted, or have not asked yet
	closing = time.Second            // for requests that are not streams, after every stream has ended
)

// shutdown: no new events, goodbye to every client, and the listeners last, so
// that whoever asks meanwhile is told and not refused, also in the very last moment.
//
// A node of a cluster hands the upstream over meanwhile. Its clients need not wait
// for that: whatever comes later they find at another node, by their cursors.
func (g *gateway) shutdown(ctx context.Context) {
	g.demands.close()
	g.cluster.resign()
	if !g.cluster.shared {
		g.cluster.ended(ctx, parting)
	}
	if err := g.server.Drain(ctx); err != nil {
		g.log.Warn("not every client could be told goodbye in time", "error", err)
	}
	g.demands.leave(ctx)
	rest, cancel := context.WithTimeout(ctx, resting)
	defer cancel()
	g.server.AnswerRest(rest, g.listening...)
	g.server.Close()
	last, cancel := context.WithTimeout(ctx, closing)
	defer cancel()
	for _, s := range g.http {
		if s.Shutdown(last) != nil {
			_ = s.Close()
		}
	}
	if !g.cluster.close(ctx) {
		g.log.Warn("the upstream connection did not close in time")
	}
	g.source.close()
	g.hub.Close()
}

// reload is what SIGHUP asks for: fresh secrets and certificate, and a new
// attempt if the upstream had given up. A wait goes on: whoever asked for it
// did not mean the operator.
func (g *gateway) reload() {
	before := g.settings.Load().streamSecrets()
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
	if g.cluster.leads() && g.runner.Status().State == upstream.StateHalted {
		if err := g.cluster.reconnect(context.Background()); err != nil {
			g.log.Error("the node that holds the upstream could not be asked to reconnect", "error", err)
		}
		return
	}
	if g.settings.Load().Source == "x" || err == nil && fresh.streamSecrets() != before {
		g.demands.anew()
	}
}
