package fanout

import (
	"net/url"
	"time"

	"aviary/fanout/filter"
)

// StartMode says what a Start goes by.
type StartMode uint8

// The ways to start.
const (
	StartLive   StartMode = iota // at the head
	StartCursor                  // behind Cursor
	StartPost                    // behind the post with id Post, of any source
	StartTime                    // with the first event received at Time or later
)

// Start says where a client wants to begin.
type Start struct {
	Mode   StartMode
	Cursor Cursor
	Post   string
	Time   time.Time
}

// SubscribeOptions are a client's wishes.
type SubscribeOptions struct {
	Start         Start
	Filter        *filter.Filter // nil: every post
	Bell          *Bell          // rung when something new concerns the client; nil: the owner asks by itself
	UnseenDeletes bool           // wants deletes of posts never seen although it has a filter
	Key           string         // whose client it is, for Filters; "": counted by itself
}

// Resumed says how much of what a client asked for is there.
type Resumed uint8

// The words of the hello event.
const (
	ResumedLive    Resumed = iota // nothing was asked for
	ResumedFull                   // all of it
	ResumedPartial                // history is shorter: from the oldest held
	ResumedNone                   // the cursor is from another life of the log: from the oldest held
)

// String returns the word of the hello event.
func (r Resumed) String() string { return [...]string{"live", "full", "partial", "none"}[r] }

// Resume is what a client is told before its first event: hello with At as its
// id, the Tombstones without ids, then the Gap if there is one.
type Resume struct {
	How    Resumed
	Missed int64 // posts that are no longer held; -1: unknown, as always with a filter
	// At is the last event that the client had, so that a connection that ends
	// after hello loses nothing; on another epoch's cursor, this one's beginning.
	At Cursor
	// Tombstones are the deletes and their like behind At that concern the
	// client, and losses before the log that left it. Next does not repeat them.
	Tombstones []*Event
	Gap        Gap
}

// everything is the filter of those who gave none.
var everything = func() *filter.Filter {
	f, err := filter.Parse(url.Values{})
	if err != nil {
		panic(err)
	}
	return f
}()

// Subscribe adds a client. It counts what the log holds for the client's filter
// outside the lock, building postings that are missing, so a replay with a new
// filter costs its caller, not the others. Whoever subscribes closes.
func (h *Hub) Subscribe(o SubscribeOptions) (*Subscription, Resume) {
	if o.Filter == nil {
		o.Filter = everything
	}
	h.mu.Lock()
	s := &Subscription{hub: h, bell: o.Bell, unseen: o.UnseenDeletes, passed: Cursor{Epoch: h.epoch.Load()}}
	s.group, s.key = h.join(o.Filter, o.Bell), keyOf(o.Key)
	s.group.countKey(s.key, 1)
	h.subs++
	if b := o.Bell; b != nil {
		b.subs++
		if s.wantsUnseen() {
			b.all++
		}
	}
	h.trim(time.Now())
	r := h.place(s, o.Start)
	count := s.counting(s.pos)
	h.mu.Unlock()
	s.rank = count()
	return s, r
}

// origin is where a start lies in the log and before it.
type origin struct {
	pos   uint64 // first position, held or not, that is wanted
	whole bool   // nothing wanted was trimmed
	posts uint64 // posts published before the origin; valid if known
	known bool
	at    time.Time // about when the origin was; zero: unknown
	cur   Cursor    // the last event before it
	tombs []*Event  // behind it
}

// place puts s where a start says and works out what to tell its client. It
// runs under the lock.
func (h *Hub) place(s *Subscription, start Start) Resume {
	l := &h.log
	s.born = l.head
	if start.Mode == StartLive {
		s.moveTo(l.head)
		return Resume{At: s.passed}
	}
	o, how := h.origin(start)
	switch {
	case how == ResumedNone:
	case o.whole:
		how = ResumedFull
	default:
		how = ResumedPartial
	}
	if how == ResumedFull && o.cur.Seq > l.seq {
		s.skip = o.cur.Seq
	}
	s.moveTo(max(o.pos, l.base))
	r := Resume{How: how, At: o.cur}
	if how == ResumedFull {
		s.passed.Seq = max(s.passed.Seq, o.cur.Seq)
	} else {
		h.tellLoss(s, &r, o)
	}
	for _, e := range o.tombs {
		if (e.Kind.duty() || e.pos < s.pos) && s.aimed(e) {
			r.Tombstones = append(r.Tombstones, e.facing(!s.group.every))
		}
	}
	return r
}

// tellLoss fills in what a client that asked for more than is held is told.
func (h *Hub) tellLoss(s *Subscription, r *Resume, o origin) {
	r.Missed = -1
	if r.How == ResumedPartial && s.group.every && o.known {
		r.Missed = int64(h.log.postsBefore(s.pos) - o.posts)
	}
	r.Gap = Gap{Reason: GapHistory, From: o.at, To: s.at, Missed: r.Missed, Cursor: s.passed}
	if r.How == ResumedNone {
		r.Gap.Reason = GapRestart
	}
}

// origin finds a start. It returns ResumedNone for a cursor of another epoch.
func (h *Hub) origin(start Start) (origin, Resumed) {
	beginning := Cursor{Epoch: h.epoch.Load()}
	switch start.Mode {
	case StartTime:
		return h.originAt(start.Time), ResumedPartial
	case StartPost:
		_, seen := h.sighting(start.Post)
		if seen == nil { // older than the duplicate window, or never here
			return origin{cur: beginning, tombs: h.tombs.list}, ResumedPartial
		}
		return h.originBehind(Cursor{h.epoch.Load(), seen.seq}), ResumedPartial
	}
	if start.Cursor.Epoch != h.epoch.Load() {
		return origin{cur: beginning, tombs: h.tombs.list}, ResumedNone
	}
	return h.originBehind(start.Cursor), ResumedPartial
}

func (h *Hub) originBehind(c Cursor) origin {
	l := &h.log
	o := origin{cur: c, pos: l.after(c.Seq), tombs: h.tombs.after(c.Seq)}
	o.whole = !l.missing || 2*c.Seq >= l.lost.key()
	o.posts, o.at, o.known = l.postsUpTo(c.Seq)
	o.known = o.known && c.Seq >= l.unread.seq
	return o
}

func (h *Hub) originAt(t time.Time) origin {
	l := &h.log
	o := origin{pos: l.since(t), at: t, tombs: h.tombs.since(t), cur: Cursor{Epoch: h.epoch.Load()}}
	o.whole = !l.missing || l.lost.at.Before(t)
	if o.pos > l.first || l.first == 0 { // else it may lie further back, where times are not kept
		o.posts, o.known = l.postsBefore(o.pos), true
		o.cur.Seq = l.last(o.pos).seq
	}
	o.known = o.known && l.unread.at.Before(t)
	return o
}
