package fanout_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
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

// connect subscribes a client and checks what it is told first.
func (w *world) connect(r *reader, start fanout.Start) {
	w.tick()
	w.note("connect %v start=%+v", r.filter, start)
	m := w.model
	params := url.Values{}
	if len(r.filter) > 0 {
		params.Set("track", strings.Join(r.filter, ","))
	}
	f, err := filter.Parse(params)
	if err != nil {
		w.Fatal(err)
	}
	var resume fanout.Resume
	r.sub, resume = w.hub.Subscribe(fanout.SubscribeOptions{Start: start, Filter: f, Bell: w.bell, UnseenDeletes: r.unseen})
	r.born, r.skip, r.told = len(m.all), 0, map[int]bool{}
	epoch := w.hub.Stats().Head.Epoch

	want := fanout.Resume{How: fanout.ResumedFull, At: fanout.Cursor{Epoch: epoch}}
	from, known := len(m.all), true // first entry wanted
	whole := m.lost == nil
	behind := func(c fanout.Cursor) {
		want.At, from = c, m.after(c.Seq)
		whole = whole || !m.lost.behind(c.Seq)
		if c.Seq > m.seq {
			r.skip = c.Seq
		}
	}
	tomb := func(e *entry) bool { return e.behind(want.At.Seq) }
	switch start.Mode {
	case fanout.StartLive:
		want = fanout.Resume{At: fanout.Cursor{Epoch: epoch, Seq: m.seq}}
		tomb = func(*entry) bool { return false }
		whole = true
	case fanout.StartCursor:
		if behind(start.Cursor); start.Cursor.Epoch != epoch {
			want.How, want.At, from, known, r.skip = fanout.ResumedNone, fanout.Cursor{Epoch: epoch}, 0, false, 0
		}
	case fanout.StartPost:
		if e := m.ids[start.Post]; e != nil {
			behind(fanout.Cursor{Epoch: epoch, Seq: e.seq})
		} else {
			want.How, from, known, whole = fanout.ResumedPartial, 0, false, false
		}
	case fanout.StartTime:
		from = slices.IndexFunc(m.all, func(e *entry) bool { return !e.at.Before(start.Time) })
		if from < 0 {
			from = len(m.all)
		}
		whole = whole || m.lost.at.Before(start.Time)
		tomb = func(e *entry) bool { return !e.at.Before(start.Time) }
	}
	if !whole && want.How == fanout.ResumedFull {
		want.How = fanout.ResumedPartial
	}
	r.next = max(from, m.base)
	if want.How == fanout.ResumedPartial || want.How == fanout.ResumedNone {
		if want.Missed = -1; want.How == fanout.ResumedPartial && len(r.filter) == 0 && known {
			want.Missed = m.posts(nil, from, r.next)
		}
	}
	if start.Mode == fanout.StartTime {
		want.At = resume.At // checked by what follows
		if resume.Missed < 0 && from < m.base {
			want.Missed = resume.Missed // times of long ago are not kept
		}
	}
	if resume.How != want.How || resume.Missed != want.Missed || resume.At != want.At {
		w.wrong("resume %v missed %d at %v, want %v %d %v", resume.How, resume.Missed, resume.At, want.How, want.Missed, want.At)
	}
	if w.checkResumeGap(r, resume); w.Failed() {
		return
	}
	for _, e := range m.tombs {
		if tomb(e) && r.concernedBy(e) && (e.isDuty() || e.n < r.next) {
			w.tombstone(r, e, &resume.Tombstones)
		}
	}
	if len(resume.Tombstones) > 0 {
		w.wrong("%d tombstones too many, first %s", len(resume.Tombstones), resume.Tombstones[0].JSON)
	}
	r.last = max2(resume.At, resume.Gap.Cursor)
	w.stats.resumes++
}

func max2(a, b fanout.Cursor) fanout.Cursor {
	if b.Epoch == a.Epoch && b.Seq > a.Seq {
		return b
	}
	return a
}

