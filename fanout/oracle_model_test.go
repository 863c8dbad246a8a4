package fanout_test

import (
	"slices"
	"strconv"
	"time"

	"aviary/fanout"
)

// The model says what a hub must do, in the plainest way: one list of all that
// was ever published, gone through from one end to the other. It shares nothing
// with the hub but the contract.

// entry is one accepted event.
type entry struct {
	n      int // its place in the list, also written in its JSON
	kind   fanout.Kind
	seq    uint64 // the last sequence given, its own included
	at     time.Time
	alive  bool // not deleted, not pushed out by newer states of the upstream
	id     string
	author string
	refs   []string
	words  []string
	target fanout.Target
	missed int64 // of a gap
	aim    fanout.Aim
	dead   []*entry // what it took away
}

func (e *entry) isPost() bool { return e.kind == fanout.KindPost }
func (e *entry) isDuty() bool {
	switch e.kind {
	case fanout.KindDelete, fanout.KindScrubGeo, fanout.KindStatusWithheld, fanout.KindUserWithheld:
		return true
	}
	return false
}
func (e *entry) numbered() bool {
	return e.kind != fanout.KindGap && e.kind != fanout.KindUpstream
}

// behind says that e comes after a cursor.
func (e *entry) behind(seq uint64) bool { return e.seq > seq || e.seq == seq && !e.numbered() }

type model struct {
	events int
	age    time.Duration

	all    []*entry
	base   int      // oldest held
	count  int      // alive from base on, states of the upstream apart
	states []*entry // of the upstream, the last 64
	seq    uint64
	lost   *entry          // the last entry trimmed while alive, states of the upstream apart
	seen   map[string]bool // lap and id
	ids    map[string]*entry
	tombs  []*entry
	keep   map[string]*entry // what keeps an id out
}

func newModel(events int, age time.Duration) *model {
	return &model{events: events, age: age, seen: map[string]bool{}, ids: map[string]*entry{}, keep: map[string]*entry{}}
}

// deleted says that a post was itself the target of a delete.
func (m *model) deleted(id string) bool { return m.keep[id] != nil && m.keep[id].target.ID == id }

func (m *model) held() []*entry { return m.all[m.base:] }

// publish says whether the hub must accept e, and if so does what it must do.
func (m *model) publish(e *entry, lap uint32, now time.Time) bool {
	lapID := strconv.Itoa(int(lap)) + " " + e.id
	switch {
	case e.isPost() && (m.keep[e.id] != nil || m.seen[lapID] || slices.ContainsFunc(e.refs, m.deleted)):
		return false
	case e.kind == fanout.KindDelete && m.deleted(e.target.ID):
		return false
	}
	if e.numbered() {
		m.seq++
	}
	e.n, e.seq, e.at, e.alive = len(m.all), m.seq, now, true
	if e.isDuty() {
		m.kill(e)
	} else if !e.isPost() {
		e.aim = fanout.AimEveryone
	}
	m.all = append(m.all, e)
	if e.kind == fanout.KindUpstream {
		m.states = append(m.states, e)
	} else {
		m.count++
	}
	if e.isPost() {
		m.seen[lapID] = true
		m.ids[e.id] = e
	}
	if e.isDuty() || e.kind == fanout.KindGap {
		m.tombs = append(m.tombs, e)
	}
	m.trim(now)
	return true
}

