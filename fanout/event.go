package fanout

import (
	"sync/atomic"
	"time"

	"aviary/fanout/filter"
)

// Kind says what an event is. Its String is the SSE event name; a Post has none.
type Kind uint8

// The kinds of events in the log. Names are never taken from input: whatever an
// upstream sends that is not one of these is Other.
const (
	KindPost           Kind = iota
	KindDelete              // {"delete":{"status":{…}}}
	KindScrubGeo            // {"scrub_geo":{…}}
	KindStatusWithheld      // {"status_withheld":{…}}
	KindUserWithheld        // {"user_withheld":{…}}
	KindGap                 // posts lost before the log: upstream, oversize; no sequence of its own
	KindUpstream            // the upstream's state changed; no sequence of its own, never replayed
	KindLimit
	KindWarning
	KindDisconnect
	KindOther
)

var kindNames = [...]string{
	KindPost: "", KindDelete: "delete", KindScrubGeo: "scrub_geo", KindStatusWithheld: "status_withheld",
	KindUserWithheld: "user_withheld", KindGap: "gap", KindUpstream: "upstream", KindLimit: "limit",
	KindWarning: "warning", KindDisconnect: "disconnect", KindOther: "other",
}

// String returns the name of the SSE event, "" for a post.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[KindOther]
}

// duty says that the event takes posts away: it outlives the log, and a
// resuming client is told of it before anything else.
func (k Kind) duty() bool { return k >= KindDelete && k <= KindUserWithheld }

// sequenced says that the event has a sequence number of its own.
func (k Kind) sequenced() bool { return k != KindGap && k != KindUpstream }

// Dialect is what a source knows about its own JSON, so that nobody downstream
// needs to import the source.
type Dialect struct {
	Name string // also the Source of its posts' keys
	// Post decodes one post. The JSON is not kept.
	Post func(json []byte) (*filter.Post, error)
	// Compact appends the compact form of a post (docs: "Compact post") to dst.
	Compact func(dst, json []byte) ([]byte, error)
	// V1 appends a post as a status of Twitter's v1.1 API, in the form of its
	// streams; nil: its JSON is one already.
	V1 func(dst, json []byte) ([]byte, error)
	// V2 appends a post as an envelope of X's API v2, data and includes with all
	// that is known; nil: its JSON is one already.
	V2 func(dst, json []byte) ([]byte, error)
}

// Aim says who gets an event.
type Aim uint8

// Set by Publish, never by a source.
const (
	AimMatching   Aim = iota // clients whose filter matches Post (of a delete: what it deletes)
	AimEveryone              // every client
	AimUnfiltered            // clients without a content filter, and those who ask for such deletes
)

// Target names what a KindDelete, KindScrubGeo, KindStatusWithheld or
// KindUserWithheld is about: one post (ID), or the posts of one author, up to
// an id when UpTo is not zero.
type Target struct {
	Source string // "": that of the event's dialect
	ID     string
	Author string
	UpTo   uint64
}

// Loss is what a KindGap event tells: posts that never reached the log.
type Loss struct {
	Reason   string // "upstream" or "oversize"
	Missed   int64  // -1: unknown
	From, To time.Time
}

// Event is one message of the stream. NewEvent makes it; the source sets Kind,
// Post, Target, Loss, Window and Sent and hands it to Publish, which sets the
// rest. From then on nobody changes it and anybody may read it.
type Event struct {
	// Owned by the source until Publish, then read-only.
	Kind    Kind
	Dialect *Dialect
	JSON    []byte       // one line; of a KindGap with a Loss, Publish writes it
	Post    *filter.Post // of a KindPost. Of a delete Publish sets it to the dead post, if that was held
	Target  Target       // of the kinds that take posts away
	Loss    *Loss        // of a KindGap
	Window  uint32       // events of one source with different Window are never duplicates of each other
	Sent    time.Time    // the upstream's own time stamp; zero: none
	// Seen says of a delete that its post was published, whatever the hub knows: on
	// a bus the post is gone when a later node reads the delete.
	Seen bool

	// Set by Publish.
	ID       Cursor    // kept if its Seq is set before, as on a bus that numbers
	Received time.Time // kept if it is set before and past, as on a bus; never goes back from one event to the next
	Aim      Aim

	buf   []byte // headroom, JSON, "\n\n"
	start int    // of the SSE frame in buf

	// Owned by the hub's lock until the event is in its slot, then read-only.
	pos   uint64
	only  map[string]bool // of a gap: the filters whose clients are told; nil: all
	dead  []*filter.Post  // what an aimed delete took away
	blind *Event          // a gap without its count, for clients with a filter
	bare  bool            // made by withoutID

	// Safe for concurrent use.
	encodings atomic.Pointer[encodings]
	charged   atomic.Int64
	budget    *budget
}