func (w *world) checkResumeGap(r *reader, resume fanout.Resume) {
	gap := resume.Gap
	switch resume.How {
	case fanout.ResumedPartial, fanout.ResumedNone:
		reason := map[fanout.Resumed]string{fanout.ResumedPartial: "history", fanout.ResumedNone: "restart"}[resume.How]
		if gap.Reason != reason || gap.Missed != resume.Missed || w.model.after(gap.Cursor.Seq) > r.next {
			w.wrong("resume gap %+v, want reason %s, missed %d", gap, reason, resume.Missed)
		}
	default:
		if !gap.Zero() {
			w.wrong("resumed %v with a gap %+v", resume.How, gap)
		}
	}
}

// tombstone takes the next of a list, which must be e.
func (w *world) tombstone(r *reader, e *entry, list *[]*fanout.Event) {
	if len(*list) == 0 || w.identify((*list)[0]) != e {
		w.wrong("tombstone %v %d is not there (next of %d)", e.kind, e.n, len(*list))
	}
	*list = (*list)[1:]
	r.told[e.n] = true
	r.heard[e] = true
	w.stats.tombs++
}

// identify finds the entry of an event.
func (w *world) identify(e *fanout.Event) *entry {
	w.Helper()
	var n int
	if e.Kind == fanout.KindGap {
		n = int(e.Loss.From.Unix())
	} else {
		var body map[string]json.RawMessage
		if err := json.Unmarshal(e.JSON, &body); err != nil {
			w.wrong("JSON %s: %v", e.JSON, err)
		}
		if inner, ok := body[e.Kind.String()]; ok {
			body = nil
			json.Unmarshal(inner, &body)
		}
		n, _ = strconv.Atoi(string(body["n"]))
	}
	if n >= len(w.model.all) || w.model.all[n].kind != e.Kind {
		w.wrong("event %s was never accepted", e.JSON)
	}
	return w.model.all[n]
}

// pull lets a client call Next once and checks all that comes.
func (w *world) pull(r *reader, most int) {
	w.tick()
	m := w.model
	events, gap := r.sub.Next(nil, most)
	w.note("pull %v at %d: %d events, gap %+v", r.filter, r.next, len(events), gap)
	if len(events) > most {
		w.wrong("%d events, asked for %d", len(events), most)
	}
	outOfTurn := len(events) > 0 && !bytes.Contains(events[0].Frame(), []byte("id: "))
	switch {
	case outOfTurn:
		w.ghosts(r, events, gap)
		return
	case !gap.Zero():
		w.gap(r, gap)
	default:
		if lost := m.posts(r.filter, m.news(r, max(r.next, m.base)), max(r.next, m.base)); lost > 0 {
			w.wrong("%d posts lost and no gap", lost)
		}
	}
	for _, event := range events {
		e := w.identify(event)
		if e.n < r.next {
			w.wrong("entry %d came again or out of order, %d was next", e.n, r.next)
		}
		if due := m.due(r, r.next, e.n); due != e.n {
			w.wrong("entry %d was left out before %d", due, e.n)
		}
		if e.n < m.base || !e.alive {
			w.wrong("entry %d is gone and came", e.n)
		}
		if !r.wants(e) {
			w.wrong("entry %d is not for %v", e.n, r.filter)
		}
		w.check(r, event, e)
		r.next = e.n + 1
	}
	r.next = m.due(r, r.next, len(m.all)) // what does not concern it is passed too
	if len(events) < most && r.next < len(m.all) {
		w.wrong("entry %d was not delivered, %d of %d", r.next, len(events), most)
	}
	w.stats.delivered += len(events)
}

// check compares an event with its entry, and notes it.
func (w *world) check(r *reader, event *fanout.Event, e *entry) {
	id := "id: " + event.ID.String() + "\n"
	if event.ID.Seq != e.seq || !bytes.Contains(event.Frame(), []byte(id)) || !event.Received.Equal(e.at) {
		w.wrong("entry %d came as %q", e.n, event.Frame())
	}
	w.checkLoss(r, event, e)
	r.last = event.ID
	if e.isPost() {
		r.got = append(r.got, e)
	} else {
		r.heard[e] = true
	}
}

// checkLoss: how many of the posts lost a filter matched is not known.
func (w *world) checkLoss(r *reader, event *fanout.Event, e *entry) {
	missed := "null"
	if e.missed >= 0 && len(r.filter) == 0 {
		missed = strconv.FormatInt(e.missed, 10)
	}
	if e.kind == fanout.KindGap && !bytes.HasPrefix(event.JSON, []byte(`{"gap":{"missed":`+missed+`,"reason":"upstream"`)) {
		w.wrong("loss %s, want missed %s", event.JSON, missed)
	}
}

