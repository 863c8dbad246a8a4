package fanout_test

import (
	"flag"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

var (
	worldSeed  = flag.Uint64("world", 0, "run this one world")
	worldCount = flag.Uint64("worlds", 200, "how many worlds to run")
)

type seeded struct {
	*rand.Rand
	left int
}

func (s *seeded) roll(n int) int { return s.IntN(n) }
func (s *seeded) over() bool     { s.left--; return s.left < 0 }

// TestWorlds lives through random worlds beside the model: joins, leaves, slow
// readers, deletes, overtaking, resumes, restarts.
func TestWorlds(t *testing.T) {
	first, last := uint64(1), *worldCount
	if testing.Short() {
		last = 60
	}
	if *worldSeed != 0 {
		first, last = *worldSeed, *worldSeed
	}
	var sum struct{ delivered, gaps, tombs, resumes, deaths int }
	for seed := first; seed <= last; seed++ {
		d := &seeded{Rand: rand.New(rand.NewPCG(seed, 7)), left: 160}
		synctest.Test(t, func(t *testing.T) {
			defer func() {
				if t.Failed() {
					t.Logf("again: go test -run TestWorlds -world %d", seed)
				}
			}()
			s := live(t, d).stats
			sum.delivered += s.delivered
			sum.gaps += s.gaps
			sum.tombs += s.tombs
			sum.resumes += s.resumes
			sum.deaths += s.deaths
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d worlds: %+v", last-first+1, sum)
	if *worldSeed == 0 && (sum.gaps == 0 || sum.tombs == 0 || sum.deaths == 0) {
		t.Error("the worlds are too quiet to show anything")
	}
}

// FuzzWorld is TestWorlds with the fuzzer's bytes as dice.
func FuzzWorld(f *testing.F) {
	f.Add([]byte("a world of few words"))
	f.Add([]byte("\x02\x00\x01\x03\x05\x07\x0b\x0d\x11\x13\x17\x1d\x1f overtaken \x00\x00\x00\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return
		}
		synctest.Test(t, func(t *testing.T) { live(t, &bytesDice{data}) })
	})
}

type bytesDice struct{ data []byte }

func (b *bytesDice) over() bool { return len(b.data) == 0 }
func (b *bytesDice) roll(n int) int {
	if len(b.data) == 0 {
		return 0
	}
	v := int(b.data[0])
	b.data = b.data[1:]
	if n > 256 && len(b.data) > 0 {
		v = v<<8 | int(b.data[0])
		b.data = b.data[1:]
	}
	return v % n
}

// live is one world from beginning to end.
func live(t *testing.T, d dice) *world {
	config := fanout.Config{Events: 1 + d.roll(60), Age: 24 * time.Hour}
	bursts := 12
	switch d.roll(24) {
	case 0: // several segments, long lists
		config.Events, bursts = 300+d.roll(2500), 250
	case 1, 2, 3: // ages
		config.Age = time.Duration(1+d.roll(60)) * time.Second
	}
	w := newWorld(t, d, config)
	for !w.over() {
		w.act(bursts)
	}
	w.drain(config.Age < time.Hour)
	for _, r := range w.readers {
		r.sub.Close()
	}
	if s := w.hub.Stats(); s.Filters != 0 || s.Subscriptions != 0 {
		t.Errorf("%d filters and %d subscriptions are left", s.Filters, s.Subscriptions)
	}
	w.hub.Close()
	return w
}

var filters = []words{nil, nil, {"w0"}, {"w1"}, {"w2"}, {"w3"}, {"w2", "w3"}, {"never"}, {"w0", "w1"}}

// act is one step of a world.
func (w *world) act(bursts int) {
	switch n := w.roll(40); {
	case n < 12:
		for range 1 + w.roll(bursts) {
			if w.roll(5) == 0 {
				w.publish(w.randomNotice())
			} else {
				w.publish(w.randomPost())
			}
		}
	case n < 14:
		w.publish(w.randomNotice())
	case n < 26 && len(w.readers) > 0:
		w.pull(w.readers[w.roll(len(w.readers))], 1+w.roll(70))
	case n < 28 && len(w.readers) > 0:
		w.heartbeat(w.readers[w.roll(len(w.readers))])
	case n < 30 && len(w.readers) > 0: // leaves, for now
		i := w.roll(len(w.readers))
		r := w.readers[i]
		r.sub.Close()
		w.readers = append(w.readers[:i], w.readers[i+1:]...)
		w.gone = append(w.gone, r)
	case n < 33 && len(w.gone) > 0: // comes back
		i := w.roll(len(w.gone))
		r := w.gone[i]
		w.gone = append(w.gone[:i], w.gone[i+1:]...)
		w.connect(r, fanout.Start{Mode: fanout.StartCursor, Cursor: r.last})
		w.readers = append(w.readers, r)
	case n < 37 && len(w.readers) < 12:
		w.join()
	case n < 38:
		time.Sleep(time.Duration(w.roll(20000)) * time.Millisecond)
	case n == 38:
		w.lap++
	case n == 39 && w.roll(6) == 0:
		w.restart()
	}
}

func (w *world) join() {
	r := &reader{filter: filters[w.roll(len(filters))], unseen: w.roll(3) == 0, heard: map[*entry]bool{}}
	head := w.hub.Stats().Head
	start := fanout.Start{}
	switch w.roll(5) {
	case 1:
		start = fanout.Start{Mode: fanout.StartCursor, Cursor: fanout.Cursor{Epoch: head.Epoch, Seq: uint64(w.roll(int(head.Seq) + 6))}}
	case 2:
		start = fanout.Start{Mode: fanout.StartPost, Post: w.someID()}
	case 3:
		start = fanout.Start{Mode: fanout.StartTime, Time: time.Now().Add(-time.Duration(w.roll(60000)) * time.Millisecond)}
	}
	w.connect(r, start)
	w.readers = append(w.readers, r)
}

// restart is another life of the log: all connections end, all cursors are of
// another epoch.
func (w *world) restart() {
	w.note("restart")
	for _, r := range w.readers {
		r.sub.Close()
	}
	w.gone, w.readers = append(w.gone, w.readers...), nil
	w.hub.Close()
	config := fanout.Config{Events: w.model.events, Age: w.model.age}
	for {
		old := w.hub.Stats().Head.Epoch
		if w.hub = fanout.NewHub(config); w.hub.Stats().Head.Epoch != old {
			break
		}
	}
	w.bell = w.hub.NewBell()
	w.model = newModel(config.Events, config.Age)
	for _, r := range w.gone {
		r.got, r.heard = nil, map[*entry]bool{}
	}
}
