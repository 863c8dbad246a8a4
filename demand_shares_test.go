package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream/lease"
)

func mustFilter(t testing.TB, text string) *filter.Filter {
	t.Helper()
	f, err := filter.ParseString(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A node that starts finds what others said, who may be gone: that counts once it is
// said again. Who is silent for long does not count, and is forgotten.
func TestSharesOfTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		store := lease.NewMemory(0)
		says := func(node string, terms ...string) {
			t.Helper()
			var asks []sharedAsk
			for _, term := range terms {
				asks = append(asks, sharedAsk{Filter: "track=" + term, Clients: 1})
			}
			raw, _ := json.Marshal(asks)
			if _, err := store.Put(ctx, demandKey+node, raw); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		says("dead", "zombie")
		says("alive", "go")
		g := &gateway{demands: &demands{turn: make(chan struct{}, 1)}}
		s := &shares{g: g, store: store, node: "new", others: map[string]*share{}}
		s.start(ctx)
		synctest.Wait()
		here := []fanout.Asked{{Filter: mustFilter(t, "track=rust"), Clients: 1}}
		check := func(when string, terms ...string) {
			t.Helper()
			s.expire(ctx, time.Now())
			var got []string
			for _, a := range s.with(here) {
				got = append(got, strings.TrimPrefix(a.Filter.String(), "track="))
			}
			if !slices.Equal(got, terms) {
				t.Errorf("%s: %q count, want %q", when, got, terms)
			}
		}
		check("at the start", "rust")
		says("alive", "go", "rust")
		check("when a node has spoken again", "go", "rust")
		if all := s.with(here); all[1].Clients != 2 {
			t.Errorf("%+v", all[1])
		}
		time.Sleep(10 * time.Second)
		check("for a while", "go", "rust")
		time.Sleep(10 * time.Second)
		check("when it is silent", "rust")
		says("alive", "go")
		check("when it is back", "go", "rust")
		for range 15 {
			time.Sleep(5 * time.Second)
			says("alive", "go")
			check("as long as it speaks", "go", "rust")
		}
		if _, _, err := store.Get(ctx, demandKey+"dead"); err == nil {
			t.Error("what a dead node said is kept")
		}
		if _, _, err := store.Get(ctx, demandKey+"alive"); err != nil {
			t.Error("what a living node said is not")
		}
		if err := store.Delete(ctx, demandKey+"alive", 0); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		check("when it has left", "rust")
		cancel()
		synctest.Wait()
	})
}

// What one node tells is the most used first, and not too much for the bus.
func TestWritten(t *testing.T) {
	var here []fanout.Asked
	for i := range 20_000 {
		here = append(here, fanout.Asked{Filter: mustFilter(t, fmt.Sprintf("track=term%05d", i)), Clients: 1 + i/19_000})
	}
	raw := written(here)
	var asks []sharedAsk
	if err := json.Unmarshal(raw, &asks); err != nil || len(raw) > shareLargest || len(asks) < 10_000 {
		t.Fatalf("%d bytes, %d filters: %v", len(raw), len(asks), err)
	}
	for i, a := range asks[:1000] {
		if a.Clients != 2 || a.Filter != here[19_000+i].Filter.String() {
			t.Fatalf("%d: %+v", i, a)
		}
	}
	if string(written(nil)) != "[]" {
		t.Error("nothing is no list")
	}
}

// Two lists are one list, and what both have stands there once.
func TestTogether(t *testing.T) {
	one := func(text string, clients int, keys ...string) fanout.Asked {
		return fanout.Asked{Filter: mustFilter(t, text), Clients: clients, Keys: keys}
	}
	a := []fanout.Asked{one("track=a", 1), one("track=b", 1, "x", "z"), one("track=d", 1)}
	b := []fanout.Asked{one("track=b", 2, "y", "z"), one("track=c", 3)}
	var got []string
	for _, all := range [][]fanout.Asked{together(a, b), together(b, a), together(a, nil), together(nil, b)} {
		for _, o := range all {
			got = append(got, fmt.Sprint(o.Filter, o.Clients, o.Keys))
		}
		got = append(got, "")
	}
	both := []string{"track=a 1 []", "track=b 3 [x y z]", "track=c 3 []", "track=d 1 []", ""}
	want := slices.Concat(both, both, []string{"track=a 1 []", "track=b 1 [x z]", "track=d 1 []", ""}, []string{"track=b 2 [y z]", "track=c 3 []", ""})
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if len(a[1].Keys) != 2 || len(b[0].Keys) != 2 {
		t.Error("a list was changed")
	}
}

// late is a store on a bus that is not there yet.
type late struct {
	lease.Store
	at time.Time
}

func (l late) Watch(ctx context.Context, prefix string) (<-chan lease.Entry, error) {
	if time.Now().Before(l.at) {
		return nil, errors.New("the bucket is not there yet")
	}
	return l.Store.Watch(ctx, prefix)
}

// A node hears what the upstream is asked for as soon as its bus is there: its first
// clients are told by that what comes for them.
func TestSharesHearTheLeaderSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		store := lease.NewMemory(0)
		if _, err := store.Put(ctx, askedKey, []byte(`{"grows":true}`)); err != nil {
			t.Fatal(err)
		}
		g := &gateway{demands: &demands{turn: make(chan struct{}, 1)}}
		s := &shares{g: g, store: late{store, time.Now().Add(50 * time.Millisecond)}, node: "new", others: map[string]*share{}}
		s.start(ctx)
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if said, _ := s.take(); said == nil || !said.Grows {
			t.Errorf("heard %+v", said)
		}
	})
}
