package wire

import (
	"runtime"
	"sync"
)

// maxEncoders bounds each pool: four encode 100,000 posts a second. The tables
// of one take 1 MB (gzip), 1.3 MB (zstd) or 2.7 MB (dcz).
const maxEncoders = 4

// pool holds encoders: as many as were at work at once, but never more than
// there are processors or maxEncoders. They are made when first needed and kept,
// since making their tables takes longer than encoding many events. Who finds
// none free waits for one, which is a matter of microseconds.
type pool[T any] struct {
	build func() *T

	once sync.Once
	busy chan struct{} // one for each that is at work

	mu   sync.Mutex
	free []*T // the one used last, whose tables are in the caches, at the end
}

func (p *pool[T]) get() *T {
	p.once.Do(func() { p.busy = make(chan struct{}, min(runtime.GOMAXPROCS(0), maxEncoders)) })
	p.busy <- struct{}{}
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.free) - 1
	if last < 0 {
		return p.build()
	}
	e := p.free[last]
	p.free = p.free[:last]
	return e
}

func (p *pool[T]) put(e *T) {
	p.mu.Lock()
	p.free = append(p.free, e)
	p.mu.Unlock()
	<-p.busy
}
