package fanout_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
)

func TestFilters(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{})
	var subs []*fanout.Subscription
	for _, c := range []struct{ track, key string }{
		{"go", ""}, {"go", ""}, {"go", "a"}, {"go", "a"}, {"go", "b"}, {"rust", "b"}, {"", ""},
	} {
		var f words
		if c.track != "" {
			f = words{c.track}
		}
		s, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: parse(t, f), Key: c.key})
		subs = append(subs, s)
	}
	show := func() string {
		var out []string
		for _, a := range hub.Filters() {
			slices.Sort(a.Keys)
			out = append(out, fmt.Sprintf("%s %d %v", a.Filter, a.Clients, a.Keys))
		}
		return strings.Join(out, ", ")
	}
	if got := show(); got != " 1 [], track=go 2 [a b], track=rust 0 [b]" {
		t.Error(got)
	}
	subs[2].Close() // a has another
	subs[4].Close()
	subs[5].Close()
	if got := show(); got != " 1 [], track=go 2 [a]" {
		t.Error(got)
	}
	for _, s := range subs {
		s.Close()
	}
	if got := show(); got != "" {
		t.Error(got)
	}
}

// A gap that is for some filters goes to their clients, by the bell and by Next,
// also when they come back; to nobody else.
func TestTellGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub := fanout.NewHub(fanout.Config{})
		bell := hub.NewBell()
		open := func(f words, start fanout.Start) *fanout.Subscription {
			s, r := hub.Subscribe(fanout.SubscribeOptions{Filter: parse(t, f), Bell: bell, Start: start})
			if len(r.Tombstones) > 0 {
				t.Errorf("%v: tombstones %s", f, ids(r.Tombstones))
			}
			return s
		}
		goes, rust, all := open(words{"go"}, fanout.Start{}), open(words{"rust"}, fanout.Start{}), open(nil, fanout.Start{})
		defer all.Close()
		mustPublish(t, hub, post("1", "go", "rust"))
		from := goes.Cursor()
		hub.TellGap(map[string]bool{"track=go": true, "track=zig": true, "": true}, fanout.Loss{Reason: "upstream", Missed: -1, From: time.Now()})
		mustPublish(t, hub, post("2", "go", "rust"))

		var round fanout.Round
		bell.Take(&round)
		for _, due := range round.Due {
			want := "1 2"
			if due.Group == goes.Group() {
				want = "1 gap 2"
			}
			if got := ids(round.Merge(nil, due.Events, due.Group, false)); got != want {
				t.Errorf("%q gets %s", due.Group.Filter(), got)
			}
		}
		for s, want := range map[*fanout.Subscription]string{goes: "1 gap 2", rust: "1 2", all: "1 2"} {
			events, _ := s.Next(nil, 10)
			if got := ids(events); got != want {
				t.Errorf("%q: Next brings %s, want %s", s.Group().Filter(), got, want)
			}
		}
		again := open(words{"go"}, fanout.Start{Mode: fanout.StartCursor, Cursor: from})
		events, _ := again.Next(nil, 10)
		if got := ids(events); !strings.HasSuffix(got, "gap 2") && got != "2" {
			t.Errorf("a client that comes back gets %s", got)
		}
		if text := string(events[0].JSON); events[0].Kind == fanout.KindGap && !strings.Contains(text, `"missed":null,"reason":"upstream"`) {
			t.Error(text)
		}
		again.Close()
		rust.Close()
		goes.Close()
	})
}
