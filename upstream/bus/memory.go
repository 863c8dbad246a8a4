package bus

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// The embedded server keeps each block of 8 MB that it has written or read for 10 s,
// and hands its buffers to pools that let go of one at the third collection. Go's
// collector runs when the heap has doubled: beside a history of 100 MB, what a volley
// needed for a second would stay for hours, and as much again as slack.
const (
	watchEvery = 500 * time.Millisecond
	mostSlack  = 4        // the heap may grow by a fourth of what lives
	leastSlack = 16 << 20 // or by so much, before it is collected

	giveBackAfter = 16 << 20         // bytes allocated since memory was given back last
	giveBackEvery = 5 * time.Second  // at most, as long as a volley lasts
	blocksExpire  = 12 * time.Second // after the last access, with the server's timers
	giveBackAgain = 3                // times then: weak pointer, pool, and the pool's victims
)

// giveBack keeps the heap of a process with an embedded server small, until ctx ends:
// it has Go's collector run sooner, and returns memory to the system while much is
// allocated, right after it, and when the server's blocks have expired. In a process
// at rest it costs nothing.
func giveBack(ctx context.Context) {
	percent := &shared
	percent.take()
	defer percent.leave()
	t := time.NewTicker(watchEvery)
	defer t.Stop()
	var (
		given, seen  = allocated(), allocated()
		last, active time.Time
		left         int // collections that are due once the blocks have expired
	)
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		percent.adapt()
		now, total := time.Now(), allocated()
		quiet := total-seen < giveBackAfter/16
		if seen = total; !quiet {
			active = now
		}
		switch {
		case total-given > giveBackAfter && (quiet || now.Sub(last) > giveBackEvery):
			left = giveBackAgain
		case left > 0 && now.Sub(active) > blocksExpire:
			left--
		default:
			continue
		}
		debug.FreeOSMemory() // it collects first
		last, given = now, allocated()
	}
}

// allocated is how many bytes this process has ever allocated.
func allocated() uint64 { return measured("/gc/heap/allocs:bytes") }

func measured(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// percent is the collector's one setting, GOGC, for all embedded servers of a process.
type percent struct {
	mu    sync.Mutex
	users int
	own   bool // it had its default, 100: nobody else has chosen one
	set   int
}

var shared percent

func (p *percent) take() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users++; p.users > 1 {
		return
	}
	was := debug.SetGCPercent(100)
	if p.own, p.set = was == 100, 100; !p.own {
		debug.SetGCPercent(was)
	}
}

// adapt has the heap grow by no more than the slack that what lives is worth.
func (p *percent) adapt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.own {
		return
	}
	want := slack(measured("/gc/heap/live:bytes"))
	if far := p.set/8 + 1; want < p.set-far || want > p.set+far {
		debug.SetGCPercent(want)
		p.set = want
	}
}

func (p *percent) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users--; p.users == 0 && p.own {
		debug.SetGCPercent(100)
	}
}

// slack is by how many percent a heap of which so much lives may grow.
func slack(live uint64) int {
	if live < leastSlack {
		return 100
	}
	return int(max(leastSlack*100/live, 100/mostSlack))
}
