package main

import (
	"context"
	"errors"
	"time"

	"aviary/server"
	"aviary/upstream/lease"
)

// answersTTL is how long the bus holds the answers of searches for all nodes; 0:
// there are no others, or nothing is to be held.
func (s *settings) answersTTL() time.Duration {
	if !s.clustered() {
		return 0
	}
	return s.SearchCache
}

// answers is a bucket of the bus in the server's words.
type answers struct{ held lease.Store }

var _ server.PageStore = answers{}

// Get implements server.PageStore.
func (a answers) Get(ctx context.Context, key string) ([]byte, error) {
	value, _, err := a.held.Get(ctx, key)
	if errors.Is(err, lease.ErrNone) {
		return nil, nil
	}
	return value, err
}

// Put implements server.PageStore.
func (a answers) Put(ctx context.Context, key string, value []byte) error {
	_, err := a.held.Put(ctx, key, value)
	return err
}
