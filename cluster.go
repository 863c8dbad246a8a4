package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/bus"
	"aviary/upstream/lease"
	"aviary/upstream/twitter"
	"aviary/upstream/x"
)

// cluster is this node among those that share a history: who of them holds the
// upstream, and the bus between that one and everybody's hub. Without a bus the
// node is alone, holds the upstream at once, and publishes straight to its hub.
type cluster struct {
	g      *gateway
	shared bool // other nodes may take the upstream over
	node   *lease.Node
	said   announcer // what clients are told of the upstream

	// nil without a bus.
	bus    *bus.Bus
	from   *bus.Source
	reader *upstream.Runner // brings what is on the bus to the hub

	epochs int   // that the reader has seen; owned by its goroutine
	heard  heard // of the upstream, by what came over the bus

	// Owned by start and close.
	stop, stopReading context.CancelFunc
	led, read         chan struct{} // closed when the node, and the reader, have ended

	spending  chan struct{}                 // a search was made; capacity 1
	publisher atomic.Pointer[bus.Publisher] // of the leadership going on; nil: none

	giving  sync.Mutex // held while publishing to the bus
	refused time.Time  // since when the bus has refused events and no gap has told so; owned by giving
}

// dialects are the sources whose posts can be on the bus.
var dialects = map[string]*fanout.Dialect{
	twitter.Dialect.Name: twitter.Dialect,
	x.Dialect.Name:       x.Dialect,
}

// newCluster opens the bus that the settings name and makes the node. It waits for
// nothing: a bus that is away is a state.
func (g *gateway) newCluster(s *settings) (*cluster, error) {
	c := &cluster{g: g, shared: s.clustered(), led: make(chan struct{}), read: make(chan struct{}), spending: make(chan struct{}, 1)}
	config := lease.Config{
		Node: "local", StreamLimit: s.StreamLimit, StallTimeout: s.StallTimeout, Alone: !c.shared,
		Lead: c.lead, Reconnect: g.runner.Reconnect, Log: g.log,
	}
	if !s.durable() {
		g.runner.Publish = g.hub.Publish
		c.join(config)
		return c, nil
	}
	c.said.hub, c.said.now, c.said.tell = g.hub, c.upstream, c.tell
	name := nodeName()
	var err error
	c.bus, err = bus.Open(context.Background(), bus.Config{
		DataDir: s.DataDir, URL: strings.Join(s.NATSURL, ","), CredsFile: s.NATSCredsFile, Replicas: s.NATSReplicas, Guest: s.Role == roleEdge,
		Node: name, Events: s.HistoryEvents, Bytes: int64(s.HistoryBytes), Age: s.HistoryAge,
		Dialects: dialects, LeaseTTL: leaseTTL, AnswersTTL: s.answersTTL(), Log: g.log,
	})
	if err != nil {
		return nil, err
	}
	c.from = c.bus.Source(bus.SourceConfig{Renewed: c.renewed, Lost: g.hub.Lost, Marked: func(m lease.Marker) {
		if c.node.Saw(m); m.Node != "" && m.Node != name {
			c.heard.stream(time.Now())
		}
	}})
	c.reader = &upstream.Runner{
		Source: c.from, Publish: c.deliver, Name: "bus", Log: slog.New(quiet{g.log.Handler()}), Ladders: busLadders,
	}
	g.runner.Publish = c.publish
	config.Node, config.TTL, config.Edge, config.Settings = name, leaseTTL, s.Role == roleEdge, s.digest()
	config.Lease, config.State = c.bus.Leases(), c.bus.States()
	config.Mark, config.Told = c.mark, c.said.told
	if s.Source != "file" { // which loses nothing: whoever leads next reads it from the beginning
		config.Last = func() (time.Time, time.Duration) { return c.heard.last(c.from.Heard()) }
	}
	c.join(config)
	return c, nil
}

// busLadders are for reading the bus: it is ours, and asks for no courtesy.
var busLadders = upstream.Ladders{
	Network: 100 * time.Millisecond, NetworkMax: 2 * time.Second,
	HTTP: 250 * time.Millisecond, HTTPMax: 4 * time.Second,
}

// leaseTTL is how long a leader that says nothing more keeps the upstream.
const leaseTTL = 2 * time.Second

// join makes the node, and the runner ask it.
func (c *cluster) join(config lease.Config) {
	c.node = lease.New(config)
	r := c.g.runner
	r.Slots, r.Keeper, r.Opened, r.Valid = c.node, c.node, c.node.Opened, c.node.Valid
	if !c.shared && c.g.settings.Load().Source == "file" {
		r.Keeper = replays{c.node}
	}
}

// replays is the Keeper of a file on one machine: whoever starts the program again
// wants the file from its beginning, and a halt is how a replay normally ends.
type replays struct{ *lease.Node }

// Load implements upstream.Keeper.
func (k replays) Load(ctx context.Context) (upstream.Standing, error) {
	_, err := k.Node.Load(ctx) // it takes note of what it reads
	return upstream.Standing{}, err
}

// nodeName is this process among those on the bus: the machine's name, and a few
// digits for the case that there are several on it.
func nodeName() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "node"
	}
	var more [2]byte
	_, _ = rand.Read(more[:])
	return host + "-" + hex.EncodeToString(more[:])
}

// quiet is the log of the bus's reader. What it tells, each attempt that fails or
// succeeds, the bus has told once, with a hint; it is for those who look closely.
type quiet struct{ slog.Handler }

// Enabled implements slog.Handler.
func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return q.Handler.Enabled(ctx, calmer(level))
}

// Handle implements slog.Handler.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Level = calmer(r.Level)
	return q.Handler.Handle(ctx, r)
}

// calmer makes what is no error worth a look only.
func calmer(level slog.Level) slog.Level {
	if level < slog.LevelError {
		return slog.LevelDebug
	}
	return level
}
