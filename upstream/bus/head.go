package bus

import (
	"context"
	"encoding/json"
	"time"
)

// headKey is where the leader notes, in the store of states, how far the stream
// came. A stream that ends before it was restored from a backup.
const headKey = "bus.head"

// headNote is read and written once the bucket is there.
type headNote struct {
	Epoch uint32 `json:"epoch"`
	Last  uint64 `json:"last"`
}

func (b *Bus) readHead(ctx context.Context) (h headNote, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	b.state.mu.Lock()
	kv := b.state.kv
	b.state.mu.Unlock()
	e, err := kv.Get(ctx, headKey)
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(e.Value(), &h)
}

func (b *Bus) writeHead(ctx context.Context, h headNote) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	value, err := json.Marshal(h)
	if err != nil {
		return err
	}
	b.state.mu.Lock()
	kv := b.state.kv
	b.state.mu.Unlock()
	_, err = kv.Put(ctx, headKey, value)
	return err
}
