package main

import (
	"context"
	"sync"
	"time"

	"aviary/fanout"
)

// start begins the life of the node. resign or close end it.
func (c *cluster) start() {
	var ctx, reading context.Context
	ctx, c.stop = context.WithCancel(context.Background())
	reading, c.stopReading = context.WithCancel(context.Background())
	filled := make(chan struct{})
	if c.bus == nil {
		close(filled)
		close(c.read)
	} else {
		go func() {
			defer close(c.read)
			c.follow(reading, filled)
		}()
	}
	go func() {
		defer close(c.led)
		select { // what a gap is to tell knows only who has read the newest event
		case <-filled:
			_ = c.node.Run(ctx) // it ends with ctx, and without an error
		case <-ctx.Done():
		}
	}()
}

// follow reads the bus into the hub until ctx ends. It closes filled when all is
// read that was there.
func (c *cluster) follow(ctx context.Context, filled chan<- struct{}) {
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { c.watch(ctx) })
	select {
	case <-c.bus.Ready():
	case <-ctx.Done():
		return
	}
	watching.Go(func() {
		select {
		case <-c.from.Filled():
			c.g.log.Info("the history is read from the bus", "events", c.g.hub.Stats().Events)
			close(filled)
		case <-ctx.Done():
		}
	})
	watching.Go(func() { c.share(ctx) })
	_ = c.reader.Run(ctx) // it ends with ctx, and without an error
}

// renewed begins the history of another epoch. Clients that were there before have
// read what may come again under other numbers: they are to come back with their
// cursors, and are then told.
func (c *cluster) renewed(epoch uint32) {
	c.g.hub.Renew(epoch)
	if c.epochs++; c.epochs > 1 {
		c.g.server.EvictAll()
	}
}

// deliver takes what the reader brings: events of the bus, and its own states,
// which are told together with those of the upstream.
func (c *cluster) deliver(e *fanout.Event) bool {
	if e.Kind == fanout.KindUpstream {
		c.tell()
		return true
	}
	if e.Kind == fanout.KindPost {
		c.heard.post(e, time.Now())
	}
	return c.g.hub.Publish(e)
}

// resign gives the upstream up: to the node that takes over, where there is one,
// else at once. It returns immediately; ended and close wait.
func (c *cluster) resign() { c.stop() }

// ended waits until the node has ended and this node's clients can have what its
// stream brought, or until ctx does, or for so long.
func (c *cluster) ended(ctx context.Context, most time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	select {
	case <-c.led:
	case <-ctx.Done():
		return false
	}
	for c.bus != nil && c.bus.Status().Lag > 0 {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return true
		}
	}
	return true
}

// handOver is the longest that a node publishes on for the next one, and closes then.
const handOver = 6 * time.Second

// close ends everything. It reports whether the upstream's stream is closed.
func (c *cluster) close(ctx context.Context) bool {
	closed := c.ended(ctx, handOver) || c.ended(context.Background(), parting)
	c.stopReading()
	select {
	case <-c.read:
	case <-time.After(parting):
	}
	if c.bus != nil {
		c.bus.Close()
	}
	return closed
}
