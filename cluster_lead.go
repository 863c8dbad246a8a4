package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/bus"
	"aviary/upstream/lease"
)

// lead holds the upstream until ctx ends: the duties of a leader on the bus, the
// source's stream, and what the source does beside it.
func (c *cluster) lead(ctx context.Context) {
	publish := c.g.hub.Publish
	if c.bus != nil {
		c.said.forget()
		p := c.bus.Publisher(c.node.Status().Term, c.node.Valid)
		c.publisher.Store(p)
		publish = c.publish
		defer c.release(p)
	}
	ctx, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer stop()
	if p := c.publisher.Load(); p != nil {
		beside.Go(func() { c.bus.Lead(ctx, p) })
	}
	if run := c.g.source.beside; run != nil {
		beside.Go(func() { run(ctx, c.g.hub, publish) })
	}
	if err := c.g.runner.Run(ctx); err != nil {
		c.g.ended("the upstream", err)
	}
}

// flushing is how long the end of a leadership waits for the bus to store what was
// published: others wait for it.
const flushing = time.Second

// release ends a publisher after what it was given is stored, or cannot be.
func (c *cluster) release(p *bus.Publisher) {
	ctx, cancel := context.WithTimeout(context.Background(), flushing)
	defer cancel()
	if err := p.Flush(ctx); err != nil && c.node.Valid() {
		c.g.log.Warn("not all events could be stored on the bus", "error", err)
	}
	c.publisher.CompareAndSwap(p, nil)
	p.Close()
}

// publish takes what the upstream's runner brings, for the bus. Whether an event
// is a duplicate shows at every node's own hub.
func (c *cluster) publish(e *fanout.Event) bool {
	if e.Kind == fanout.KindUpstream {
		c.tell()
		return true
	}
	p := c.publisher.Load()
	if p == nil {
		return false
	}
	c.giving.Lock()
	defer c.giving.Unlock()
	if !c.refused.IsZero() && p.Publish(upstream.GapEvent(fanout.Loss{Reason: "upstream", Missed: -1, From: c.refused, To: time.Now()})) == nil {
		c.refused = time.Time{}
	}
	err := p.Publish(e)
	if errors.Is(err, bus.ErrFull) && c.refused.IsZero() {
		c.refused = time.Now()
		c.g.log.Error("the bus takes no more events for now; what is lost is told in a gap", "error", err)
	}
	return err == nil
}

// mark begins a term on the bus.
func (c *cluster) mark(ctx context.Context, m lease.Marker) error {
	p := c.publisher.Load()
	if p == nil {
		return errNoTerm
	}
	return p.Mark(ctx, m)
}

var errNoTerm = errors.New("this node does not lead")
