package fanout_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
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

// However clients come and go between two looks, or during one, Filters says in the
// end who is there.
func TestFiltersFollow(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	hub := fanout.NewHub(fanout.Config{})
	type client struct {
		sub  *fanout.Subscription
		text string
		key  string
	}
	var there []client
	step := func() {
		if len(there) > 0 && r.IntN(5) < 2 {
			i := r.IntN(len(there))
			there[i].sub.Close()
			there = append(there[:i], there[i+1:]...)
			return
		}
		c := client{text: fmt.Sprintf("track=w%d", r.IntN(700)), key: []string{"", "a", "b"}[r.IntN(3)]}
		if r.IntN(50) == 0 {
			c.text = ""
		}
		f, err := filter.ParseString(c.text)
		if err != nil {
			t.Fatal(err)
		}
		c.sub, _ = hub.Subscribe(fanout.SubscribeOptions{Filter: f, Key: c.key})
		there = append(there, c)
	}
	check := func() {
		t.Helper()
		clients, keys := map[string]int{}, map[string]map[string]bool{}
		for _, c := range there {
			clients[c.text] += 0
			if c.key == "" {
				clients[c.text]++
				continue
			}
			if keys[c.text] == nil {
				keys[c.text] = map[string]bool{}
			}
			keys[c.text][c.key] = true
		}
		all := hub.Filters()
		if len(all) != len(clients) {
			t.Fatalf("%d filters, want %d", len(all), len(clients))
		}
		for i, a := range all {
			text := a.Filter.String()
			if n, known := clients[text]; !known || a.Clients != n || len(a.Keys) != len(keys[text]) {
				t.Fatalf("%q: %+v, want %d clients and the keys %v", text, a, n, keys[text])
			}
			if i > 0 && all[i-1].Filter.String() >= text {
				t.Fatalf("%q stands before %q", all[i-1].Filter, text)
			}
		}
	}
	for range 200 {
		for range r.IntN(40) {
			step()
		}
		check()
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				hub.Filters()
			}
		}
	}()
	for range 3000 {
		step()
	}
	close(stop)
	<-done
	check()
}
