package bus

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/upstream/lease"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// The store on NATS keeps what lease.Store promises, also when its TTL is another one
// after a restart.
func TestStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBus(t, Config{DataDir: dir, LeaseTTL: time.Hour})
	ctx := t.Context()
	for name, k := range map[string]lease.Store{"leases": b.Leases(), "states": b.States()} {
		t.Run(name, func(t *testing.T) {
			watching, stop := context.WithCancel(ctx)
			seen, err := k.Watch(watching, "slot")
			must(err)
			rev, err := k.Create(ctx, "slot.1", []byte("a"))
			must(err)
			if _, err := k.Create(ctx, "slot.1", []byte("b")); !errors.Is(err, lease.ErrExists) {
				t.Errorf("created twice: %v", err)
			}
			next, err := k.Update(ctx, "slot.1", []byte("c"), rev)
			if err != nil || next <= rev {
				t.Errorf("update: %d after %d, %v", next, rev, err)
			}
			if _, err := k.Update(ctx, "slot.1", []byte("d"), rev); !errors.Is(err, lease.ErrChanged) {
				t.Errorf("update of an old revision: %v", err)
			}
			if err := k.Delete(ctx, "slot.1", rev); !errors.Is(err, lease.ErrChanged) {
				t.Errorf("delete of an old revision: %v", err)
			}
			if value, at, err := k.Get(ctx, "slot.1"); string(value) != "c" || at != next || err != nil {
				t.Errorf("get: %q %d %v", value, at, err)
			}
			must(k.Delete(ctx, "slot.1", next))
			if _, _, err := k.Get(ctx, "slot.1"); !errors.Is(err, lease.ErrNone) {
				t.Errorf("get of what was deleted: %v", err)
			}
			if err := k.Delete(ctx, "slot.1", next); !errors.Is(err, lease.ErrChanged) {
				t.Errorf("deleted twice: %v", err)
			}
			must(k.Delete(ctx, "slot.1", 0))
			if _, err := k.Update(ctx, "slot.1", []byte("d"), next); !errors.Is(err, lease.ErrChanged) {
				t.Errorf("update of what was deleted: %v", err)
			}
			again, err := k.Create(ctx, "slot.1", nil)
			if err != nil || again <= next {
				t.Errorf("created anew: %d %v", again, err)
			}
			_, err = k.Put(ctx, "demand.a b*ö.", []byte("x"))
			must(err)
			if value, _, err := k.Get(ctx, "demand.a b*ö."); string(value) != "x" || err != nil {
				t.Errorf("an odd key: %q %v", value, err)
			}
			watchedTo(t, seen, "slot.1=", "slot.1=a", "slot.1=c", "slot.1 deleted", "slot.1 deleted", "slot.1=")
			stop()
			for range seen { // it closes
			}
		})
	}
	before, err := b.Leases().Create(ctx, "leader", nil)
	must(err)
	b.Close()
	b = openBus(t, Config{DataDir: dir, LeaseTTL: time.Second})
	eventually(t, func() error { // leases vanish, states stay
		if _, _, err := b.Leases().Get(ctx, "slot.1"); !errors.Is(err, lease.ErrNone) {
			return errors.New("the lease stays")
		}
		return nil
	})
	if _, _, err := b.States().Get(ctx, "slot.1"); err != nil {
		t.Errorf("the state went: %v", err)
	}
	eventually(t, func() error {
		after, err := b.Leases().Create(ctx, "leader", nil)
		if err == nil && after <= before {
			t.Errorf("revisions went back from %d to %d", before, after)
		}
		return err
	})
}

// watchedTo reads a watch to the last value of a key. Of earlier ones it may have
// missed some, since a key holds one, but never the order.
func watchedTo(t *testing.T, seen <-chan lease.Entry, last string, history ...string) {
	t.Helper()
	var told []string
	for {
		select {
		case e := <-seen:
			what := e.Key + "=" + string(e.Value)
			if e.Deleted {
				what = e.Key + " deleted"
			}
			told = append(told, what)
			at := slices.Index(history, what)
			if at < 0 {
				t.Fatalf("the watch told %q: out of order", told)
			}
			history = history[at+1:]
			if what == last {
				return
			}
		case <-time.After(soon):
			t.Fatalf("the watch told only %q", told)
		}
	}
}

// A bucket that was lost hands out no term that is on the bus already.
func TestTermsOutliveTheBucket(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	b := openBus(t, Config{URL: s.ClientURL()})
	publish(t, b, 500, testPost(t, 1))
	js, err := b.jetStream()
	must(err)
	must(js.DeleteStream(t.Context(), "KV_AVIARY_LEASE"))
	b.Close()
	b = openBus(t, Config{URL: s.ClientURL()})
	if rev, err := b.Leases().Create(t.Context(), "leader", nil); rev <= 500 || err != nil {
		t.Errorf("the new bucket's first revision is %d, %v", rev, err)
	}
}

// Buckets that an operator deletes while they are in use come back by themselves, and
// terms go on.
func TestBucketsAreDeletedInUse(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	b := openBus(t, Config{URL: s.ClientURL()})
	publish(t, b, 500, testPost(t, 1))
	js, err := b.jetStream()
	must(err)
	must(js.DeleteStream(t.Context(), "KV_AVIARY_LEASE"))
	must(js.DeleteStream(t.Context(), "KV_AVIARY_STATE"))
	for name, k := range map[string]lease.Store{"leases": b.Leases(), "states": b.States()} {
		eventually(t, func() error {
			rev, err := k.Create(t.Context(), "leader", nil)
			if err == nil && rev <= 500 {
				t.Errorf("the first revision of the new bucket of %s is %d", name, rev)
			}
			return err
		})
	}
}

func FuzzKey(f *testing.F) {
	for _, key := range []string{"leader", "slot.1", ".a..b.", "a b=c*>", ""} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		escaped := escape(key)
		if got := unescapeKey(escaped); got != key {
			t.Errorf("%q became %q became %q", key, escaped, got)
		}
		if strings.HasPrefix(escaped, ".") || strings.HasSuffix(escaped, ".") || contains(escaped, "..") || strings.ContainsAny(escaped, " *>\x00\n") {
			t.Errorf("%q is no key", escaped)
		}
	})
}