// kill finds what a notice takes away and whom it concerns.
func (m *model) kill(e *entry) {
	t := e.target
	own := func(p *entry) bool {
		if t.ID != "" {
			return p.id == t.ID
		}
		id, _ := strconv.ParseUint(p.id, 10, 64)
		return p.author == t.Author && (t.UpTo == 0 || id <= t.UpTo)
	}
	ownHeld := false
	names := map[string]bool{t.ID: true}
	if t.ID == "" {
		for _, p := range m.all {
			if p.isPost() && own(p) {
				names[p.id] = true
			}
		}
	}
	for _, p := range m.held() {
		if !p.isPost() || !p.alive {
			continue
		}
		if own(p) || slices.ContainsFunc(p.refs, func(r string) bool { return names[r] }) {
			ownHeld = ownHeld || own(p)
			e.dead = append(e.dead, p)
			p.alive = false
			m.count--
		}
	}
	switch {
	case t.ID == "":
		e.aim = fanout.AimEveryone
	case ownHeld:
		e.aim = fanout.AimMatching
	case m.ids[t.ID] != nil || len(e.dead) > 0:
		e.aim = fanout.AimEveryone
	default:
		e.aim = fanout.AimUnfiltered
	}
	if e.kind == fanout.KindDelete {
		m.keep[t.ID] = e
		for _, p := range e.dead {
			if m.keep[p.id] == nil {
				m.keep[p.id] = e
			}
		}
	}
}

func (m *model) trim(now time.Time) {
	for m.base < len(m.all) {
		e := m.all[m.base]
		if now.Sub(e.at) <= m.age && (m.count <= m.events || m.base == len(m.all)-1) {
			break
		}
		if e.alive && e.kind != fanout.KindUpstream {
			m.lost = e
			m.count--
		}
		m.base++
	}
	for ; len(m.states) > 64; m.states = m.states[1:] {
		m.states[0].alive = false
	}
	for len(m.tombs) > 0 && now.Sub(m.tombs[0].at) > m.age {
		for id, e := range m.keep {
			if e == m.tombs[0] {
				delete(m.keep, id)
			}
		}
		m.tombs = m.tombs[1:]
	}
}

// after returns the place of the first entry behind a sequence.
func (m *model) after(seq uint64) int {
	for i, e := range m.all {
		if e.behind(seq) {
			return i
		}
	}
	return len(m.all)
}

// posts counts the posts in [from, to) that f matches, deleted ones too.
func (m *model) posts(f words, from, to int) (n int64) {
	for _, e := range m.all[from:to] {
		if e.isPost() && f.match(e) {
			n++
		}
	}
	return n
}

// words is a filter: posts with one of them; none: every post.
type words []string

func (f words) match(e *entry) bool {
	return len(f) == 0 || slices.ContainsFunc(f, func(w string) bool { return slices.Contains(e.words, w) })
}

// reader is what one client has seen, and on its connection where it stands.
type reader struct {
	filter words
	unseen bool

	// Of the connection.
	sub  *fanout.Subscription
	next int          // the first entry not passed
	born int          // entries when it connected
	skip uint64       // a cursor ahead of the hub
	told map[int]bool // deletes and gaps told out of turn

	// Of the client's life.
	last  fanout.Cursor // the last id it saw
	got   []*entry
	heard map[*entry]bool // notices
}

// wants says that an entry goes to a client if it is still there.
func (r *reader) wants(e *entry) bool {
	switch {
	case !e.behind(r.skip) && r.skip != 0, r.told[e.n]:
		return false
	case e.isPost():
		return r.filter.match(e)
	case e.kind == fanout.KindUpstream:
		return e.n >= r.born
	case e.isDuty() && e.n < r.born:
		return false // told on arrival
	}
	return r.concernedBy(e)
}

func (r *reader) concernedBy(e *entry) bool {
	switch e.aim {
	case fanout.AimMatching:
		return slices.ContainsFunc(e.dead, r.filter.match)
	case fanout.AimUnfiltered:
		return len(r.filter) == 0 || r.unseen
	}
	return true
}

// due returns the first entry in [from, to) that the client must get now, or to.
func (m *model) due(r *reader, from, to int) int {
	for i := max(from, m.base); i < to; i++ {
		if e := m.all[i]; e.alive && r.wants(e) {
			return i
		}
	}
	return to
}

// news is where what may be new for a client begins, to at most: r.next, or
// behind the cursor ahead of the hub with which it came.
func (m *model) news(r *reader, to int) int {
	if r.skip == 0 {
		return r.next
	}
	return min(to, max(r.next, m.after(r.skip)))
}
