package bus

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The embedded server keeps each block that it has written or read in memory for 10 s,
// and its buffers for as long as the garbage collector lets it. What it needs for a
// volley, or for reading the history at the start, would stay with the process:
// a heap that was large once is collected seldom.
const (
	giveBackEvery = 10 * time.Second
	giveBackAfter = 16 << 20 // bytes allocated since the last time
	giveBackAgain = 2        // times more: blocks expire after the volley
)

// giveBack returns memory to the system after much was allocated, until ctx ends. It
// costs two collections, some ten milliseconds each, and nothing in a process at rest.
func giveBack(ctx context.Context) {
	t := time.NewTicker(giveBackEvery)
	defer t.Stop()
	before, again := allocated(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if allocated()-before > giveBackAfter {
			again = giveBackAgain + 1
		}
		if again == 0 {
			continue
		}
		again--
		runtime.GC() // a pool gives up its buffers at the second collection
		debug.FreeOSMemory()
		before = allocated()
	}
}

// allocated is how many bytes this process has ever allocated.
func allocated() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
