package fanout

import (
	"testing"
	"time"
)

// What had left the publisher's store before the hub read it is missing for whoever asks
// for more, by cursor or by time; Renew makes it forgotten.
func TestLost(t *testing.T) {
	h := NewHub(Config{})
	epoch := h.epoch.Load()
	at := time.Now()
	h.Lost(100, at)
	h.Lost(60, at.Add(-time.Minute)) // says nothing new
	if !h.Publish(&Event{ID: Cursor{Seq: 101}, Kind: KindOther, Received: at.Add(time.Second)}) {
		t.Fatal("not published")
	}
	ask := func(start Start) Resume {
		sub, resume := h.Subscribe(SubscribeOptions{Start: start})
		sub.Close()
		return resume
	}
	for _, c := range []struct {
		start Start
		want  Resumed
	}{
		{Start{Mode: StartCursor, Cursor: Cursor{epoch, 99}}, ResumedPartial},
		{Start{Mode: StartCursor, Cursor: Cursor{epoch, 100}}, ResumedFull},
		{Start{Mode: StartCursor, Cursor: Cursor{epoch, 101}}, ResumedFull},
		{Start{Mode: StartTime, Time: at}, ResumedPartial},
		{Start{Mode: StartTime, Time: at.Add(time.Millisecond)}, ResumedFull},
	} {
		r := ask(c.start)
		if r.How != c.want || r.How == ResumedPartial && (r.Missed != -1 || r.Gap.Reason != GapHistory) {
			t.Errorf("%+v: %v, %d missed, gap %+v", c.start, r.How, r.Missed, r.Gap)
		}
	}
	h.Renew(0)
	if r := ask(Start{Mode: StartCursor, Cursor: Cursor{h.epoch.Load(), 0}}); r.How != ResumedFull {
		t.Errorf("after Renew: %v", r.How)
	}
}
