package fanout_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

// A publisher that numbers and dates its events: the hub keeps both.
func TestReceivedIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := fanout.NewHub(fanout.Config{Age: time.Hour})
		sub, _ := hub.Subscribe(fanout.SubscribeOptions{})
		defer sub.Close()
		now := time.Now()
		given := []time.Duration{-3 * time.Minute, -2 * time.Minute, -150 * time.Second, time.Minute, -time.Minute}
		want := []time.Duration{-3 * time.Minute, -2 * time.Minute, -2 * time.Minute, 0, 0}
		for i, d := range given {
			e := post(strconv.Itoa(i))
			e.ID.Seq, e.Received = uint64(10*i+10), now.Round(0).Add(d)
			mustPublish(t, hub, e)
		}
		events, _ := sub.Next(nil, 10)
		if len(events) != len(given) {
			t.Fatalf("got %d events", len(events))
		}
		for i, e := range events {
			if got := e.Received.Sub(now); got != want[i] || e.ID.Seq != uint64(10*i+10) {
				t.Errorf("event %d given %v was received at %v as %v, not %v", i, given[i], got, e.ID, want[i])
			}
		}
		time.Sleep(57*time.Minute + time.Second)
		if got := hub.Stats().Events; got != 4 {
			t.Errorf("%d events are held, not 4: one is an hour old by the time given", got)
		}
	})
}

// A delete that says its post was seen is for everybody, held or not.
func TestDeleteOfSeenPost(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{})
	for _, seen := range []bool{true, false} {
		e := fanout.NewEvent(dialect, []byte(`{"delete":{}}`))
		e.Kind, e.Target, e.Seen = fanout.KindDelete, fanout.Target{ID: strconv.FormatBool(seen)}, seen
		mustPublish(t, hub, e)
		if (e.Aim == fanout.AimEveryone) != seen {
			t.Errorf("seen %v: the aim is %v", seen, e.Aim)
		}
	}
}

func TestRenew(t *testing.T) {
	const before, after = 604661761, 604661762 // epochs
	at := func(seq uint64) fanout.Cursor { return fanout.Cursor{Epoch: before, Seq: seq} }
	for name, c := range map[string]struct {
		from   fanout.Start
		words  words
		missed int64
	}{
		"at the head":       {},
		"ahead of the log":  {from: fanout.Start{Mode: fanout.StartCursor, Cursor: at(1000)}},
		"behind":            {from: fanout.Start{Mode: fanout.StartCursor, Cursor: at(5)}, missed: 5},
		"with a filter":     {words: words{"w1"}},
		"behind one filter": {from: fanout.Start{Mode: fanout.StartCursor, Cursor: at(5)}, words: words{"w1"}, missed: 5},
	} {
		t.Run(name, func(t *testing.T) {
			hub := fanout.NewHub(fanout.Config{Epoch: before})
			bell := hub.NewBell()
			defer bell.Close()
			for i := range 10 {
				mustPublish(t, hub, post(strconv.Itoa(i), "w1"))
			}
			sub, _ := hub.Subscribe(fanout.SubscribeOptions{Start: c.from, Filter: parse(t, c.words), Bell: bell})
			defer sub.Close()
			hub.Renew(after)
			if s := hub.Stats(); s.Events != 0 || s.Bytes != 0 || s.Head != (fanout.Cursor{Epoch: after}) {
				t.Fatalf("the hub holds %+v", s)
			}
			for i := range 4 { // the same numbers and posts again
				e := post(strconv.Itoa(i), "w1")
				e.ID.Seq = uint64(2*i + 1)
				mustPublish(t, hub, e)
			}
			var round fanout.Round
			if bell.Take(&round); !round.Overtaken {
				t.Error("the round does not say that members must pull")
			}
			var missed int64
			var events []*fanout.Event
			for range 5 {
				more, gap := sub.Next(nil, 10)
				events, missed = append(events, more...), missed+gap.Missed
			}
			head := fanout.Cursor{Epoch: after, Seq: 7}
			if missed+int64(len(events)) != c.missed+4 || missed < c.missed || len(events) == 0 || events[len(events)-1].ID != head || sub.Cursor() != head {
				t.Errorf("missed %d, got %s, stands at %v", missed, ids(events), sub.Cursor())
			}
			_, r := hub.Subscribe(fanout.SubscribeOptions{Start: fanout.Start{Mode: fanout.StartCursor, Cursor: at(5)}})
			if r.How != fanout.ResumedNone || r.Gap.Reason != fanout.GapRestart {
				t.Errorf("a cursor of the old epoch resumes %v with %+v", r.How, r.Gap)
			}
		})
	}
}
