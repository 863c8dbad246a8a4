package lease

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"aviary/fanout"
	"aviary/upstream"
)

// The states of a Node.
const (
	Follower = "follower" // somebody else leads, or may
	Elect    = "elect"    // just won: reading where the last leader stood
	Acquire  = "acquire"  // taking a slot
	Connect  = "connect"  // opening a stream, or waiting to
	Stream   = "stream"   // a stream is open
	Leaving  = "leaving"  // resigned: publishing on until the next leader does
	Demoted  = "demoted"  // the lease is lost: closing
	Halted   = "halted"   // leading, and not trying until a person says so
)

// Marker is what a leader puts on the bus before the first post of a stream.
// Readers drop what has a lower term than the highest they have seen.
type Marker struct {
	Term uint64 `json:"term"`
	Node string `json:"node"`
	Slot int    `json:"slot"`
}

// Config makes a Node. Node and Lead are needed; Lease and State too, unless it
// is alone.
type Config struct {
	Node         string        // unique among the nodes
	Lease, State Store         // default: in memory, which is for a node that is alone
	TTL          time.Duration // of the keys in Lease; default 2 s
	StreamLimit  int           // streams the upstream allows at once; default 2
	StallTimeout time.Duration // how long a dead stream may be counted; default 90 s
	HoldsSlots   bool          // as of upstream.Runner
	// Settings stands for what the upstream is asked with, as a digest: a halt that
	// came from other settings is not kept. "": a halt is always kept.
	Settings string
	// Edge: this node never leads, and Lead is not needed.
	Edge bool
	// Alone: nobody else can lead, so the lease needs no renewal and cannot be lost,
	// and there is nobody to hand over to. That its keys vanish meanwhile means nothing.
	Alone bool

	// Lead runs the upstream (Runner.Run) until ctx ends, and returns when all its
	// streams are closed and what is not published yet is dropped. It is called once
	// for each leadership, never twice at a time.
	Lead func(ctx context.Context)
	// Mark publishes a marker and waits until the bus has it; nil: there is no bus.
	Mark func(ctx context.Context, m Marker) error
	// Last is when the newest event that this node has read came from the upstream, and how
	// long it may have lain unread then; zero or nil: nobody knows, and no gap is told for a
	// change of leader.
	Last func() (at time.Time, unread time.Duration)
	// Told is called with the leader's upstream state when it changes, on nodes that
	// do not lead, by one goroutine at a time. nil: nobody wants to know.
	Told func(fanout.Upstream)
	// Reconnect is what Node.Reconnect of any node comes to at the leader
	// (Runner.Reconnect). nil: nothing.
	Reconnect func()

	Log *slog.Logger // default: slog.Default()
}

// Status is what /status says of the cluster.
type Status struct {
	Node   string
	Leader string // "": nobody that is known of
	State  string // one of the constants above
	Term   uint64 // of the leadership that this node has; 0: none
	Err    error  // why nobody can lead, for longer than a TTL, as this node sees it; nil: somebody can
	// Differs: the last leader that was heard of has other Settings. Not told of an Edge.
	Differs bool
}

// Node is one of those among whom one leads. It implements upstream.Slots and
// upstream.Keeper for the Runner of its leaderships; Opened and Valid are the
// Runner's fields of these names. Its methods are safe for concurrent use.
type Node struct {
	cfg Config

	mu     sync.Mutex
	state  string
	leader string
	term   *term     // the leadership of this node; nil: none
	seen   uint64    // the highest term that was read
	last   Marker    // the last marker that was read
	died   time.Time // when a stream last died unnoticed
	told   uint64    // revision of the upstream's state that Told had

	sighted sighting  // the last renewal of another leader that was seen
	hitch   error     // why nobody can lead; nil: somebody can
	hitched time.Time // since when
	differs bool      // the last leader has other Settings
}

var (
	_ upstream.Slots  = (*Node)(nil)
	_ upstream.Keeper = (*Node)(nil)
)

// Errors that end a leadership, or what is asked of one.
var (
	errLost  = errors.New("this node does not lead any more")
	errStill = errors.New("another node still holds its stream")
)

// New returns a Node that follows. Run lets it do more.
func New(c Config) *Node {
	if c.TTL <= 0 {
		c.TTL = 2 * time.Second
	}
	if c.StreamLimit <= 0 {
		c.StreamLimit = 2
	}
	if c.StallTimeout <= 0 {
		c.StallTimeout = 90 * time.Second
	}
	if c.Lease == nil {
		c.Lease = NewMemory(0)
	}
	if c.State == nil {
		c.State = NewMemory(0)
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Node{cfg: c, state: Follower}
}

// Status says who leads and what this node does.
func (n *Node) Status() Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := Status{Node: n.cfg.Node, Leader: n.leader, State: n.state, Err: n.hitchLocked(), Differs: n.differs}
	if n.term != nil {
		s.Term = n.term.number
	}
	return s
}

// Valid says whether this node may publish right now: it leads, or hands over.
// Whoever publishes asks before each event.
func (n *Node) Valid() bool {
	_, ok := n.Term()
	return ok
}

// Term is the term to publish under, and whether this node may publish right now.
func (n *Node) Term() (uint64, bool) {
	n.mu.Lock()
	t := n.term
	n.mu.Unlock()
	if t == nil || !t.valid(time.Now()) {
		return 0, false
	}
	return t.number, true
}

// Saw is told of every marker that this node reads on the bus, its own included,
// in the bus's order; and of any other term that is higher than all before, with
// neither node nor slot. Before Run it is told what the bus holds: a term must
// never be lower than one that was used.
func (n *Node) Saw(m Marker) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.seen = max(n.seen, m.Term)
	if m.Node != "" && m.Term >= n.last.Term {
		n.last = m
	}
	if n.term != nil {
		n.term.saw(m)
	}
}

// Reconnect asks the leader, whoever that is, to leave a halt or a wait now, or to
// open a new stream. ctx bounds the asking.
func (n *Node) Reconnect(ctx context.Context) error {
	n.mu.Lock()
	here := n.term != nil
	n.mu.Unlock()
	if here {
		if n.cfg.Reconnect != nil {
			n.cfg.Reconnect()
		}
		return nil
	}
	_, err := n.cfg.State.Put(ctx, keyReconnect, []byte(n.cfg.Node))
	return err
}

// enter changes the state, unless the leadership is at its end.
func (n *Node) enter(t *term, state string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.term == t && n.state != Leaving && n.state != Demoted {
		n.state = state
	}
}
