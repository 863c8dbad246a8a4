package fanout_test

import (
	"net/url"
	"slices"
	"strings"

	"aviary/fanout"
	"aviary/fanout/filter"
)

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