const (
	// headroom holds the longest "event: …\nid: …\ndata: ":
	// 7+15+1, 4+27+1 and 6 bytes.
	headroom = 64
	dataMark = "data: "
	frameEnd = "\n\n"
)

// NewEvent makes a post of one JSON object in d's dialect, normalised by
// Normalize. raw is not kept: its one copy lies in a buffer with room for the
// SSE frame around it, so that the plain frame and the NDJSON line cost no
// further copy.
func NewEvent(d *Dialect, raw []byte) *Event {
	e := &Event{Dialect: d}
	e.setJSON(raw)
	return e
}

func (e *Event) setJSON(raw []byte) {
	odd := suspects(raw)
	buf := make([]byte, headroom, headroom+len(raw)+odd*growth+len(frameEnd))
	if odd == 0 {
		buf = append(buf, raw...)
	} else {
		buf = appendNormal(buf, raw)
	}
	e.JSON = buf[headroom:len(buf):len(buf)]
	e.buf = append(buf, frameEnd...)
	e.setHead(dataMark)
}

// setHead writes what stands before the JSON in the SSE frame.
func (e *Event) setHead(head string) {
	e.start = headroom - len(head)
	copy(e.buf[e.start:headroom], head)
}

// complete fills in what the source may leave out.
func (e *Event) complete() {
	if e.Kind == KindPost && e.Post == nil {
		e.Post = &filter.Post{} // not decoded: no key, no features
	}
	if e.Target.Source == "" && e.Dialect != nil {
		e.Target.Source = e.Dialect.Name
	}
}

// seal gives the event its frame, now that its id is known. An event that was
// not made by NewEvent, or whose JSON was replaced, gets its buffer now.
func (e *Event) seal() {
	if e.buf == nil || len(e.JSON) == 0 || &e.JSON[0] != &e.buf[headroom] || headroom+len(e.JSON)+len(frameEnd) != len(e.buf) {
		e.setJSON(e.JSON)
	}
	var room [headroom]byte
	head := room[:0]
	if e.Kind != KindPost {
		head = append(head, "event: "...)
		head = append(head, e.Kind.String()...)
		head = append(head, '\n')
	}
	head = append(head, "id: "...)
	head = e.ID.append(head)
	head = append(head, '\n')
	head = append(head, dataMark...)
	e.start = headroom - len(head)
	copy(e.buf[e.start:headroom], head)
}

// withoutID returns the same event for a client that is told out of turn and
// stands at c: a frame that leaves its last id alone, and c for its owner's books.
func (e *Event) withoutID(c Cursor) *Event {
	bare := NewEvent(e.Dialect, e.JSON)
	bare.Kind, bare.Post, bare.Target, bare.Loss, bare.Window, bare.Sent, bare.Seen = e.Kind, e.Post, e.Target, e.Loss, e.Window, e.Sent, e.Seen
	bare.ID, bare.Received, bare.Aim, bare.pos, bare.dead, bare.bare = c, e.Received, e.Aim, e.pos, e.dead, true
	bare.only = e.only
	if e.Kind != KindPost {
		bare.setHead("event: " + e.Kind.String() + "\n" + dataMark)
	}
	return bare
}

// Frame returns the whole SSE frame, from "event:" or "id:" to the blank line.
// It is shared: nobody writes into it. Before Publish it has no id.
func (e *Event) Frame() []byte { return e.buf[e.start:len(e.buf):len(e.buf)] }

// Line returns the JSON and one line feed, the NDJSON form. It is shared and
// lies inside Frame.
func (e *Event) Line() []byte { return e.buf[headroom : len(e.buf)-1 : len(e.buf)-1] }

// behind says that a cursor at seq lies before the event: a notice without a
// sequence of its own stands behind the event whose sequence it carries.
func (e *Event) behind(seq uint64) bool {
	return e.ID.Seq > seq || e.ID.Seq == seq && !e.Kind.sequenced()
}

// size is what the event's slot costs HISTORY_BYTES beside the post.
func (e *Event) size() int64 {
	n := cap(e.buf)
	if e.blind != nil {
		n += cap(e.blind.buf)
	}
	return int64(n)
}
