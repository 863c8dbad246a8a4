package bus

import (
	"fmt"
	"testing"
	"time"

	"aviary/fanout"
)

// Events age on disk while deletes stay: who reads then finds the deletes only, and who
// comes with a cursor from before is told that the history begins later.
func TestAgesOnDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBus(t, Config{DataDir: dir, Age: time.Second})
	publish(t, b, 1, append(posts(t, 1, 5), testDelete(t, 3))...)
	second := fanout.Cursor{Epoch: b.Epoch(), Seq: 3} // post 2: the marker is before it
	eventually(t, func() error {
		b.look() // which comes soon
		if held := b.Status().Messages; held != 2 {
			return fmt.Errorf("%d messages are held, want the marker and the delete", held)
		}
		return nil
	})
	b.Close()

	b = openBus(t, Config{DataDir: dir})
	n := follow(t, b)
	n.filled(t)
	n.expect(t, "delete:3")
	publish(t, b, 2, testPost(t, 3), testPost(t, 6)) // a late copy of what is deleted
	eventually(t, func() error {
		if n.hub.Has(key(3)) || !n.hub.Has(key(6)) {
			return fmt.Errorf("post 3 is held: %v, post 6: %v", n.hub.Has(key(3)), n.hub.Has(key(6)))
		}
		return nil
	})
	sub, resume := n.hub.Subscribe(fanout.SubscribeOptions{Start: fanout.Start{Mode: fanout.StartCursor, Cursor: second}})
	defer sub.Close()
	if resume.How != fanout.ResumedPartial || resume.Missed == 0 {
		t.Errorf("a cursor from before is answered with %v, %d missed, gap %+v", resume.How, resume.Missed, resume.Gap)
	}
	if len(resume.Tombstones) != 1 {
		t.Errorf("%d deletes are told", len(resume.Tombstones))
	}
}

// A store that held more than HISTORY_EVENTS: after a restart, too, who comes with a
// cursor from before what is held is told.
func TestLeftTheStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for events, c := range map[int]struct{ whole, partial []uint64 }{ // sequences: the marker's is 1
		100: {whole: []uint64{0, 1, 2, 16, 26}},
		10:  {whole: []uint64{16, 17, 26}, partial: []uint64{0, 1, 5, 15}},
	} {
		config := Config{DataDir: fmt.Sprint(dir, "/", events), Events: events}
		b := openBus(t, config)
		publish(t, b, 1, posts(t, 1, 25)...)
		b.Close()
		b = openBus(t, config)
		n := follow(t, b)
		n.filled(t)
		n.expect(t, numbers(26-min(events, 25), 25))
		check := func(seq uint64, want fanout.Resumed) {
			sub, resume := n.hub.Subscribe(fanout.SubscribeOptions{Start: fanout.Start{Mode: fanout.StartCursor, Cursor: fanout.Cursor{Epoch: b.Epoch(), Seq: seq}}})
			defer sub.Close()
			told := resume.Gap.Reason == fanout.GapHistory && resume.Missed == -1
			if resume.How != want || told != (want == fanout.ResumedPartial) {
				t.Errorf("of %d events, a cursor at %d is answered with %v, %d missed, gap %+v", events, seq, resume.How, resume.Missed, resume.Gap)
			}
		}
		for _, seq := range c.whole {
			check(seq, fanout.ResumedFull)
		}
		for _, seq := range c.partial {
			check(seq, fanout.ResumedPartial)
		}
	}
}