// ghosts are what an overtaken client is told before its gap.
func (w *world) ghosts(r *reader, events []*fanout.Event, gap fanout.Gap) {
	if !gap.Zero() || r.next >= w.model.base {
		w.wrong("events without ids, gap %+v, client at %d", gap, r.next)
	}
	for _, event := range events {
		e := w.identify(event)
		if bytes.Contains(event.Frame(), []byte("id: ")) || e.n < r.next || !r.wants(e) || !e.isDuty() && e.kind != fanout.KindGap {
			w.wrong("entry %d came out of turn", e.n)
		}
		w.checkLoss(r, event, e)
		r.told[e.n], r.heard[e] = true, true
		w.stats.tombs++
	}
}

// gap checks that a client was overtaken and is told exactly by how much.
func (w *world) gap(r *reader, gap fanout.Gap) {
	m := w.model
	to := max(m.base, m.after(gap.Cursor.Seq))
	if gap.Reason != "slow" || r.next >= m.base || gap.Cursor.Seq < m.all[m.base-1].seq || gap.Cursor.Epoch != r.last.Epoch {
		w.wrong("gap %+v ends at %d, client at %d", gap, to, r.next)
	}
	missed := m.posts(r.filter, r.next, to)
	if gap.Missed > missed || gap.Missed < m.posts(r.filter, m.news(r, to), to) {
		w.wrong("gap says %d missed, want %d", gap.Missed, missed)
	}
	if to > m.base+(len(m.all)-m.base)/2+1 && len(r.told) == 0 {
		w.wrong("gap goes on at %d, not at the middle", to)
	}
	for _, e := range m.tombs {
		if e.n >= r.next && e.n < to && r.wants(e) && (e.n < m.base || e.numbered()) {
			w.wrong("entry %d was not told before the gap", e.n)
		}
	}
	r.next, r.last = to, gap.Cursor
	w.stats.gaps++
}

// heartbeat asks for the cursor, which may pass what does not concern the client
// and nothing else.
func (w *world) heartbeat(r *reader) {
	w.tick()
	m := w.model
	c := r.sub.Cursor()
	w.note("heartbeat %v at %d: %v", r.filter, r.next, c)
	if c.Epoch != r.last.Epoch || c.Seq < r.last.Seq {
		w.wrong("cursor went from %v back to %v", r.last, c)
	}
	to := m.after(c.Seq)
	if r.skip != 0 && c.Seq == r.skip { // says nothing of where it stands
		if to = r.next; r.next >= m.base {
			to = m.due(r, r.next, len(m.all))
		}
	}
	if to > r.next {
		if due := m.due(r, r.next, to); due < to {
			w.wrong("cursor %v passed entry %d", c, due)
		}
		if lost := m.posts(r.filter, r.next, min(to, max(r.next, m.base))); lost > 0 {
			w.wrong("cursor %v passed %d lost posts", c, lost)
		}
		r.next = to
	} else if r.next >= m.base && m.due(r, r.next, len(m.all)) == len(m.all) && c.Seq < m.seq {
		w.wrong("cursor %v is stale, head %d", c, m.seq)
	}
	r.last = c
}

// drain lets everybody catch up and checks that whoever got a post heard of its
// end.
func (w *world) drain(forgetful bool) {
	for _, r := range w.gone {
		w.connect(r, fanout.Start{Mode: fanout.StartCursor, Cursor: r.last})
	}
	w.readers, w.gone = append(w.readers, w.gone...), nil
	for _, r := range w.readers {
		for i := 0; r.next < len(w.model.all); i++ {
			if w.pull(r, 50); i > 2*len(w.model.all)+10 {
				w.wrong("client does not come to an end")
			}
		}
		if forgetful {
			continue
		}
		for _, e := range w.model.all {
			for _, p := range r.got {
				if !e.isDuty() {
					break
				}
				about := e.kind == fanout.KindDelete && e.target.ID == p.id && e.n > p.n
				if (about || slices.Contains(e.dead, p)) && !r.heard[e] {
					w.wrong("client %v got post %s and never heard of %v %d", r.filter, p.id, e.kind, e.n)
				}
			}
		}
	}
}
