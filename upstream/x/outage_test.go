package x_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream"
	"aviary/upstream/twitter/sim"
	"aviary/upstream/x"
)

// An outage is told and then filled by search, in order, each post once, marked.
func TestGapIsFilled(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		r := w.run(w.source(func(c *x.Config) { c.Predicates.Track = "zebra" }))
		defer r.stop()
		before := w.Post(sim.Draft{Text: "zebra before"})
		wait(2 * time.Minute)
		if err := w.Do("status 503 for 8s\ndrop"); err != nil {
			t.Fatal(err)
		}
		wait(time.Second)
		var want []string
		for i := range 130 { // more than a page
			p := w.Post(sim.Draft{Text: fmt.Sprintf("zebra missed %d", i)})
			w.Post(sim.Draft{Text: "something else"})
			want = append(want, p.ID)
		}
		wait(15 * time.Second)
		after := w.Post(sim.Draft{Text: "zebra after"})
		wait(time.Second)
		if got := w.log.ids(); !slices.Equal(got, []string{before.ID, after.ID}) || w.log.count(fanout.KindGap) != 1 {
			t.Fatalf("before the gap is filled: %v, %d gaps", got, w.log.count(fanout.KindGap))
		}
		wait(time.Minute)
		got := w.log.ids()
		if !slices.Equal(got[2:], want) {
			t.Fatalf("%d posts were filled in, want %d; log:\n%s", len(got)-2, len(want), w.log.said())
		}
		for _, e := range w.log.events {
			marked := strings.Contains(string(e.JSON), `"gap_filled":true`)
			if e.Kind == fanout.KindPost && marked != slices.Contains(want, e.Post.Key.ID) {
				t.Fatalf("marked %v: %s", marked, e.JSON)
			}
		}
	})
}

// A token that may not search is asked once; the gap stays told.
func TestGapWithoutSearch(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		r := w.run(w.source())
		defer r.stop()
		w.Post(sim.Draft{Text: "football"})
		wait(2 * time.Minute)
		if err := w.Do("search 403 body client-forbidden for 10h\ndrop"); err != nil {
			t.Fatal(err)
		}
		wait(2 * time.Minute)
		_ = w.Do("drop")
		wait(2 * time.Minute)
		if n := w.Stats().Searches; n != 1 || strings.Count(w.log.said(), "cannot be filled") != 1 {
			t.Errorf("%d searches, log:\n%s", n, w.log.said())
		}
	})
}

// Backfill is asked for when it was set, and doubles are dropped.
func TestBackfill(t *testing.T) {
	inTime(t, sim.Config{XBackfill: true}, func(t *testing.T, w *world) {
		r := w.run(w.source(func(c *x.Config) { c.BackfillMinutes, c.Predicates.Track = 5, "zebra" }))
		defer r.stop()
		a := w.Post(sim.Draft{Text: "zebra one"})
		wait(2 * time.Minute)
		if err := w.Do("status 503 for 10s\ndrop"); err != nil {
			t.Fatal(err)
		}
		wait(time.Second)
		b := w.Post(sim.Draft{Text: "zebra two"})
		wait(time.Minute)
		if got := w.log.ids(); len(got) != 2 || got[0] != a.ID || !slices.Contains(got, b.ID) || w.Stats().Searches != 0 {
			t.Errorf("got %v after %d searches", got, w.Stats().Searches)
		}
	})
}

// A spent budget ends the stream and shows when it goes on; not one request goes
// out before, and the count outlives a restart where there is a place for it.
func TestPostBudget(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		file := filepath.Join(t.TempDir(), "spend.json")
		limited := func(c *x.Config) {
			var err error
			if c.Spend, err = x.NewSpend(3, file); err != nil {
				t.Fatal(err)
			}
		}
		r := w.run(w.source(limited))
		for range 5 {
			w.Post(sim.Draft{Text: "football"})
		}
		wait(time.Second)
		end := time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC)
		u := r.Status()
		if len(w.log.ids()) != 3 || u.State != upstream.StateBackingOff || u.NextAttempt == nil || u.NextAttempt.Before(end) || !strings.Contains(u.Error, "budget of 3 posts") || !strings.Contains(u.Hint, "2000-02-01") {
			t.Fatalf("%d posts, state %+v", len(w.log.ids()), u)
		}
		before := w.Stats().Connects
		wait(24 * time.Hour)
		r.stop()
		r = w.run(w.source(limited))
		if n := w.Stats().Connects - before; n != 0 || r.Status().State != upstream.StateBackingOff {
			t.Errorf("%d connects on a spent budget, %+v", n, r.Status())
		}
		wait(time.Until(end) + 3*time.Minute)
		w.Post(sim.Draft{Text: "football in February"})
		wait(time.Second)
		if len(w.log.ids()) != 4 {
			t.Errorf("%d posts in the new month, %+v", len(w.log.ids()), r.Status())
		}
		r.stop()
	})
}

