package lease

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A slot whose holder vanished cools; what that means depends on the upstream.
func TestSlotsOfTheDead(t *testing.T) {
	for _, c := range []struct {
		name   string
		limit  int
		holds  bool
		marked int   // slot in the last marker
		dead   []int // slots that somebody died in, one second apart
		want   int   // the slot that is taken, 0: none for a while
		spare  int   // the slot that a Switch is given then
	}{
		{"none", 2, false, 1, nil, 2, 1},
		{"one", 2, false, 1, []int{1}, 2, 0},
		{"the other", 2, false, 2, []int{2}, 1, 0},
		{"both", 2, false, 1, []int{2, 1}, 2, 0},
		{"one of three", 3, false, 2, []int{1}, 3, 2},
		{"the only one", 1, false, 1, []int{1}, 1, 0},
		{"the only one, held", 1, true, 1, []int{1}, 0, 0},
		{"both, held", 2, true, 1, []int{2, 1}, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lease, state, ctx := NewMemory(2*time.Second), NewMemory(0), context.Background()
				for _, n := range c.dead {
					before := New(Config{Node: "before", Lease: lease, State: state, StreamLimit: 3})
					if err := before.lookAt(ctx, &term{}, &slotSeen{number: n}); err != nil {
						t.Fatal(err)
					}
					if _, err := before.record(ctx, n, slotRecord{Term: 1, Open: true}, 0); err != nil {
						t.Fatal(err)
					}
					_ = before.lookAt(ctx, &term{}, &slotSeen{number: n}) // finds it dead
					time.Sleep(time.Second)
				}
				r := rule(Config{Lease: lease, State: state, StreamLimit: c.limit, HoldsSlots: c.holds})
				defer r.end()
				r.Saw(Marker{Term: 0, Node: "before", Slot: c.marked})
				lead := <-r.ctx
				got, wait, err := r.Take(lead, false)
				if got != c.want || err != nil || (got == 0) != (wait > 0) || wait > 90*time.Second {
					t.Fatalf("slot %d, wait %v, %v; want %d", got, wait, err, c.want)
				}
				if spare, _, _ := r.Take(lead, true); spare != c.spare {
					t.Errorf("spare slot %d, want %d", spare, c.spare)
				}
				if died := r.Died(); died.IsZero() != (len(c.dead) == 0) {
					t.Errorf("died %v", died)
				}
				if len(c.dead) > 0 {
					time.Sleep(90 * time.Second)
					if slot, _, _ := r.Take(lead, true); slot == 0 && c.limit > 1 {
						t.Error("it never cooled")
					}
				}
			})
		})
	}
}

// What a leader frees is free, or cools, for the next one.
func TestFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lease, state := NewMemory(2*time.Second), NewMemory(0)
		a := rule(Config{Lease: lease, State: state})
		ctx := <-a.ctx
		one, _, _ := a.Take(ctx, false)
		two, _, _ := a.Take(ctx, true)
		if none, _, err := a.Take(ctx, true); none != 0 || err == nil || one == two {
			t.Errorf("slots %d, %d, %d, %v", one, two, none, err)
		}
		a.Free(one, true)
		a.Free(two, false)
		a.end()
		b := rule(Config{Node: "two", Lease: lease, State: state})
		defer b.end()
		ctx = <-b.ctx
		if slot, _, _ := b.Take(ctx, true); slot != one {
			t.Errorf("slot %d, want %d", slot, one)
		}
		if slot, wait, _ := b.Take(ctx, true); slot != 0 || wait <= 0 {
			t.Errorf("slot %d of a dead stream, wait %v", slot, wait)
		}
	})
}
