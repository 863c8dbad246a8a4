package bus

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"aviary/upstream/lease"
)

// bucket is a lease.Store on a key-value bucket. Its stream is made by hand: reads
// must not come from a replica that is behind, and revisions must not begin anew
// below the terms that are on the bus.
type bucket struct {
	bus  *Bus
	name string
	ttl  time.Duration // 0: keys stay
	// passing: nothing depends on what is in it. It lies in the servers' memory, within
	// maxPassing, and is made again when it ended with them.
	passing bool

	mu      sync.Mutex
	kv      jetstream.KeyValue // nil: not there yet
	of      jetstream.JetStream
	checked bool
	missed  time.Time // when it was last found missing
}

var _ lease.Store = (*bucket)(nil)

// Leases is the store whose keys vanish Config.LeaseTTL after their last write.
func (b *Bus) Leases() lease.Store { return b.lease }

// Answers is the store for what is costly to get and cheap to lose: its keys vanish
// Config.AnswersTTL after their last write, or sooner, and nothing of it is on a
// disk. nil without Config.AnswersTTL.
func (b *Bus) Answers() lease.Store {
	if b.answers == nil {
		return nil
	}
	return b.answers
}

// States is the store whose keys stay.
func (b *Bus) States() lease.Store { return b.state }

func (b *Bus) newBucket(kind string, ttl time.Duration) *bucket {
	return &bucket{bus: b, name: strings.ToUpper(b.config.Name + "_" + kind), ttl: ttl}
}

// bound returns the bucket, or an error at once if NATS is away.
func (k *bucket) bound() (jetstream.KeyValue, error) {
	if _, err := k.bus.jetStream(); err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kv == nil {
		return nil, errors.New("the bucket is not there yet")
	}
	return k.kv, nil
}

// missing passes an error on. One that says that the bucket is not there any more
// has it made again soon; who asks in a hot loop has it looked for once a second.
func (k *bucket) missing(err error) error {
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrStreamNotFound) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if time.Since(k.missed) > retryEvery {
			k.missed = time.Now()
			k.bus.look()
		}
	}
	return err
}

// Create implements lease.Store.
func (k *bucket) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	kv, err := k.bound()
	if err != nil {
		return 0, err
	}
	rev, err := kv.Create(ctx, escape(key), value)
	if errors.Is(err, jetstream.ErrKeyExists) || wrongRevision(err) {
		return 0, lease.ErrExists
	}
	return rev, k.missing(err)
}

// Update implements lease.Store.
func (k *bucket) Update(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	kv, err := k.bound()
	if err != nil {
		return 0, err
	}
	rev, err = kv.Update(ctx, escape(key), value, rev)
	if wrongRevision(err) {
		return 0, lease.ErrChanged
	}
	return rev, k.missing(err)
}

// Put implements lease.Store.
func (k *bucket) Put(ctx context.Context, key string, value []byte) (uint64, error) {
	kv, err := k.bound()
	if err != nil {
		return 0, err
	}
	rev, err := kv.Put(ctx, escape(key), value)
	return rev, k.missing(err)
}

// Get implements lease.Store.
func (k *bucket) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	kv, err := k.bound()
	if err != nil {
		return nil, 0, err
	}
	e, err := kv.Get(ctx, escape(key))
	if errors.Is(err, jetstream.ErrKeyNotFound) { // deleted ones too
		return nil, 0, lease.ErrNone
	}
	if err != nil {
		return nil, 0, k.missing(err)
	}
	return e.Value(), e.Revision(), nil
}

// Delete implements lease.Store.
func (k *bucket) Delete(ctx context.Context, key string, rev uint64) error {
	kv, err := k.bound()
	if err != nil {
		return err
	}
	var only []jetstream.KVDeleteOpt
	if rev != 0 {
		only = append(only, jetstream.LastRevision(rev))
	}
	if err = kv.Delete(ctx, escape(key), only...); wrongRevision(err) {
		return lease.ErrChanged
	}
	return k.missing(err)
}

// Watch implements lease.Store.
func (k *bucket) Watch(ctx context.Context, prefix string) (<-chan lease.Entry, error) {
	kv, err := k.bound()
	if err != nil {
		return nil, err
	}
	w, err := kv.WatchAll(ctx)
	if err != nil {
		return nil, err
	}
	out := make(chan lease.Entry, 16)
	go func() {
		defer close(out)
		// Stop asks the server to remove the watch's consumer, and waits for seconds
		// if that is away.
		defer func() { go func() { _ = w.Stop() }() }()
		for {
			select {
			case <-ctx.Done():
				return
			case e, ok := <-w.Updates():
				if !ok {
					return
				}
				if e == nil { // now's values were all
					continue
				}
				key := unescapeKey(e.Key())
				if !strings.HasPrefix(key, prefix) {
					continue
				}
				select {
				case out <- lease.Entry{Key: key, Value: e.Value(), Rev: e.Revision(), Deleted: e.Operation() != jetstream.KeyValuePut}:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out, nil
}

// wrongRevision recognises the answer to a write that expected another revision.
func wrongRevision(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// escape makes a key of any text: what NATS does not take becomes =XX.
func escape(key string) string {
	plain := func(r byte) bool {
		return r == '-' || r == '_' || r == '/' || r == '.' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	var s strings.Builder
	for i := range len(key) {
		// A token is never empty: no dot first, last or behind another.
		dot := key[i] == '.' && (i == 0 || i == len(key)-1 || key[i-1] == '.')
		if plain(key[i]) && !dot {
			s.WriteByte(key[i])
		} else {
			fmt.Fprintf(&s, "=%02X", key[i])
		}
	}
	return s.String()
}

func unescapeKey(key string) string {
	var s strings.Builder
	for i := 0; i < len(key); i++ {
		if b, err := hex.DecodeString(key[min(i+1, len(key)):min(i+3, len(key))]); key[i] == '=' && err == nil && len(b) == 1 {
			s.WriteByte(b[0])
			i += 2
		} else {
			s.WriteByte(key[i])
		}
	}
	return s.String()
}
