package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"aviary/fanout"
	"aviary/server"
	"aviary/upstream"
	"aviary/upstream/bus"
	"aviary/upstream/lease"
)

// upstream is the state of the cluster's one upstream as this node knows it. The
// node's own trouble with the bus comes first: behind it nothing can be known.
func (c *cluster) upstream() fanout.Upstream {
	if c.bus == nil {
		return c.g.runner.Status()
	}
	if u, cut := c.trouble(); cut {
		return u
	}
	pace := c.reader.Status().PostsPerS // of what comes over the bus, whoever brings it
	if c.leads() {
		u := c.g.runner.Status()
		u.PostsPerS = pace
		return u
	}
	n := c.node.Status()
	u := c.said.leaders(n)
	u.PostsPerS = pace
	if n.Leader == "" && u.State == upstream.StateConnecting && time.Since(u.Since) > unfilled {
		u.Error, u.Hint = c.unled(n.Err)
	}
	return u
}

// unfilled is how long it may take until somebody leads: who is killed is missed for two
// seconds.
const unfilled = 4 * time.Second

// unled are the words for a cluster in which nobody leads; err is why nobody can, nil
// if this node knows of nothing.
func (c *cluster) unled(err error) (text, hint string) {
	switch {
	case err == nil && c.g.settings.Load().Role == roleEdge:
		return "no node holds the upstream", "start one with AVIARY_ROLE=all or ingest: an edge never does"
	case err == nil:
		return "no node holds the upstream", "this node tries to"
	}
	text = err.Error()
	if hint, denied := c.bus.Denied(); denied != nil {
		return "no node can hold the lease of the upstream: " + denied.Error(), hint
	}
	if errors.Is(err, context.DeadlineExceeded) {
		text = strings.TrimSuffix(text, context.DeadlineExceeded.Error()) + "no answer from NATS"
	}
	return text, "NATS is there, but stores nothing, or lets nothing vanish: look at its log and at the disk of its store. A server that could not write has to be started again"
}

// leads reports whether the upstream's runner of this node runs.
func (c *cluster) leads() bool {
	switch c.node.Status().State {
	case lease.Follower, lease.Demoted:
		return false
	}
	return true
}

// trouble is the state of a node that the bus does not reach.
func (c *cluster) trouble() (u fanout.Upstream, cut bool) {
	s := c.bus.Status()
	since := c.said.reached(s.Connected)
	if s.Connected {
		return u, false
	}
	u = fanout.Upstream{State: upstream.StateBackingOff, Since: since.UTC().Truncate(time.Millisecond), Class: upstream.Network.String(), Error: "cut off from the bus", Hint: s.Hint}
	if s.Error != "" {
		u.Error += ": " + s.Error
	}
	return u, true
}

// filling says why this node serves no streams yet.
func (c *cluster) filling() string {
	if c.bus == nil {
		return ""
	}
	select {
	case <-c.from.Filled():
		return ""
	default:
	}
	if s := c.bus.Status(); !s.Connected {
		if s.Error != "" {
			return "the bus that holds the history is out of reach: " + s.Error
		}
		return "the bus that holds the history is being opened"
	}
	return "the history is still being read from the bus"
}

// ready reports whether there is anything to give to clients.
func (c *cluster) ready() bool {
	if c.bus == nil {
		return c.g.runner.Stats().Connects["ok"] > 0
	}
	return c.filling() == "" && c.upstream().State == upstream.StateStreaming
}

// status is the cluster as /status shows it.
func (c *cluster) status() server.Cluster {
	n := c.node.Status()
	out := server.Cluster{Node: n.Node, Leader: n.Leader, Role: c.g.settings.Load().Role}
	if c.bus == nil {
		return out
	}
	s := c.bus.Status()
	out.Lag = c.lag(s)
	out.Bus = &server.Bus{Kind: c.g.settings.Load().busKind(), State: "ok", Error: s.Error, Hint: s.Hint}
	switch filled := c.filling() == ""; {
	case !s.Connected && filled:
		out.Bus.State = "cut_off"
		out.Leader = "" // who it is now cannot be known
	case !s.Connected:
		out.Bus.State = "opening"
	case !filled:
		out.Bus.State = "filling"
	case s.Error != "":
	case n.Err != nil:
		out.Bus.Error, out.Bus.Hint = c.unled(n.Err)
	case n.Differs:
		out.Bus.Error, out.Bus.Hint = "the node that holds the upstream asks it with other settings than this one has", "give all nodes that may come to hold it the same AVIARY_SOURCE, credentials and questions"
	}
	return out
}

// busKind is the word of /status for where the history is kept.
func (s *settings) busKind() string {
	if s.clustered() {
		return "nats"
	}
	return "file"
}

// lag is how far behind the bus this node is: how long it has been behind, or how
// old the newest event of the upstream is that it has, if that is less.
func (c *cluster) lag(s bus.Status) time.Duration {
	since := c.said.behind(s.Lag > 0 || !s.Connected)
	if since.IsZero() {
		return 0
	}
	behind := time.Since(since)
	if at := c.from.Heard(); !at.IsZero() && s.Connected {
		behind = min(behind, max(0, time.Since(at)))
	}
	return behind
}

// watch looks after what nobody calls back for: the way to the bus, and who leads.
func (c *cluster) watch(ctx context.Context) {
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			c.lag(c.bus.Status())
			c.confess()
			c.tell()
		}
	}
}

// confess tells the nodes that follow when this one holds the upstream and its posts do not
// get onto the bus: they can see for themselves only that none come.
func (c *cluster) confess() {
	u, cut := c.trouble()
	if !cut || !c.leads() {
		c.node.Trouble(nil)
		return
	}
	u.Error = "the node that holds the upstream is " + u.Error
	c.node.Trouble(&u)
}

// tell tells clients a new state of the upstream. Not before the history is filled:
// an event would stand at its own time before those of the past.
func (c *cluster) tell() {
	if c.filling() == "" {
		c.said.refresh()
	}
}

// watchEvery is how soon clients hear that their node is cut off.
const watchEvery = 200 * time.Millisecond

// busStatus is how the bus is, and how far this node is behind it; without a bus
// all is well.
func (c *cluster) busStatus() (bus.Status, time.Duration) {
	if c.bus == nil {
		return bus.Status{Connected: true}, 0
	}
	s := c.bus.Status()
	return s, c.lag(s)
}
