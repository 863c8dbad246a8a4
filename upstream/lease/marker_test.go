package lease

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// What may be missing before the first stream of a leadership begins as long before the
// last event as that lay unread; a node alone had nothing that could lapse.
func TestSince(t *testing.T) {
	for _, c := range []struct {
		alone        bool
		unread, want time.Duration
	}{
		{false, 0, 0},
		{false, 300 * time.Millisecond, 300 * time.Millisecond},
		{false, time.Minute, 1600 * time.Millisecond},
		{true, time.Minute, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var last time.Time
			var r *ruler
			r = rule(Config{Alone: c.alone, Last: func() (time.Time, time.Duration) { return last, c.unread },
				Mark: func(_ context.Context, m Marker) error { r.Saw(m); return nil }})
			defer r.end()
			ctx := <-r.ctx
			slot, _, err := r.Take(ctx, false)
			if err != nil {
				t.Fatal(err)
			}
			last = time.Now().Add(-time.Minute)
			for n, want := range []time.Time{last.Add(-c.want), {}} { // of the first stream only
				if since, err := r.Opened(ctx, slot, time.Now()); err != nil || !since.Equal(want) {
					t.Errorf("%+v, stream %d: since %v, %v, want %v", c, n, since, err, want)
				}
			}
		})
	}
}

// Who has resigned renews its slot as long as it publishes, and no longer: by that the
// next leader knows that nothing is missing.
func TestRenewalsEndWithTheTerm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := NewMemory(2 * time.Second)
		h := newHold(store, slotKey(1), "a", 2*time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if err := h.create(ctx); err != nil {
			t.Fatal(err)
		}
		go h.keep(ctx)
		by := time.Now().Add(handOver)
		h.leave(ctx, by)
		written := func() uint64 {
			_, rev, err := store.Get(ctx, slotKey(1))
			if err != nil {
				t.Fatal(err)
			}
			return rev
		}
		time.Sleep(time.Until(by) - 100*time.Millisecond)
		before := written()
		time.Sleep(100 * time.Millisecond)
		last := written()
		time.Sleep(time.Second)
		if last == before || written() != last {
			t.Errorf("revision %d shortly before the end, %d at it, %d later", before, last, written())
		}
	})
}