// The upstream's own cap: in the stream, and at the next connect.
func TestUsageCapped(t *testing.T) {
	inTime(t, sim.Config{XPostCap: 2}, func(t *testing.T, w *world) {
		r := w.run(w.source())
		for range 4 {
			w.Post(sim.Draft{Text: "football"})
		}
		wait(time.Second)
		end := time.Date(2000, 2, 1, 0, 0, 0, 0, time.UTC)
		u := r.Status()
		if u.State != upstream.StateBackingOff || u.NextAttempt == nil || u.NextAttempt.Before(end) || !strings.Contains(u.Hint, "2000-02-01") {
			t.Fatalf("in the stream: %+v", u)
		}
		before := w.Stats().Connects
		wait(20 * 24 * time.Hour)
		if n := w.Stats().Connects - before; n != 0 {
			t.Errorf("%d connects before the end of the month", n)
		}
		r.stop()
		r = w.run(w.source()) // at connect
		if u := r.Status(); u.NextAttempt == nil || u.NextAttempt.Before(end) {
			t.Errorf("at connect: %+v", u)
		}
		r.stop()
	})
}

// The earlier forms of an edited post are taken back, however the edit becomes known;
// a form that came before its stream is none of them.
func TestEdits(t *testing.T) {
	for _, c := range []struct {
		name       string
		compliance bool
		text       string // of the new form
		within     time.Duration
	}{
		{"in the stream", false, "football again", time.Second},
		{"by compliance", true, "no ball game any more", time.Second},
		{"by looking it up", false, "no ball game any more", 3 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			inTime(t, sim.Config{XCompliance: c.compliance}, func(t *testing.T, w *world) {
				s := w.source()
				r := w.run(s)
				duties := &x.Duties{Source: s, Held: w.log.hub, Publish: w.log.publish, StallTimeout: 35 * time.Second}
				ctx, cancel := context.WithCancel(t.Context())
				finished := make(chan struct{})
				go func() { defer close(finished); duties.Run(ctx) }()
				wait(time.Second)
				first, other := w.Post(sim.Draft{Text: "football one"}), w.Post(sim.Draft{Text: "football two"})
				wait(time.Second)
				second := w.Post(sim.Draft{Text: c.text, Edits: first.ID})
				third := w.Post(sim.Draft{Text: c.text + " and again", Edits: first.ID})
				wait(c.within)
				for id, want := range map[string]bool{first.ID: false, second.ID: false, third.ID: strings.HasPrefix(c.text, "football"), other.ID: true} {
					if w.log.hub.Has(filter.Key{Source: x.Name, ID: id}) != want {
						t.Errorf("%s held: %v; deletes %d\n%s", id, !want, w.log.count(fanout.KindDelete), w.log.said())
					}
				}
				wait(2 * time.Hour)
				if n := w.log.count(fanout.KindDelete); n > 3 {
					t.Errorf("%d deletes", n)
				}
				cancel()
				<-finished
				r.stop()
			})
		})
	}
}

// Deletes come by the compliance stream, or are found by looking posts up again;
// the compliance stream of a token that may not is asked for once.
func TestDuties(t *testing.T) {
	for _, allowed := range []bool{true, false} {
		inTime(t, sim.Config{XCompliance: allowed}, func(t *testing.T, w *world) {
			s := w.source()
			r := w.run(s)
			a, b := w.Post(sim.Draft{Text: "football one"}), w.Post(sim.Draft{Text: "football two"})
			duties := &x.Duties{Source: s, Held: w.log.hub, Publish: w.log.publish, StallTimeout: 35 * time.Second}
			finished := make(chan struct{})
			go func() { defer close(finished); duties.Run(t.Context()) }()
			_ = finished
			wait(time.Second)
			connects := w.Stats().Connects
			w.Delete(a.ID)
			wait(time.Second)
			if n := w.log.count(fanout.KindDelete); allowed != (n == 1) {
				t.Fatalf("allowed %v: %d deletes at once", allowed, n)
			}
			wait(3 * time.Minute)
			if n := w.log.count(fanout.KindDelete); n != 1 {
				t.Errorf("allowed %v: %d deletes", allowed, n)
			}
			wait(2 * time.Hour)
			if n := w.Stats().Connects; !allowed && n != connects {
				t.Errorf("%d connects more", n-connects)
			}
			var last *fanout.Event
			for _, e := range w.log.events {
				if e.Kind == fanout.KindDelete {
					last = e
				}
			}
			var notice struct {
				Delete struct {
					Status struct {
						ID     string `json:"id_str"`
						UserID string `json:"user_id_str"`
					} `json:"status"`
				} `json:"delete"`
			}
			if json.Unmarshal(last.JSON, &notice) != nil || notice.Delete.Status.ID != a.ID || notice.Delete.Status.UserID != a.UserID || last.Target.ID != a.ID {
				t.Errorf("the delete: %s", last.JSON)
			}
			_ = b
			r.stop()
		})
	}
}
