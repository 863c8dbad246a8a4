package main

import (
	"context"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// reconnect makes whoever holds the upstream connect anew.
func (c *cluster) reconnect() {
	ctx, cancel := context.WithTimeout(context.Background(), askWait)
	defer cancel()
	if err := c.node.Reconnect(ctx); err != nil {
		c.g.log.Error("the node that holds the upstream could not be asked to reconnect", "error", err)
	}
}

// askWait is how long an operator's wish may take to be on the bus.
const askWait = 5 * time.Second

// delete publishes an operator's delete, which any node may, and waits until this
// node's own history has it.
func (c *cluster) delete(ctx context.Context, e *fanout.Event) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	key := filter.Key{Source: e.Target.Source, ID: e.Target.ID}
	if err := c.bus.Delete(ctx, e); err != nil {
		return false, err
	}
	for c.g.hub.Has(key) {
		select {
		case <-ctx.Done():
			return true, nil // it is on the bus; this node is behind, which /status tells
		case <-time.After(time.Millisecond):
		}
	}
	return true, nil
}
