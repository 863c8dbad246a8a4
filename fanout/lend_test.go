package fanout_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// lent is a hub with a lent bell, and n subscriptions of one filter.
func lent(t *testing.T, few int, filters ...string) (*fanout.Hub, *fanout.Bell, *int, *bool) {
	t.Helper()
	hub := fanout.NewHub(fanout.Config{})
	bell := hub.NewBell()
	served, willing := new(int), new(bool)
	*willing = true
	bell.Lend(few, func() bool {
		*served++
		if *willing {
			var r fanout.Round
			bell.Take(&r)
		}
		return *willing
	})
	for _, text := range filters {
		f, err := filter.ParseString(text)
		if err != nil {
			t.Fatal(err)
		}
		hub.Subscribe(fanout.SubscribeOptions{Filter: f, Bell: bell})
	}
	return hub, bell, served, willing
}

func rung(b *fanout.Bell) bool {
	select {
	case <-b.C():
		return true
	default:
		return false
	}
}

// The publisher serves what concerns few, all that has gathered counted; the owner
// is rung for the rest, and when the publisher will not.
func TestLend(t *testing.T) {
	hub, bell, served, willing := lent(t, 2, "track=a", "track=a", "track=b", "track=c", "")
	expect := func(what string, e *fanout.Event, wantServed, wantRung bool) {
		t.Helper()
		before := *served
		hub.Publish(e)
		if got := *served > before; got != wantServed {
			t.Errorf("%s: served is %v", what, got)
		}
		if got := rung(bell); got != wantRung {
			t.Errorf("%s: rung is %v", what, got)
		}
	}
	expect("one filter and who has none", post("1", "b"), true, false)
	expect("three clients", post("2", "a"), false, true)
	expect("three are still due", post("3", "b"), false, true)
	var r fanout.Round
	bell.Take(&r)
	if len(r.Due) != 3 {
		t.Errorf("%d groups are due, want a, b and all", len(r.Due))
	}
	expect("taken", post("4", "c"), true, false)
	*willing = false
	expect("not willing", post("5", "nobody asked for"), true, true)
	expect("still not", post("6", "nobody asked for"), true, true)
	*willing = true
	expect("a third time for the same client", post("7", "nobody asked for"), false, true)
	bell.Take(&r)
	expect("everybody", &fanout.Event{Kind: fanout.KindGap, Loss: &fanout.Loss{Reason: "upstream", Missed: -1}}, false, true)
}

// A round from before the history is the owner's, however few it concerns.
func TestLendOvertaken(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{Events: 10})
	bell := hub.NewBell()
	bell.Lend(100, func() bool { t.Error("served"); return true })
	f, err := filter.ParseString("track=a")
	if err != nil {
		t.Fatal(err)
	}
	hub.Subscribe(fanout.SubscribeOptions{Filter: f, Bell: bell})
	for i := range 20 {
		hub.Publish(post(fmt.Sprint(i), "b"))
	}
	hub.Publish(post("20", "a"))
	if !rung(bell) {
		t.Error("not rung")
	}
}

// Whoever publishes, and whoever serves, nothing stays behind: what serve did not
// take, the owner is rung for.
func TestLendLosesNothing(t *testing.T) {
	hub := fanout.NewHub(fanout.Config{})
	bell := hub.NewBell()
	var turn sync.Mutex
	subs := map[*fanout.Group]*fanout.Subscription{}
	got := 0 // guarded by turn
	var byPublishers atomic.Int64
	take := func() {
		var r fanout.Round
		bell.Take(&r)
		for _, d := range r.Due {
			events, _ := subs[d.Group].Next(nil, 1<<20)
			got += len(events)
		}
	}
	bell.Lend(2, func() bool {
		if !turn.TryLock() {
			return false
		}
		defer turn.Unlock()
		take()
		byPublishers.Add(1)
		return true
	})
	for _, text := range []string{"track=a", "track=b"} {
		f, err := filter.ParseString(text)
		if err != nil {
			t.Fatal(err)
		}
		sub, _ := hub.Subscribe(fanout.SubscribeOptions{Filter: f, Bell: bell})
		subs[sub.Group()] = sub
	}
	const each, publishers = 2000, 4
	done := make(chan struct{})
	var owner, all sync.WaitGroup
	owner.Go(func() {
		for {
			select {
			case <-bell.C():
				turn.Lock()
				take()
				turn.Unlock()
			case <-done:
				return
			}
		}
	})
	for p := range publishers {
		all.Go(func() {
			for i := range each {
				hub.Publish(post(fmt.Sprintf("%d-%d", p, i), []string{"a", "b"}[i%2]))
			}
		})
	}
	all.Wait()
	close(done)
	owner.Wait()
	if rung(bell) {
		take()
	}
	if got != each*publishers {
		t.Errorf("%d posts, want %d", got, each*publishers)
	}
	if byPublishers.Load() == 0 {
		t.Error("no publisher ever served: this shows nothing")
	}
}
