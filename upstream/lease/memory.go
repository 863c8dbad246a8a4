package lease

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"
)

// Memory is a Store in the memory of one process.
type Memory struct {
	ttl time.Duration

	mu       sync.Mutex
	rev      uint64
	keys     map[string]entry
	watchers map[*watcher]struct{}
}

type entry struct {
	value []byte
	rev   uint64
	until time.Time // zero: it stays
}

type watcher struct {
	prefix string
	out    chan Entry
}

// NewMemory returns an empty Store whose keys vanish ttl after their last write;
// 0: they stay.
func NewMemory(ttl time.Duration) *Memory {
	return &Memory{ttl: ttl, keys: map[string]entry{}, watchers: map[*watcher]struct{}{}}
}

// lookLocked returns a key that has not vanished; mu is held.
func (m *Memory) lookLocked(key string) (entry, bool) {
	e, ok := m.keys[key]
	if ok && !e.until.IsZero() && !time.Now().Before(e.until) {
		delete(m.keys, key)
		return entry{}, false
	}
	return e, ok
}

// writeLocked writes and tells the watchers; mu is held.
func (m *Memory) writeLocked(key string, value []byte) uint64 {
	m.rev++
	e := entry{value: bytes.Clone(value), rev: m.rev}
	if m.ttl > 0 {
		e.until = time.Now().Add(m.ttl)
	}
	m.keys[key] = e
	m.tellLocked(Entry{Key: key, Value: value, Rev: e.rev})
	return e.rev
}

func (m *Memory) tellLocked(e Entry) {
	for w := range m.watchers {
		if !strings.HasPrefix(e.Key, w.prefix) {
			continue
		}
		e.Value = bytes.Clone(e.Value)
		select {
		case w.out <- e:
		default: // lost: whoever watches also asks
		}
	}
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if _, ok := m.lookLocked(key); ok {
		return 0, ErrExists
	}
	return m.writeLocked(key, value), nil
}

// Update implements Store.
func (m *Memory) Update(ctx context.Context, key string, value []byte, rev uint64) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if e, ok := m.lookLocked(key); !ok || e.rev != rev {
		return 0, ErrChanged
	}
	return m.writeLocked(key, value), nil
}

// Put implements Store.
func (m *Memory) Put(ctx context.Context, key string, value []byte) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return m.writeLocked(key, value), nil
}

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	e, ok := m.lookLocked(key)
	if !ok {
		return nil, 0, ErrNone
	}
	return bytes.Clone(e.value), e.rev, nil
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, key string, rev uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	e, ok := m.lookLocked(key)
	if rev != 0 && (!ok || e.rev != rev) {
		return ErrChanged
	}
	if ok {
		m.rev++
		delete(m.keys, key)
		m.tellLocked(Entry{Key: key, Rev: m.rev, Deleted: true})
	}
	return nil
}

// Watch implements Store.
func (m *Memory) Watch(ctx context.Context, prefix string) (<-chan Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w := &watcher{prefix: prefix, out: make(chan Entry, 64+len(m.keys))}
	for key := range m.keys {
		if e, ok := m.lookLocked(key); ok && strings.HasPrefix(key, prefix) {
			w.out <- Entry{Key: key, Value: bytes.Clone(e.value), Rev: e.rev}
		}
	}
	m.watchers[w] = struct{}{}
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.watchers, w)
		close(w.out)
	})
	return w.out, nil
}
