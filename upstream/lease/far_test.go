package lease

import (
	"context"
	"errors"
	"sync"
	"time"
)

var errWire = errors.New("no answer")

// far is a Store on the other side of a network.
type far struct {
	m  *machine
	is Store
}

// call carries one request there and one answer back; lost says which of them is lost.
func (f far) call(ctx context.Context, do func()) error {
	w := f.m.w
	w.mu.Lock()
	w.calls++
	trouble := w.trouble
	w.mu.Unlock()
	if !f.m.freeze() {
		return errWire
	}
	there, back, lost := w.r(10), w.r(10), 99
	if trouble {
		lost = w.r(40)
		if w.r(20) == 0 {
			there = w.r(700)
		}
		if w.r(20) == 0 {
			back = w.r(700)
		}
	}
	arrived := make(chan struct{})
	go func() { // what was sent arrives, whether or not somebody waits
		defer close(arrived)
		time.Sleep(time.Duration(there) * time.Millisecond)
		if lost != 0 {
			do()
		}
		time.Sleep(time.Duration(back) * time.Millisecond)
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-arrived:
	}
	if !f.m.freeze() {
		return errWire
	}
	if lost < 2 {
		<-ctx.Done()
		return ctx.Err()
	}
	return ctx.Err()
}

type answer struct {
	mu    sync.Mutex
	value []byte
	rev   uint64
	err   error
}

func (f far) do(ctx context.Context, op func(context.Context) ([]byte, uint64, error)) ([]byte, uint64, error) {
	var a answer
	err := f.call(ctx, func() {
		v, rev, err := op(context.Background())
		a.mu.Lock()
		defer a.mu.Unlock()
		a.value, a.rev, a.err = v, rev, err
	})
	if err != nil {
		return nil, 0, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.value, a.rev, a.err
}

func (f far) Create(ctx context.Context, key string, value []byte) (uint64, error) {
	_, rev, err := f.do(ctx, func(ctx context.Context) ([]byte, uint64, error) {
		rev, err := f.is.Create(ctx, key, value)
		return nil, rev, err
	})
	return rev, err
}

func (f far) Update(ctx context.Context, key string, value []byte, old uint64) (uint64, error) {
	_, rev, err := f.do(ctx, func(ctx context.Context) ([]byte, uint64, error) {
		rev, err := f.is.Update(ctx, key, value, old)
		return nil, rev, err
	})
	return rev, err
}

func (f far) Put(ctx context.Context, key string, value []byte) (uint64, error) {
	_, rev, err := f.do(ctx, func(ctx context.Context) ([]byte, uint64, error) {
		rev, err := f.is.Put(ctx, key, value)
		return nil, rev, err
	})
	return rev, err
}

func (f far) Get(ctx context.Context, key string) ([]byte, uint64, error) {
	return f.do(ctx, func(ctx context.Context) ([]byte, uint64, error) { return f.is.Get(ctx, key) })
}

func (f far) Delete(ctx context.Context, key string, old uint64) error {
	_, _, err := f.do(ctx, func(ctx context.Context) ([]byte, uint64, error) { return nil, 0, f.is.Delete(ctx, key, old) })
	return err
}

func (f far) Watch(ctx context.Context, prefix string) (<-chan Entry, error) {
	return f.is.Watch(ctx, prefix)
}
