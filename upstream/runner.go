package upstream

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"aviary/fanout"
)

// Runner keeps one source alive. Set the exported fields before the first
// call; Source and Publish are needed, the rest has defaults. Run may be called
// again after it returned, never twice at a time; the other methods are safe for
// concurrent use.
type Runner struct {
	// Source streams twice at a time while a Switch is under way.
	Source Source
	// Publish takes one event; false: a duplicate. It is called by one goroutine at
	// a time, and not after Run returned.
	Publish func(*fanout.Event) bool
	Name    string // of the source, for logs

	Ladders      Ladders
	StallTimeout time.Duration // default 90 s: three missed keep-alives of 30 s
	StreamLimit  int           // streams the upstream allows at once; default 2
	// HoldsSlots says that the upstream refuses a stream too many (X v2)
	// instead of cutting the oldest (v1.1): wait until a dead one has cooled.
	HoldsSlots bool
	// ConnectLimit connections within ConnectsWithin are what Switch may bring the
	// upstream to see; default 5 in 5 minutes.
	ConnectLimit   int
	ConnectsWithin time.Duration

	// Slots default to those of a process that has the upstream for itself; with
	// others StreamLimit and HoldsSlots mean nothing.
	Slots Slots
	// Keeper keeps the standing from one Run to the next, in whatever process; nil:
	// this Runner remembers by itself.
	Keeper Keeper
	// Opened is called when the first byte of a stream in slot came, before anything
	// of it is published; accepted is when the upstream let it in. since is from when
	// on posts may be missing besides what this Runner knows; zero: never. An error
	// ends the stream. It returns soon after ctx ends. nil: streams publish at once.
	Opened func(ctx context.Context, slot int, accepted time.Time) (since time.Time, err error)
	// Valid says whether the end of a stream means what it says. When it is false
	// somebody else may have opened one in its place, and Run waits for ctx to end.
	// nil: always.
	Valid func() bool

	Log    *slog.Logger   // default: slog.Default()
	Jitter func() float64 // in [0,1); default: random

	once    sync.Once
	nudge   chan struct{} // Reconnect; capacity 1
	changed chan struct{} // Switch; capacity 1

	// Owned by the goroutine in Run.
	ladder    ladder
	budget    budget
	immediate time.Time // the last immediate reconnect
	refused   refusal   // of the last stream that a Switch tried to open
	parted    time.Time // when a stream that another one replaced was closed last

	out    sync.Mutex // held while publishing; before mu
	outage time.Time  // the last byte before the outage that is not yet told; zero: none

	mu       sync.Mutex
	status   fanout.Upstream
	standing Standing // but for the state
	stats    Stats
	rate     rate
	active   *attempt  // the stream whose end is an outage; nil: none is tried
	next     *attempt  // that is to take its place; nil: none
	asked    time.Time // when a Reconnect last had an effect
	wish     uint64    // calls of Switch
	wished   time.Time // when the first of those came that no connection heeds
}

// initLocked makes the maps and the first state; mu is held.
func (r *Runner) initLocked() {
	if r.status.State != "" {
		return
	}
	r.status = fanout.Upstream{State: StateConnecting, Since: stamp(time.Now())}
	r.stats = Stats{
		Connects: map[string]uint64{}, Ends: map[string]uint64{},
		Messages: map[string]uint64{}, Drops: map[string]uint64{},
	}
}

// signals makes the channels.
func (r *Runner) signals() {
	r.once.Do(func() { r.nudge, r.changed = make(chan struct{}, 1), make(chan struct{}, 1) })
}

// init fills in the defaults.
func (r *Runner) init() {
	r.signals()
	if r.StallTimeout <= 0 {
		r.StallTimeout = 90 * time.Second
	}
	if r.StreamLimit <= 0 {
		r.StreamLimit = 2
	}
	if r.ConnectLimit <= 0 {
		r.ConnectLimit = defaultConnects
	}
	if r.ConnectsWithin <= 0 {
		r.ConnectsWithin = defaultConnectsWithin
	}
	if r.Slots == nil {
		r.Slots = NewSlots(r.StreamLimit, r.StallTimeout, r.HoldsSlots)
	}
	if r.Log == nil {
		r.Log = slog.Default()
	}
	if r.Jitter == nil {
		r.Jitter = rand.Float64
	}
	r.ladder.figures = r.Ladders.withDefaults()
	r.budget.limit, r.budget.within = r.ConnectLimit, r.ConnectsWithin
	r.mu.Lock()
	r.initLocked()
	r.status = fanout.Upstream{State: StateConnecting, Since: stamp(time.Now())}
	r.mu.Unlock()
}

// Run keeps the source alive until ctx ends. It returns nil, after the streams
// are closed; from then on Status says why: the cause of ctx, or that the gateway
// is shutting down. It needs no restart: failures are waited out, fatal ones halt
// it until Reconnect.
func (r *Runner) Run(ctx context.Context) error {
	r.init()
	defer r.shutDown(ctx)
	if r.Opened != nil { // it knows what was missed since the last Run
		r.out.Lock()
		r.outage = time.Time{}
		r.out.Unlock()
	}
	r.resume(ctx)
	state := StateConnecting
	for ctx.Err() == nil {
		slot := r.waitForSlot(ctx)
		if slot == 0 {
			break
		}
		r.enter(state, nil, time.Time{})
		r.refused = refusal{} // what is opened now asks afresh as well
		a := r.follow(ctx, r.open(ctx, slot, &r.active))
		state = StateConnecting
		switch {
		case ctx.Err() != nil:
			r.part(a, true)
			r.leave(a, a.err)
		case a.err.Err == errAsked:
			r.reopen(a)
		case a.err.Err == errChanged:
			r.reopen(a)
			state = StateSwitching
		case r.Valid != nil && !r.Valid():
			r.part(a, true)
			r.leave(a, a.err)
			<-ctx.Done()
		default:
			r.pause(ctx, r.close(a), a.err)
		}
	}
	return nil
}

// part lets go of a connection that has ended.
func (r *Runner) part(a *attempt, clean bool) {
	r.mu.Lock()
	if r.active == a {
		r.active = nil
	}
	if r.next == a {
		r.next = nil
	}
	r.mu.Unlock()
	r.Slots.Free(a.slot, clean)
}
