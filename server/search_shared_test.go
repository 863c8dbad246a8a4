package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/s2"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream/lease"
	"aviary/upstream/twitter/sim"
)

// sharedMemory is a PageStore in memory that keeps its keys; whoever reads it looks
// at the time.
type sharedMemory struct {
	*lease.Memory
	gets atomic.Int64
	slow bool // it answers when it is not waited for any more
	keys chan string
}

func newSharedMemory() *sharedMemory {
	return &sharedMemory{Memory: lease.NewMemory(0), keys: make(chan string, 1000)}
}

func (m *sharedMemory) Get(ctx context.Context, key string) ([]byte, error) {
	m.gets.Add(1)
	if m.slow {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	value, _, err := m.Memory.Get(ctx, key)
	if errors.Is(err, lease.ErrNone) {
		return nil, nil
	}
	return value, err
}

func (m *sharedMemory) Put(ctx context.Context, key string, value []byte) error {
	m.keys <- key
	if m.slow {
		<-ctx.Done()
		return ctx.Err()
	}
	_, err := m.Memory.Put(ctx, key, value)
	return err
}

// sharing are nodes with one store, in front of one upstream.
func sharing(t *testing.T, store PageStore, from Searcher, more ...func(*Options)) *search {
	t.Helper()
	o := Options{Search: from, SearchCache: 10 * time.Second, SearchShared: store, Source: "sim"}
	for _, set := range more {
		set(&o)
	}
	s := newSearch(o.withDefaults())
	t.Cleanup(s.close)
	return s
}

// What one node was told serves the others for as long as it is young, and no longer.
func TestNodesShareAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, from := newSimAPI(t, sim.Config{}, 150)
		store := newSharedMemory()
		one, other, third := sharing(t, store, from), sharing(t, store, from), sharing(t, store, from)
		question := func(s *search, scope, q string, m manner, requests int) *SearchPage {
			t.Helper()
			page, err := s.ask(t.Context(), searchKey{scope, SearchQuestion{Q: q, Count: 100}}, m)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(a.list()); n != requests {
				t.Fatalf("%d requests, want %d", n, requests)
			}
			return page
		}
		got := question(one, "", "alpha", asPage, 1)
		samePage(t, question(other, "", "alpha", asPage, 1), got)
		samePage(t, question(other, "", "alpha", asWalk, 1), got)
		if n := testutil.ToFloat64(other.results.WithLabelValues(resultCached)); n != 2 {
			t.Errorf("%v answers are counted as cached", n)
		}
		question(other, "", "alpha", asPoll, 2) // which only the upstream can answer
		question(other, "bob", "alpha", asPage, 3)
		question(other, "", "beta", asPage, 4)
		question(sharing(t, store, from, func(o *Options) { o.Source = "x" }), "", "alpha", asPage, 5)

		question(one, "", "gamma", asPage, 6)
		time.Sleep(9 * time.Second)
		question(other, "", "gamma", asPage, 6) // and holds it for a second
		time.Sleep(time.Second)
		question(other, "", "gamma", asPage, 7)
		time.Sleep(10 * time.Second)
		question(third, "", "gamma", asPage, 8)

		for len(store.keys) > 0 {
			if key := <-store.keys; len(key) != 43 || strings.Contains(key, "alpha") {
				t.Errorf("key %q", key)
			}
		}
	})
}

func samePage(t *testing.T, got, want *SearchPage) {
	t.Helper()
	if got.More != want.More || got.Named != want.Named || got.NextMaxID != want.NextMaxID || len(got.Items) != len(want.Items) {
		t.Fatalf("got %+v, want %+v", got, want)
	}
	for i, item := range got.Items {
		w := want.Items[i]
		if item.ID != w.ID || item.Popular != w.Popular || !bytes.Equal(item.Event.JSON, w.Event.JSON) || item.Event.Dialect.Name != w.Event.Dialect.Name ||
			(item.Event.Kind == fanout.KindPost) != (w.Event.Kind == fanout.KindPost) || !item.Event.Sent.Equal(w.Event.Sent) {
			t.Fatalf("item %d is %+v, want %+v", i, item, w)
		}
		if item.Event.Kind == fanout.KindPost && item.Event.Post.Key != w.Event.Post.Key {
			t.Fatalf("the key is %v, want %v", item.Event.Post.Key, w.Event.Post.Key)
		}
	}
}

