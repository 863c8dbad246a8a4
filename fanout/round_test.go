package fanout_test

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// TestRounds serves the same clients twice, by rounds as a shard does and by
// Next alone. Without deletes and overtaking both must get the same in all; with
// them, in every round that finds both at the head.
func TestRounds(t *testing.T) {
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		calm := seed%2 == 0
		events := 100_000
		if !calm {
			events = 20 + rnd.IntN(400)
		}
		hub := fanout.NewHub(fanout.Config{Events: events})
		bell := hub.NewBell()
		var clients []*twins
		for i := range 8 {
			clients = append(clients, newTwins(t, hub, bell, filters[i%len(filters)], i%3 == 0))
		}
		var round fanout.Round
		for range 50 {
			w := &world{T: t, dice: &seeded{Rand: rnd}, hub: hub, model: newModel(events, 1<<60), id: int(hub.Stats().Head.Seq)}
			for range 1 + rnd.IntN([]int{3, 30, 300}[rnd.IntN(3)]) {
				e := w.randomPost()
				if rnd.IntN(4) == 0 {
					e = w.randomNotice()
				}
				if calm && e.isDuty() {
					e = &entry{kind: fanout.KindDelete, target: fanout.Target{ID: "never seen"}}
				}
				hub.Publish(eventOf(e))
			}
			select {
			case <-bell.C():
			default:
			}
			bell.Take(&round)
			for _, c := range clients {
				c.serve(t, &round, rnd)
			}
		}
		for _, c := range clients {
			if c.live {
				c.round.Stand(round.End(c.place))
			}
			for !c.round.Live(&round) {
				c.behind(t, &round, 1000, rnd)
				if c.round.Ahead(&round) {
					bell.Take(&round)
				}
			}
			if got, want := strings.Join(c.byRound, "\n"), strings.Join(c.byNext, "\n"); calm && got != want {
				t.Fatalf("seed %d, filter %v: by rounds\n%s\nby Next\n%s", seed, c.round.Group().Filter(), got, want)
			}
			c.round.Close()
			c.next.Close()
		}
		if s := hub.Stats(); s.Filters != 0 {
			t.Fatalf("%d filters left", s.Filters)
		}
		bell.Close()
	}
}

func eventOf(e *entry) *fanout.Event {
	event := fanout.NewEvent(dialect, fmt.Appendf(nil, `{"id_str":%q,"kind":%q}`, e.id, e.kind))
	event.Kind, event.Target = e.kind, e.target
	if e.kind == fanout.KindGap {
		event.Loss = &fanout.Loss{Reason: "upstream", Missed: e.missed}
	}
	if e.isPost() {
		var b filter.Builder
		b.Reset(filter.Key{Source: "test", ID: e.id})
		b.Author(e.author)
		for _, r := range e.refs {
			b.Ref(r)
		}
		b.Text(strings.Join(e.words, " "))
		event.Post = b.Post()
	}
	return event
}

type twins struct {
	round, next     *fanout.Subscription
	live            bool         // serve goes by rounds
	place           fanout.Place // of its group after the last round, while live
	byRound, byNext []string
}

func newTwins(t *testing.T, hub *fanout.Hub, bell *fanout.Bell, f words, unseen bool) *twins {
	parsed, err := filter.Parse(url.Values{"track": {strings.Join(f, ",")}})
	if len(f) == 0 {
		parsed, err = filter.Parse(url.Values{})
	}
	if err != nil {
		t.Fatal(err)
	}
	o := fanout.SubscribeOptions{Filter: parsed, Bell: bell, UnseenDeletes: unseen}
	c := &twins{live: true}
	c.round, _ = hub.Subscribe(o)
	c.place = c.round.Place()
	o.Bell = nil
	c.next, _ = hub.Subscribe(o)
	return c
}

// serve takes a round as a shard would: whoever is live is written to, sometimes
// only half of it; whoever is behind pulls.
func (c *twins) serve(t *testing.T, r *fanout.Round, rnd *rand.Rand) {
	var want []*fanout.Event
	for {
		events, gap := c.next.Next(nil, 64)
		if len(events) == 0 && gap.Zero() {
			break
		}
		want = append(want, events...)
	}
	c.byNext = append(c.byNext, describe(want)...)

	if !c.live {
		c.behind(t, r, rnd.IntN(20), rnd)
		return
	}
	start, pull := r.Start(c.place), r.Overtaken
	c.place = r.End(c.place)
	var due []*fanout.Event
	for _, d := range r.Due {
		if d.Group == c.round.Group() {
			due, pull, c.place = d.Events, pull || d.Pull, d.Place
		}
	}
	if pull {
		c.round.Stand(start)
		c.behind(t, r, rnd.IntN(20), rnd)
		return
	}
	events := r.Merge(nil, due, c.round.Group(), c.round.Unseen())
	if got, want := describe(events), describe(want); !slices.Equal(got, want) {
		t.Fatalf("a round brings %v\n%s\nand Next\n%s", c.round.Group().Filter(), got, want)
	}
	if len(events) > 0 && rnd.IntN(5) == 0 { // the socket is full
		events = events[:rnd.IntN(len(events)+1)]
		c.round.StandBehind(start, events)
		c.live = c.round.Live(r)
	}
	c.byRound = append(c.byRound, describe(events)...)
}

// behind pulls some slices, of which the client does not always take everything.
func (c *twins) behind(t *testing.T, r *fanout.Round, slices int, rnd *rand.Rand) {
	for range slices {
		from := c.round.Place()
		events, gap := c.round.NextUpTo(r, nil, 1+rnd.IntN(64))
		if len(events) == 0 && gap.Zero() {
			break
		}
		if !gap.Zero() && len(events) > 0 {
			t.Fatalf("%d events came with a gap", len(events))
		}
		if rnd.IntN(4) == 0 {
			events = events[:rnd.IntN(len(events)+1)]
			if gap.Zero() {
				c.round.StandBehind(from, events)
			}
		}
		c.byRound = append(c.byRound, describe(events)...)
	}
	c.live, c.place = c.round.Live(r), c.round.Place()
}

func describe(events []*fanout.Event) (lines []string) {
	for _, e := range events {
		lines = append(lines, fmt.Sprintf("%s %s", e.ID, e.JSON))
	}
	return lines
}
