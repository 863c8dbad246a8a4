package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
)

// open opens a listener. choice is what chose its address, as the operator wrote it.
func (p *program) open(choice, address string) (net.Listener, error) {
	l, err := p.listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: the address is in use by another program (%w); stop that program or choose another port", choice, err)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("%s: this user may not listen there (%w); choose a port above 1023", choice, err)
	case err != nil:
		return nil, fmt.Errorf("%s: cannot listen there (%w); choose an address of this machine", choice, err)
	}
	return l, nil
}

// newLogger makes the program's logger: words on a terminal, JSON elsewhere,
// unless LOG_FORMAT says otherwise.
func newLogger(p *program, s *settings) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.LogLevel)) // checked with the settings
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Value.Kind() == slog.KindDuration { // JSON would show nanoseconds
			a.Value = slog.StringValue(a.Value.Duration().String())
		}
		return a
	}}
	if s.LogFormat == "text" || s.LogFormat == "" && p.errTerminal {
		return slog.New(slog.NewTextHandler(p.err, options))
	}
	return slog.New(slog.NewJSONHandler(p.err, options))
}

// reservedDescriptors are kept from streams, so that the upstream, the admin
// listener and files always get one. Half of them are for public connections that
// are no streams, or none yet.
const reservedDescriptors = 128

// limits fits the settings to the process: clients to its descriptors, and the
// garbage collector's target to the settings.
func (g *gateway) limits(s *settings) {
	g.wanted = s.MaxClients
	if g.p.descriptors != nil {
		n, err := g.p.descriptors()
		if err != nil {
			g.log.Warn("the descriptor limit is not known; MAX_CLIENTS is not checked against it", "error", err)
		} else {
			s.MaxClients = min(s.MaxClients, max(n-reservedDescriptors, 1))
			g.connections = max(n-reservedDescriptors/2, s.MaxClients+1)
		}
	}
	set := slices.ContainsFunc(g.p.environ, func(e string) bool { return strings.HasPrefix(e, "GOMEMLIMIT=") && e != "GOMEMLIMIT=" })
	if g.p.memoryLimit != nil && !set {
		limit := memoryLimit(s)
		g.p.memoryLimit(limit)
		g.log.Debug("soft memory limit set; GOMEMLIMIT overrides it", "bytes", limit)
	}
}

// memoryLimit is the soft limit for the Go runtime when GOMEMLIMIT is not set.
// The history takes HISTORY_BYTES and its shared encodings a quarter of it on
// top; a collector that runs when the heap has doubled needs twice that: 2.5
// times. Each client adds its connection's buffers and goroutines, and 128 MiB
// are for the rest. It is no cap: beyond it the collector only works harder.
func memoryLimit(s *settings) int64 {
	const perClient, rest = 40 << 10, 128 << 20
	if s.HistoryBytes > math.MaxInt64/4 {
		return math.MaxInt64 // no limit
	}
	return int64(s.HistoryBytes)/2*5 + int64(s.MaxClients)*perClient + rest
}
