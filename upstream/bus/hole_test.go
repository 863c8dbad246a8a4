package bus

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

// skip has the publisher leave out numbers, as if servers had taken the messages along
// when they died. All before must be stored.
func (p *Publisher) skip(to uint64) (was uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, p.n = p.n, to
	return was
}

// stored publishes events and waits until they are stored.
func stored(t testing.TB, p *Publisher, events ...*fanout.Event) {
	t.Helper()
	for _, e := range events {
		if err := p.Publish(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// received is when the leader received the event at a place among those told.
func (n *node) received(i int) time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.events[i].Received
}

// A server dies with messages of a volley, and later ones are stored by another. When the
// leader can send them again, nothing is told. When its term ends before that, what is
// missing is told, though later ones came: by the next leader, which asks Heard, or by
// each reader.
func TestLostBehindLaterOnes(t *testing.T) {
	t.Parallel()
	s := natsServer(t, t.TempDir())
	gap := func(from, to time.Time) []*fanout.Event {
		return []*fanout.Event{upstream.GapEvent(fanout.Loss{Reason: "upstream", Missed: -1, From: from, To: to})}
	}
	for i, c := range []struct {
		name   string
		late   []int // posts that are sent again in time, of 3 and 4
		next   func(heard time.Time) []*fanout.Event
		before string // told before the next term begins
		after  string // told from then on
		heard  int    // place of the event until which all was heard, at the end of the term
	}{
		{name: "they never come", before: "1 2 5", after: "gap 6", heard: 1},
		{name: "they come late", late: []int{3, 4}, before: "1 2 5 3 4", after: "6", heard: 2},
		{name: "one comes late", late: []int{4}, before: "1 2 5 4", after: "gap 6", heard: 1},
		{name: "the next leader tells", before: "1 2 5", after: "gap 6", heard: 1,
			next: func(heard time.Time) []*fanout.Event { return gap(heard, time.Now()) }},
		{name: "the next leader tells of less", before: "1 2 5", after: "gap gap 6", heard: 1,
			next: func(time.Time) []*fanout.Event { return gap(time.Now(), time.Now()) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config := Config{URL: s.ClientURL(), Name: fmt.Sprint("lost", i)}
			b := openBus(t, config)
			n := follow(t, b)
			n.filled(t)
			p := b.Publisher(1, always)
			defer p.Close()
			mark(t, p, 1)
			stored(t, p, testPost(t, 1), testPost(t, 2))
			numbered := p.skip(0) // of post 2
			p.skip(numbered + 2)
			stored(t, p, testPost(t, 5))
			for _, id := range c.late {
				p.skip(numbered + uint64(id) - 3)
				stored(t, p, testPost(t, id))
			}
			n.expect(t, c.before)
			next := b.Publisher(2, always)
			defer next.Close()
			mark(t, next, 2)
			eventually(t, func() error {
				if heard, want := b.source.Heard(), n.received(c.heard); b.Term() != 2 || heard.Before(want) || c.late == nil && heard.After(want) {
					return fmt.Errorf("the reader has heard all until %v, want %v", heard, want)
				}
				return nil
			})
			if c.next != nil {
				stored(t, next, c.next(b.source.Heard())...)
			}
			stored(t, next, testPost(t, 6))
			n.expect(t, c.before+" "+c.after)
			follow(t, openBus(t, config)).expect(t, c.before+" "+c.after)
			from, to := n.received(1), n.received(2)
			n.mu.Lock()
			defer n.mu.Unlock()
			for _, e := range n.events {
				if l := e.Loss; l != nil && c.next == nil && (!l.From.Equal(from) || !l.To.Equal(to)) {
					t.Errorf("the gap is from %v to %v, want %v to %v", l.From, l.To, from, to)
				}
			}
		})
	}
}

// Numbers of messages that were stored and deleted are no loss.
func TestDeletedNumbersAreNoLoss(t *testing.T) {
	t.Parallel()
	b := openBus(t, Config{DataDir: t.TempDir()})
	n := follow(t, b)
	publish(t, b, 1, posts(t, 1, 9)...)
	n.expect(t, numbers(1, 9))
	js, err := b.jetStream()
	must(err)
	stream, err := js.Stream(t.Context(), "aviary")
	must(err)
	for _, seq := range []uint64{3, 4, 7} {
		must(stream.DeleteMsg(t.Context(), seq))
	}
	n.stop()
	b.source.begin(b.Epoch()) // as another node would
	again := &node{bus: b, hub: fanout.NewHub(fanout.Config{}), drops: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = b.source.Stream(ctx, again) }()
	again.expect(t, "1 4 5 7 8 9")
	publish(t, b, 2, testPost(t, 10))
	again.expect(t, "1 4 5 7 8 9 10")
	cancel()
	<-done
}

// The fields of holes, as numbers come.
func TestHolesFill(t *testing.T) {
	var h holes
	at := time.Unix(100, 0)
	h.open(5, 9, at, at.Add(time.Second))
	h.open(12, 12, at.Add(time.Minute), at.Add(time.Hour))
	for _, step := range []struct {
		n    uint64
		want string
	}{
		{4, "5-9 12-12"}, {7, "5-6 8-9 12-12"}, {5, "6-6 8-9 12-12"}, {9, "6-6 8-8 12-12"}, {6, "8-8 12-12"}, {12, "8-8"}, {8, ""},
	} {
		if since, until := h.extent(); len(h) > 1 && (!since.Equal(at) || !until.Equal(at.Add(time.Hour))) {
			t.Errorf("the extent is %v to %v", since, until)
		}
		h.fill(step.n)
		got := ""
		for _, one := range h {
			got += fmt.Sprintf(" %d-%d", one.from, one.to)
		}
		if strings.TrimSpace(got) != step.want {
			t.Fatalf("after %d the holes are %s, want %s", step.n, got, step.want)
		}
	}
}
