package fanout_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"aviary/fanout"
)

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
		if event.ID.Epoch != r.last.Epoch || w.model.after(event.ID.Seq) > r.next && r.skip == 0 {
			w.wrong("entry %d came out of turn with the cursor %v, past %d", e.n, event.ID, r.next)
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
