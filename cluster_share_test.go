package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"aviary/upstream"
	"aviary/upstream/lease"
	"aviary/upstream/x"
)

// The posts that nodes read add up, whoever counts when, and a later node begins
// where they are.
func TestPostsReadAddUp(t *testing.T) {
	states := lease.NewMemory(0)
	var nodes []*tally
	node := func() *tally {
		spend, err := x.NewSpend(1000, "")
		if err != nil {
			t.Fatal(err)
		}
		n := &tally{states: states, spend: spend}
		nodes = append(nodes, n)
		return n
	}
	one, other := node(), node()
	posts := 0
	read := func(n *tally, count int) {
		for range count {
			posts++
			n.spend.Read(fmt.Sprint(posts))
		}
	}
	ctx := context.Background()
	read(one, 10) // before anything was shared
	read(other, 5)
	one.add(ctx)
	read(one, 1)
	other.add(ctx)
	read(other, 20)
	for range 2 {
		one.add(ctx)
		other.add(ctx)
	}
	late := node()
	late.add(ctx)
	read(late, 3)
	late.add(ctx)
	for _, n := range nodes {
		n.ready = false // as if it were time to ask
		n.add(ctx)
		if used := n.spend.Used(); used != posts {
			t.Errorf("a node counts %d posts of %d", used, posts)
		}
	}
}

// known is a search budget as one node knows it.
type known struct{ n upstream.BudgetNote }

func (k *known) BudgetNote() (string, upstream.BudgetNote) { return "me", k.n }
func (k *known) HeedBudget(_ string, n upstream.BudgetNote) {
	if n.Tops(k.n) {
		k.n = n
	}
}

// An older remainder that is written over a newer one, before others saw that, is
// put right by who knows better; and what all know is not repeated.
func TestBudgetOutlivesALateWriter(t *testing.T) {
	ctx := t.Context()
	states := lease.NewMemory(0)
	node := func() *budgetShare {
		return &budgetShare{states: states, budgeted: &known{}, stored: map[string]upstream.BudgetNote{}}
	}
	spend := func(s *budgetShare, left int) {
		s.budgeted.(*known).n = upstream.BudgetNote{Known: true, Limit: 6, Left: left, Window: 1}
	}
	read := func() lease.Entry {
		value, rev, err := states.Get(ctx, keyBudget+"me")
		if err != nil {
			t.Fatal(err)
		}
		return lease.Entry{Key: keyBudget + "me", Value: value, Rev: rev}
	}
	early, late, other := node(), node(), node()
	spend(early, 4)
	early.tell(ctx)
	newest := read()
	spend(late, 5)
	late.tell(ctx) // other never saw the 4
	other.heed(read())
	early.heed(newest)
	early.heed(read())
	for _, s := range []*budgetShare{early, late, other} {
		s.tell(ctx)
		for _, each := range []*budgetShare{early, late, other} {
			each.heed(read())
		}
	}
	rev := read().Rev
	for i, s := range []*budgetShare{early, late, other} {
		if _, n := s.budgeted.BudgetNote(); n.Left != 4 {
			t.Errorf("node %d believes in %d searches", i, n.Left)
		}
		if s.tell(ctx); read().Rev != rev {
			t.Errorf("node %d repeats what all know", i)
		}
	}
}

// Nodes with the same credentials spend one search budget together.
func TestSearchBudgetOfAFleet(t *testing.T) {
	const limit = 6
	f := newFleetWith(t, simConfig{streams: 2, searches: limit}, "AVIARY_NATS_URL="+startNATS(t), "AVIARY_SEARCH_CACHE=0s")
	for range 3 {
		f.add()
	}
	f.streaming()
	ok, refused := 0, 0
	for i := range 2 * limit {
		m := f.nodes[i%3]
		code, body := fetch(t, http.DefaultClient, fmt.Sprint(m.url, "/search?q=go+", i))
		switch {
		case code == http.StatusOK:
			ok++
			settleBudget(t, f, body)
		case code == http.StatusTooManyRequests:
			refused++
		default:
			t.Fatalf("a search is answered with %d: %s", code, body)
		}
	}
	if s := f.fake.Stats(); ok != limit || refused != limit || s.OverLimit != 0 {
		t.Errorf("%d searches of %d, %d refused; the upstream refused %d", ok, limit, refused, s.OverLimit)
	}
}

// settleBudget waits until all nodes know what an answer said is left.
func settleBudget(t *testing.T, f *fleet, body string) {
	t.Helper()
	_, rest, _ := strings.Cut(body, `"remaining":`)
	left, _, _ := strings.Cut(rest, ",")
	eventually(t, "the other nodes' knowledge that "+left+" searches are left", func() bool {
		for _, m := range f.nodes {
			if _, metrics := fetch(t, http.DefaultClient, m.admin+"/metrics"); !strings.Contains(metrics, "aviary_search_remaining "+left+"\n") {
				return false
			}
		}
		return true
	})
}

// What one node was told in answer to a search serves the others too, and neither keys
// nor logs tell what was asked for.
func TestSearchAnswersOfAFleet(t *testing.T) {
	nats := startNATS(t)
	f := newFleet(t, 2, "AVIARY_NATS_URL="+nats, "AVIARY_SEARCH_CACHE=1m", "AVIARY_LOG_LEVEL=debug")
	one, other := f.add(), f.add()
	f.streaming()
	for range 5 {
		f.fake.Post(goDraft)
	}
	bucket := openBucket(t, nats, "AVIARY_ANSWERS")
	answer := func(m *member, q string) string {
		t.Helper()
		code, body := fetch(t, http.DefaultClient, m.url+"/search?q="+q)
		if code != http.StatusOK {
			t.Fatalf("%d %s", code, body)
		}
		statuses, _, _ := strings.Cut(body, `"rate"`)
		return statuses
	}
	asked := func() int { return f.fake.Stats().Searches }
	questions := 0
	// A store that takes its time is not waited for, and another question may do better.
	shared := func(from, to *member, words string) {
		t.Helper()
		eventually(t, "an answer that serves both nodes", func() bool {
			questions++
			q := fmt.Sprint(words, "&count=", 10+questions)
			first, requests := answer(from, q), asked()
			eventually(t, "the answer in the store", func() bool {
				keys, err := bucket.Keys(t.Context())
				return err == nil && len(keys) == questions
			})
			got := answer(to, q)
			if asked() > requests {
				time.Sleep(time.Second) // the store has a rest
				return false
			}
			if got != first || words == "go" && strings.Count(first, `"full_text":"go"`) < 5 {
				t.Errorf("the nodes answer\n%s\n%s", first, got)
			}
			return true
		})
	}
	shared(one, other, "go")
	shared(other, one, "go+h1dden")
	if keys, err := bucket.Keys(t.Context()); err != nil || strings.Contains(strings.Join(keys, " "), "h1dden") {
		t.Errorf("the keys are %q (%v)", keys, err)
	}
	for _, m := range f.nodes {
		if strings.Contains(m.log.String(), "h1dden") {
			t.Error("the log tells what was asked for")
		}
	}
	if s, err := bucket.Status(t.Context()); err != nil || s.TTL() != time.Minute {
		t.Errorf("the answers live %v (%v)", s, err)
	}
}

// openBucket waits for a bucket.
func openBucket(t *testing.T, url, name string) (kv jetstream.KeyValue) {
	t.Helper()
	js := jetStreamOf(t, url)
	var err error
	eventually(t, "the bucket "+name, func() bool {
		kv, err = js.KeyValue(t.Context(), name)
		return err == nil
	})
	return kv
}
