package fanout_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// dice decide what happens in a world: a seeded generator or a fuzzer's bytes.
type dice interface {
	roll(n int) int // 0 ≤ roll < n
	over() bool
}

// world drives a hub and the model through the same life and compares all they
// say.
type world struct {
	*testing.T
	dice
	hub     *fanout.Hub
	model   *model
	bell    *fanout.Bell
	readers []*reader
	gone    []*reader
	lap     uint32
	id      int
	step    int
	steps   []func() string // the last ones, for the report
	stats   struct{ delivered, gaps, tombs, resumes, deaths int }
}

var dialect = &fanout.Dialect{Name: "test"}

func newWorld(t *testing.T, d dice, config fanout.Config) *world {
	w := &world{T: t, dice: d}
	w.hub = fanout.NewHub(config)
	w.bell = w.hub.NewBell()
	w.model = newModel(config.Events, config.Age)
	return w
}

func (w *world) note(format string, args ...any) {
	if len(w.steps) == 60 {
		w.steps = w.steps[1:]
	}
	n := w.step
	w.steps = append(w.steps, func() string { return fmt.Sprintf("%d: ", n) + fmt.Sprintf(format, args...) })
}

func (w *world) wrong(format string, args ...any) {
	w.Helper()
	for _, step := range w.steps {
		w.Log(step())
	}
	w.Fatalf("%s; held [%d,%d)", fmt.Sprintf(format, args...), w.model.base, len(w.model.all))
}

// tick keeps both sides equally old.
func (w *world) tick() {
	w.step++
	w.hub.Trim()
	w.model.trim(time.Now())
}

// publish hands one entry to both sides.
func (w *world) publish(e *entry) {
	w.tick()
	n := len(w.model.all)
	raw := fmt.Sprintf(`{"id_str":%q,"n":%d}`, e.id, n)
	if !e.isPost() {
		raw = fmt.Sprintf(`{%q:{"n":%d}}`, e.kind.String(), n)
	}
	event := fanout.NewEvent(dialect, []byte(raw))
	event.Kind, event.Target, event.Window = e.kind, e.target, w.lap
	switch e.kind {
	case fanout.KindPost:
		var b filter.Builder
		b.Reset(filter.Key{Source: "test", ID: e.id})
		b.Author(e.author)
		for _, r := range e.refs {
			b.Ref(r)
		}
		b.Text(strings.Join(e.words, " "))
		event.Post = b.Post()
	case fanout.KindGap:
		event.Loss = &fanout.Loss{Reason: "upstream", Missed: e.missed, From: time.Unix(int64(n), 0)}
	}
	want := w.model.publish(e, w.lap, time.Now())
	w.note("publish %v id=%s refs=%v words=%v target=%v accepted=%v", e.kind, e.id, e.refs, e.words, e.target, want)
	if got := w.hub.Publish(event); got != want {
		w.wrong("Publish %v %q = %v, want %v", e.kind, e.id, got, want)
	}
	if want && event.ID.Seq != e.seq {
		w.wrong("sequence %d, want %d", event.ID.Seq, e.seq)
	}
	if want && event.Aim != e.aim {
		w.wrong("aim of %v is %d, want %d", e.kind, event.Aim, e.aim)
	}
	if e.isPost() {
		last := w.model.ids[e.id]
		held := last != nil && last.alive && last.n >= w.model.base
		if w.lap > 0 { // an older one may be left
			held = slices.ContainsFunc(w.model.held(), func(p *entry) bool { return p.alive && p.id == e.id })
		}
		if w.hub.Has(filter.Key{Source: "test", ID: e.id}) != held {
			w.wrong("Has(%s) is not %v", e.id, held)
		}
	}
	w.stats.deaths += len(e.dead)
}

// randomPost is a post with words of very different frequency, sometimes a
// duplicate, sometimes about another.
func (w *world) randomPost() *entry {
	e := &entry{kind: fanout.KindPost, author: "a" + strconv.Itoa(w.roll(6))}
	if e.id = strconv.Itoa(w.id + 1); w.id > 0 && w.roll(12) == 0 {
		e.id = w.someID()
	} else {
		w.id++
	}
	if old := w.model.ids[e.id]; old != nil { // the same post has the same words
		e.author, e.words, e.refs = old.author, old.words, old.refs
		return e
	}
	for i, one := range []int{2, 4, 12, 60} {
		if w.roll(one) == 0 {
			e.words = append(e.words, "w"+strconv.Itoa(i))
		}
	}
	for w.roll(5) == 0 && len(e.refs) < 3 && w.id > 1 {
		e.refs = append(e.refs, w.someID())
	}
	return e
}

// someID is an id that was used, mostly of late, or will be.
func (w *world) someID() string {
	back := w.roll(20)
	if w.roll(4) == 0 {
		back = w.roll(w.id + 3)
	}
	return strconv.Itoa(max(1, w.id+1-back))
}

func (w *world) randomNotice() *entry {
	e := &entry{}
	switch w.roll(16) {
	case 0, 1, 2, 3, 4, 5, 6:
		e.kind, e.target.ID = fanout.KindDelete, w.someID()
	case 7, 8:
		e.kind, e.target.ID = fanout.KindStatusWithheld, w.someID()
	case 9:
		e.kind, e.target.Author, e.target.UpTo = fanout.KindScrubGeo, "a"+strconv.Itoa(w.roll(8)), uint64(w.roll(w.id+1))
	case 10:
		e.kind, e.target.Author = fanout.KindUserWithheld, "a"+strconv.Itoa(w.roll(8))
	case 11, 12:
		e.kind, e.missed = fanout.KindGap, int64(w.roll(4)-1)
	case 13, 14:
		e.kind = fanout.KindUpstream
	case 15:
		e.kind = []fanout.Kind{fanout.KindLimit, fanout.KindWarning, fanout.KindDisconnect, fanout.KindOther}[w.roll(4)]
	}
	return e
}
