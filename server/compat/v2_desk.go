package compat

import (
	"context"
	"slices"
	"strconv"

	"aviary/fanout"
)

// desk follows the log while v2 streams are open, matches every post once against
// the rules of all of them, and hands it to the streams of whoever has a rule that
// matches. A change of rules holds the same lock: the post after it goes by the new
// rules, none is lost and none comes twice. It never waits for a client.
type desk struct {
	hub   *fanout.Hub
	bell  *fanout.Bell
	book  *book
	views views

	// Owned by book.mu.
	sub    *fanout.Subscription // of every post; nil: no stream is open
	open   map[*streamV2]struct{}
	events []*fanout.Event
}

func newDesk(hub *fanout.Hub, b *book) *desk {
	return &desk{hub: hub, bell: hub.NewBell(), book: b, open: map[*streamV2]struct{}{}}
}

// hit is a post that a stream is to get, with the rules that it matched.
type hit struct {
	event *fanout.Event
	rules []*rule
}

// maxHits is how many posts wait for a client before it is told that it is too slow.
const maxHits = 4096

// run works until ctx ends.
func (d *desk) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.bell.C():
			for d.step() {
			}
		}
	}
}

// step handles a few events; false: there were none.
func (d *desk) step() bool {
	d.book.mu.Lock()
	defer d.book.mu.Unlock()
	if d.sub == nil {
		return false
	}
	events, gap := d.sub.Next(d.events[:0], 64)
	d.events = events
	if !gap.Zero() { // this loop was overtaken, and with it everybody
		for t := range d.open {
			t.overflow()
		}
	}
	for _, e := range events {
		switch e.Kind {
		case fanout.KindPost:
			d.book.matches(e.Post, func(set *ruleSet, rules []*rule) {
				h := hit{e, slices.Clone(rules)}
				for t := range set.streams {
					t.put(h)
				}
			})
		case fanout.KindDelete, fanout.KindScrubGeo, fanout.KindStatusWithheld, fanout.KindUserWithheld:
			for t := range d.open {
				t.forget(e)
			}
		}
	}
	clear(events)
	return len(events) > 0 || !gap.Zero()
}

// attach opens a stream's tap and returns where the log stands there: what comes
// later is handed to the stream, what came before is not. false: its token has no rules.
func (d *desk) attach(o owner, t *streamV2) (fanout.Cursor, bool) {
	d.book.mu.Lock()
	defer d.book.mu.Unlock()
	if !d.book.attach(o, t) {
		return fanout.Cursor{}, false
	}
	if d.sub == nil {
		d.sub, _ = d.hub.Subscribe(fanout.SubscribeOptions{Bell: d.bell})
	}
	d.open[t] = struct{}{}
	return d.sub.Cursor(), true
}

// detach closes it.
func (d *desk) detach(t *streamV2) {
	d.book.mu.Lock()
	defer d.book.mu.Unlock()
	d.book.detach(t)
	delete(d.open, t)
	if len(d.open) == 0 {
		d.sub.Close()
		d.sub = nil
		d.views.clear()
	}
}

// match is the rules of a stream, as they are now, that a post of the past matches.
func (d *desk) match(t *streamV2, e *fanout.Event) (own []*rule) {
	d.book.mu.Lock()
	rules := t.set.rules // what is added comes behind, what is deleted makes a new list
	d.book.mu.Unlock()
	for _, r := range rules {
		if r.filter.Match(e.Post) {
			own = append(own, r)
		}
	}
	return own
}

// close gives the hub's bell back, unless a stalled stream still needs it.
func (d *desk) close() {
	d.book.mu.Lock()
	defer d.book.mu.Unlock()
	if d.sub == nil {
		d.bell.Close()
	}
}

// concerns says that a notice takes a post away.
func concerns(e *fanout.Event, post *fanout.Event) bool {
	t, p := e.Target, post.Post
	switch {
	case p == nil || t.Source != "" && t.Source != p.Key.Source:
		return false
	case t.ID != "":
		return p.Key.ID == t.ID || slices.Contains(p.Refs, t.ID)
	case p.Author != t.Author || t.Author == "":
		return false
	case t.UpTo == 0:
		return true
	}
	id, err := strconv.ParseUint(p.Key.ID, 10, 64)
	return err == nil && id <= t.UpTo
}