// A store that is slow costs a search a moment, once, and then nothing for a while.
func TestSlowStoreHoldsNoSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, a, from := newSimAPI(t, sim.Config{}, 3)
		store := newSharedMemory()
		store.slow = true
		var log lockedLog
		s := sharing(t, store, from, func(o *Options) {
			o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		ask := func(q string) time.Duration {
			began := time.Now()
			if _, err := s.ask(t.Context(), searchKey{"", SearchQuestion{Q: q}}, asPage); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		if took := ask("alpha"); took > 2*sharedWait {
			t.Errorf("a search takes %v", took)
		}
		if took := ask("beta"); took > sharedWait || store.gets.Load() != 1 {
			t.Errorf("the next takes %v; the store is asked %d times", took, store.gets.Load())
		}
		time.Sleep(sharedRest)
		ask("gamma")
		if n := store.gets.Load(); n != 2 {
			t.Errorf("after a rest the store is asked %d times in all", n)
		}
		if n := len(a.list()); n != 3 {
			t.Errorf("%d requests", n)
		}
		s.close() // ends what is being stored, or synctest finds it
		if said := log.String(); strings.Contains(said, "alpha") || !strings.Contains(said, "out of reach") {
			t.Errorf("the log says %s", said)
		}
	})
}

// What cannot be read is as good as nothing, and what is too large is not shared.
func TestOddAnswersAreNotShared(t *testing.T) {
	at := time.Date(2019, 11, 6, 10, 0, 0, 0, time.UTC)
	p := newSharedPages(Options{SearchShared: newSharedMemory(), SearchCache: time.Second}.withDefaults())
	post := func(text string) *SearchPage {
		e := fanout.NewEvent(p.dialect, fmt.Appendf(nil, `{"id_str":"7","text":"<%s>"}`, text))
		e.Post = &filter.Post{Key: filter.Key{Source: p.dialect.Name, ID: "7"}}
		notice := fanout.NewEvent(p.dialect, []byte(`{"odd":1}`))
		notice.Kind = fanout.KindDelete
		return &SearchPage{More: true, NextMaxID: 1 << 60, Items: []SearchItem{{Event: e, ID: 7, Popular: true}, {Event: notice}}}
	}
	value, err := p.pack(post("go"), at)
	if err != nil {
		t.Fatal(err)
	}
	got, when, err := p.unpack(value)
	if err != nil || !when.Equal(at) {
		t.Fatal(when, err)
	}
	samePage(t, got, post("go"))
	for name, bad := range map[string][]byte{
		"empty": {}, "no compression": []byte("{}\n"), "cut": value[:len(value)-1], "too large": {0xff, 0xff, 0xff, 0x7f, 0},
		"no head": s2.Encode(nil, []byte("\n")), "a line too few": s2.Encode(nil, []byte(`{"items":[{}]}`+"\n")),
		"a line too many": s2.Encode(nil, []byte(`{"items":[]}`+"\n{}\n")), "no JSON": s2.Encode(nil, []byte(`{"items":[{}]}`+"\nodd\n")),
		"other types": s2.Encode(nil, []byte(`{"items":{"a":1}}`+"\n")),
	} {
		if page, _, err := p.unpack(bad); err == nil {
			t.Errorf("%s is read as %+v", name, page)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		var random strings.Builder // which cannot be made smaller
		for i := range uint64(200_000) {
			fmt.Fprintf(&random, "%x", i*0x9e3779b97f4a7c15)
		}
		store := newSharedMemory()
		p := newSharedPages(Options{SearchShared: store, SearchCache: time.Second}.withDefaults())
		p.put(t.Context(), searchKey{}, post(random.String()), time.Now())
		if len(store.keys) != 0 {
			t.Error("an answer that is too large is stored")
		}
		p.put(t.Context(), searchKey{}, post("go"), time.Now())
		if len(store.keys) != 1 {
			t.Error("an answer is not stored")
		}
		p.close()
	})
}

// Whatever lies in the store is read or refused, and what is read can be written.
func FuzzSharedAnswer(f *testing.F) {
	p := newSharedPages(Options{SearchShared: newSharedMemory(), SearchCache: time.Second}.withDefaults())
	f.Add([]byte(`{"at":"2019-11-06T10:00:00Z","more":true,"items":[{"post":"7","id":7},{}]}` + "\n{\"id\":7}\n{}\n"))
	f.Add([]byte(`{"items":[]}` + "\n"))
	f.Add([]byte(`{"items":null,"next":18446744073709551615}` + "\n"))
	f.Fuzz(func(t *testing.T, plain []byte) {
		page, at, err := p.unpack(s2.Encode(nil, plain))
		_, _, _ = p.unpack(plain)
		if err != nil {
			return
		}
		value, err := p.pack(page, at)
		if err != nil {
			t.Fatalf("%q: %v", plain, err)
		}
		again, _, err := p.unpack(value)
		if err != nil {
			t.Fatalf("%q: %v", plain, err)
		}
		samePage(t, again, page)
	})
}
