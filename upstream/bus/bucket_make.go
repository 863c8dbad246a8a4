package bus

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// ensure makes the bucket if it is not there, also when somebody deleted it while it
// was in use, and brings its settings up to date once.
func (k *bucket) ensure(ctx context.Context, js jetstream.JetStream) error {
	ctx, cancel := context.WithTimeout(ctx, 2*askTimeout)
	defer cancel()
	k.mu.Lock()
	known, bound, checked := k.kv != nil, k.kv != nil && k.of == js, k.checked
	k.mu.Unlock()
	s, err := js.Stream(ctx, "KV_"+k.name)
	made := errors.Is(err, jetstream.ErrStreamNotFound)
	if made && known && !k.passing {
		if err := removed(ctx); err != nil {
			return err
		}
	}
	if made {
		s, err = k.make(ctx, js)
	}
	if err != nil {
		return err
	}
	if !k.passing {
		if err := inFiles(s.CachedInfo()); err != nil {
			return err
		}
	}
	if bound && !made {
		return nil
	}
	have := s.CachedInfo().Config
	if want := k.wanted(have); !checked && (have.MaxAge != want.MaxAge || have.Replicas != want.Replicas || have.AllowDirect) {
		if _, err := js.UpdateStream(ctx, want); err != nil {
			return err
		}
	}
	kv, err := js.KeyValue(ctx, k.name)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kv, k.of, k.checked = kv, js, true
	return nil
}

// make makes the bucket, unless another node was quicker.
func (k *bucket) make(ctx context.Context, js jetstream.JetStream) (jetstream.Stream, error) {
	c := k.wanted(jetstream.StreamConfig{Storage: k.storage(), Description: "aviary"})
	var err error
	if !k.passing {
		if c.FirstSeq, err = k.bus.firstRevision(ctx, js); err != nil {
			return nil, err
		}
	}
	s, err := js.CreateStream(ctx, c)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return js.Stream(ctx, "KV_"+k.name)
	}
	return s, err
}

func (k *bucket) wanted(c jetstream.StreamConfig) jetstream.StreamConfig {
	there := c.Name != ""
	c.Name, c.Subjects = "KV_"+k.name, []string{"$KV." + k.name + ".>"}
	c.MaxMsgsPerSubject, c.MaxMsgs, c.MaxBytes = 1, -1, -1
	c.MaxAge = k.ttl
	if !there || !k.bus.config.Guest {
		c.Replicas = k.bus.config.Replicas
	}
	c.Discard, c.DenyDelete, c.AllowRollup = jetstream.DiscardNew, true, true
	c.AllowDirect = false
	c.Duplicates = duplicates
	if k.ttl > 0 {
		c.Duplicates = min(duplicates, k.ttl)
	}
	if k.passing { // the oldest go, not those that come
		c.MaxMsgs, c.MaxBytes, c.Discard = maxPassing, maxPassingBytes, jetstream.DiscardOld
	}
	return c
}

// Bounds of a bucket in memory.
const (
	maxPassing      = 1000
	maxPassingBytes = 16 << 20
)

func (k *bucket) storage() jetstream.StorageType {
	if k.passing {
		return jetstream.MemoryStorage
	}
	return jetstream.FileStorage
}

// offer makes a bucket that the bus can do without.
func (k *bucket) offer(ctx context.Context) {
	js, err := k.bus.jetStream()
	if err == nil {
		err = k.ensure(ctx, js)
	}
	if err != nil && ctx.Err() == nil {
		k.bus.log().Debug("a bucket is not there", "bucket", k.name, "error", err)
	}
}

// firstRevision is above every term on the bus: a term is a revision of the
// bucket of leases, and a bucket that was lost must not hand out old ones.
func (b *Bus) firstRevision(ctx context.Context, js jetstream.JetStream) (uint64, error) {
	s, err := js.Stream(ctx, b.config.Name)
	if err != nil {
		return 0, err
	}
	first := b.term.Load()
	for _, subject := range []string{b.config.terms(), b.config.events()} {
		m, err := s.GetLastMsgForSubject(ctx, subject)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if at, err := head(m.Header); err == nil {
			first = max(first, at.term)
		}
	}
	return first + 1, nil
}
