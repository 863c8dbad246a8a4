package lease

import (
	"context"
	"errors"
)

// Errors of a Store. They are compared with errors.Is; any other error leaves
// it open whether the call had its effect.
var (
	ErrExists  = errors.New("the key exists already")
	ErrChanged = errors.New("the key was changed or removed by somebody else")
	ErrNone    = errors.New("there is no such key")
)

// Store is a small bucket of keys that all nodes share. Two are needed: LEASE,
// whose keys vanish TTL after their last write, and STATE, whose keys stay.
//
// Revisions are of the bucket, not of the key: every write anywhere in it gets a
// higher one, and that holds over restarts, so the bucket lives on disk. Calls
// return soon after ctx ends. Safe for concurrent use. Values belong to the
// caller, before and after.
type Store interface {
	// Create writes a key that does not exist, has been deleted or has vanished:
	// else ErrExists.
	Create(ctx context.Context, key string, value []byte) (rev uint64, err error)
	// Update replaces the value written as rev: else ErrChanged, also if it is gone.
	Update(ctx context.Context, key string, value []byte, rev uint64) (uint64, error)
	// Put writes whatever was there.
	Put(ctx context.Context, key string, value []byte) (uint64, error)
	// Get reads what is there now, never an older copy: else ErrNone.
	Get(ctx context.Context, key string) (value []byte, rev uint64, err error)
	// Delete removes the value written as rev, or whatever is there if rev is 0.
	// A key that is not there is ErrChanged with a rev, else no error.
	Delete(ctx context.Context, key string, rev uint64) error
	// Watch sends the entries whose keys begin with prefix (a whole key is one):
	// what is there now, then what changes, until ctx ends; then the channel is
	// closed. It may lose changes and need not tell of keys that vanish, so
	// whoever watches also asks now and then.
	Watch(ctx context.Context, prefix string) (<-chan Entry, error)
}

// Entry is what a Watch tells.
type Entry struct {
	Key     string
	Value   []byte
	Rev     uint64
	Deleted bool // by Delete; a key that vanishes may be told or not
}
