package main

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"aviary/fanout"
	"aviary/upstream/demand"
)

// How often an edit of X's rules may be made, of 100 requests in 15 minutes: one
// edit takes up to three.
const (
	xChanges = 20
	xAtOnce  = 5 // of them
	xWindow  = 15 * time.Minute
)

const (
	demandEvery = 500 * time.Millisecond // how soon what clients ask for is seen
	demandRetry = 30 * time.Second       // until an edit of rules that failed is tried again
)

// demands keeps what the upstream is asked for in line with what the operator
// wants and, with DEMAND=on, with what clients do, and says what the upstream can
// do for a client's filter.
type demands struct {
	g      *gateway
	on     bool    // terms are taken in for clients
	source asked   // nil: it cannot be asked for something else
	shares *shares // what other nodes' clients ask for; nil: there are none

	force   atomic.Pointer[demand.Force] // what is wanted
	leaders atomic.Pointer[demand.Force] // what is in force where another node leads; nil: what is wanted

	mu     sync.Mutex
	own    predicates  // what the operator asks for
	wished bool        // … and the loop does not know yet
	over   *predicates // on an edge, the settings of whoever leads; nil: it was not heard of

	turn chan struct{} // there may be something to do

	// Owned by run.
	planner *demand.Planner
	teller  demand.Teller
	reread  atomic.Bool // SIGHUP: what the source is asked with is to be read again
	again   time.Time   // when apply is to be called again; zero: it worked
	said    *askedSaid  // to the other nodes, by this one as it leads; nil: nothing
	others  int         // rules of others at X
	room    int         // … and of everybody that it takes
	counted bool        // … are known

	streams, rules, both []fanout.Asked // of asked

	stop context.CancelFunc
	done chan struct{}
}

// newDemands makes the first ask, before the source's first stream.
func (g *gateway) newDemands(s *settings) (*demands, error) {
	d := &demands{g: g, on: s.Demand == "on", own: s.predicates(), turn: make(chan struct{}, 1), done: make(chan struct{})}
	d.source, _ = g.source.Source.(asked)
	d.shares = g.newShares()
	if v, ok := d.source.(*v1Asked); ok {
		v.switchNow, v.streams = g.runner.Switch, d.wake
	}
	c, err := s.demandConfig(d.own, g.source)
	if err != nil {
		return nil, err
	}
	if d.on {
		d.planner = demand.New(c)
		d.force.Store(d.planner.Force())
	} else {
		d.force.Store(demand.NewForce(c))
	}
	if d.source != nil {
		err = d.source.set(wish{d.own, d.force.Load()})
	}
	return d, err
}

// wake has the loop look now.
func (d *demands) wake() {
	select {
	case d.turn <- struct{}{}:
	default:
	}
}

// start begins to watch; close ends that.
func (d *demands) start() {
	var ctx context.Context
	ctx, d.stop = context.WithCancel(context.Background())
	if d.shares != nil {
		d.shares.start(ctx)
	}
	go func() {
		defer close(d.done)
		d.run(ctx)
	}()
}

func (d *demands) close() {
	d.stop()
	<-d.done
}

// run looks at what clients ask for until ctx ends.
func (d *demands) run(ctx context.Context) {
	t := time.NewTicker(demandEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-d.turn:
		}
		began := time.Now()
		d.look(ctx, began)
		// What clients ask for takes a fifth of a core at most, however many there are.
		if took := time.Since(began); took > demandEvery/5 {
			select {
			case <-ctx.Done():
			case <-time.After(4 * took):
			}
		}
	}
}

// look is one turn: plan, where this node holds the upstream, and tell clients of
// what is in force.
func (d *demands) look(ctx context.Context, now time.Time) {
	leads := d.g.cluster.leads()
	if leads {
		d.leaders.Store(nil)
	}
	if d.shares != nil {
		d.follow(now, leads)
	}
	if d.reread.Swap(false) {
		d.counted, d.again = false, now
	}
	d.recount(ctx, now)
	if d.renew() {
		d.put(ctx, now)
	}
	if !leads {
		d.again = time.Time{} // the first stream of whoever leads asks afresh
	}
	if !d.on {
		d.retry(ctx, now, leads)
		d.say(ctx, leads)
		return
	}
	here := d.asked()
	all := here
	if d.shares != nil {
		all = d.shares.hash(here)
		d.shares.give(ctx, now, all)
	}
	if leads {
		d.plan(ctx, now, all)
	}
	d.retry(ctx, now, leads)
	d.refuse(ctx, now)
	d.say(ctx, leads)
	d.tell(now, here)
}

// plan takes in what clients ask for.
func (d *demands) plan(ctx context.Context, now time.Time, all []fanout.Asked) {
	if d.shares != nil {
		d.shares.expire(ctx, now)
		all = d.shares.with(all)
	}
	step := d.planner.Plan(now, all)
	d.force.Store(step.Force)
	if !step.Change {
		return
	}
	d.g.log.Info("what the upstream is asked for changes with what clients ask for", "added", len(step.Added), "dropped", len(step.Dropped))
	d.g.log.Debug("terms", "added", step.Added, "dropped", step.Dropped)
	d.put(ctx, now)
}

// wanted is what the upstream is to be asked for.
func (d *demands) wanted() wish {
	d.mu.Lock()
	defer d.mu.Unlock()
	return wish{d.own, d.force.Load()}
}

// put makes what is wanted the source's ask.
func (d *demands) put(ctx context.Context, now time.Time) {
	if d.source == nil {
		return // an edge never asks
	}
	if err := d.source.set(d.wanted()); err != nil {
		d.g.log.Error("the upstream cannot be asked so; it goes on as it was", "error", err)
		return
	}
	d.again = now
}

// retry applies what was set, until that works.
func (d *demands) retry(ctx context.Context, now time.Time, leads bool) {
	if d.again.IsZero() || now.Before(d.again) || !leads || d.source == nil {
		return
	}
	if v, ok := d.source.(*xAsked); ok {
		if at := v.due(now); at.After(now) {
			d.again = at
			return
		}
		v.edits = append(v.edits, now)
	}
	d.again = time.Time{}
	if err := d.source.apply(ctx); err != nil && ctx.Err() == nil {
		d.again = now.Add(demandRetry)
		d.g.log.Warn("what the upstream is asked for could not be changed; it is tried again", "error", err, "retry_in", demandRetry)
	}
}

// tell has clients know of posts that do not come any more, and that come again.
func (d *demands) tell(now time.Time, here []fanout.Asked) {
	lost, found := d.teller.Compare(now, d.inForce(), here)
	if len(lost) > 0 {
		filters := map[string]bool{}
		for _, f := range lost {
			filters[f] = true
		}
		d.g.hub.TellGap(filters, fanout.Loss{Reason: "upstream", Missed: -1, From: now})
	}
	since := map[time.Time]map[string]bool{}
	for _, f := range found {
		if since[f.Since] == nil {
			since[f.Since] = map[string]bool{}
		}
		since[f.Since][f.Filter] = true
	}
	for at, filters := range maps.All(since) {
		d.g.hub.TellGap(filters, fanout.Loss{Reason: "upstream", Missed: -1, From: at, To: now})
	}
}
