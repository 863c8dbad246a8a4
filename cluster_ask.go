package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream"
)

// reconnect makes whoever holds the upstream connect anew. The error says why that
// one cannot be told.
func (c *cluster) reconnect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	err := c.node.Reconnect(ctx)
	if err == nil || c.bus == nil {
		return err
	}
	if s := c.bus.Status(); s.Error != "" {
		return fmt.Errorf("%s (%s)", s.Error, s.Hint)
	}
	return fmt.Errorf("the bus does not take it: %w", err)
}

// hinted adds to an error of the bus what can be done about it.
func hinted(err error) error {
	var e *upstream.Error
	if errors.As(err, &e) && e.Hint != "" {
		return fmt.Errorf("%w (%s)", err, e.Hint)
	}
	return err
}

// askWait is how long an operator's wish may take to be on the bus.
const askWait = 5 * time.Second

// delete publishes an operator's delete, which any node may, and waits until this
// node's own history has it.
func (c *cluster) delete(ctx context.Context, e *fanout.Event) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, askWait)
	defer cancel()
	key := filter.Key{Source: e.Target.Source, ID: e.Target.ID}
	if c.g.hub.Deleted(key) { // what is here came from the bus, so all have it
		return false, nil
	}
	if err := c.bus.Delete(ctx, e); err != nil {
		return false, hinted(err)
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
