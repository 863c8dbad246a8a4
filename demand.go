package main

import (
	"context"
	"maps"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/server"
	"aviary/upstream/demand"
)

// How often an edit of X's rules may be made, of 100 requests in 15 minutes: one
// edit takes up to three.
const (
	xChanges = 20
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
	on     bool  // terms are taken in for clients
	source asked // nil: it cannot be asked for something else

	force atomic.Pointer[demand.Force] // clients are judged by it

	mu     sync.Mutex
	own    predicates // what the operator asks for
	wished bool       // … and the loop does not know yet

	turn chan struct{} // there may be something to do

	// Owned by run.
	planner *demand.Planner
	teller  demand.Teller
	reread  atomic.Bool // SIGHUP: what the source is asked with is to be read again
	again   time.Time   // when apply is to be called again; zero: it worked
	shares  *shares     // what other nodes' clients ask for; nil: there are none

	stop context.CancelFunc
	done chan struct{}
}

// newDemands makes the first ask, before the source's first stream.
func (g *gateway) newDemands(s *settings) (*demands, error) {
	d := &demands{g: g, on: s.Demand == "on", own: s.predicates(), turn: make(chan struct{}, 1), done: make(chan struct{})}
	d.source, _ = g.source.Source.(asked)
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
	d.shares = d.g.newShares(ctx)
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
		d.look(ctx, time.Now())
	}
}

// look is one turn: plan, where this node holds the upstream, and tell clients of
// what is in force.
func (d *demands) look(ctx context.Context, now time.Time) {
	leads := d.g.cluster.leads()
	if d.shares != nil {
		d.follow(now, leads)
	}
	if d.renew(now) {
		d.put(ctx, now)
	}
	if d.reread.Swap(false) {
		d.again = now
	}
	if !d.on {
		d.retry(ctx, now, leads)
		return
	}
	here := d.g.hub.Filters()
	if d.shares != nil {
		d.shares.give(ctx, now, here)
	}
	if leads {
		d.plan(ctx, now, here)
	}
	d.retry(ctx, now, leads)
	d.tell(now, here)
}

// plan takes in what clients ask for.
func (d *demands) plan(ctx context.Context, now time.Time, here []fanout.Asked) {
	all := here
	if d.shares != nil {
		all = d.shares.with(now, here)
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

// put makes what is wanted the source's ask, and has the others know.
func (d *demands) put(ctx context.Context, now time.Time) {
	d.mu.Lock()
	a := wish{d.own, d.force.Load()}
	d.mu.Unlock()
	if err := d.source.set(a); err != nil {
		d.g.log.Error("the upstream cannot be asked so; it goes on as it was", "error", err)
		return
	}
	if d.shares != nil {
		d.shares.say(ctx, d.g.settings.Load().predicates(), a)
	}
	d.again = now
}

// retry applies what was set, until that works.
func (d *demands) retry(ctx context.Context, now time.Time, leads bool) {
	if d.again.IsZero() || now.Before(d.again) || !leads || d.source == nil {
		return
	}
	d.again = time.Time{}
	if err := d.source.apply(ctx); err != nil && ctx.Err() == nil {
		d.again = now.Add(demandRetry)
		d.g.log.Warn("what the upstream is asked for could not be changed; it is tried again", "error", err, "retry_in", demandRetry)
	}
}

// tell has clients know of posts that do not come any more, and that come again.
func (d *demands) tell(now time.Time, here []fanout.Asked) {
	force := d.force.Load()
	if d.g.cluster.leads() && d.source != nil {
		if a := d.source.inForce(); a.force != nil {
			force = a.force
		}
	}
	lost, found := d.teller.Compare(now, force, here)
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

// judge says what the upstream can do for a client's filter.
func (d *demands) judge(f *filter.Filter) server.Judgement {
	j := d.force.Load().Judge(f)
	return server.Judgement{Never: j.Never, Param: j.Param, Why: j.Why, Warnings: j.Warnings}
}

// asking is what the upstream is asked for, for an operator.
func (d *demands) asking() server.Asking {
	d.mu.Lock()
	own := d.own
	d.mu.Unlock()
	a := server.Asking{Track: own.Track, Follow: own.Follow, Locations: own.Locations, Language: own.Language, FilterLevel: own.FilterLevel, InForce: true}
	force := d.force.Load()
	if d.source != nil && d.g.cluster.leads() {
		now := d.source.inForce()
		a.InForce = now.force == force && now.own == own
	}
	if d.on {
		a.Demand = shown(force.Asked())
	}
	return a
}

// shown is an ask in the words of the parameters.
func shown(a demand.Ask) map[string]any {
	boxes := []string{}
	for _, b := range a.Boxes {
		boxes = append(boxes, b.String())
	}
	return map[string]any{"track": none(a.Phrases), "follow": none(a.IDs), "locations": boxes, "rules": none(a.Rules)}
}

func none[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// ask takes another wish of the operator's. It is in force when the upstream's
// limits allow.
func (d *demands) ask(ctx context.Context, v url.Values) error {
	p := predicates{v.Get("track"), v.Get("follow"), v.Get("locations"), v.Get("language"), v.Get("filter_level")}
	if _, err := filter.Parse(v); err != nil {
		return err
	}
	s := d.g.settings.Load()
	if p.Track+p.Follow+p.Locations == "" && (s.Source == "twitter" || s.Source == "x" && s.XRulesFile == "") {
		return errAsksNothing
	}
	if d.shares != nil {
		return d.shares.wish(ctx, s.predicates(), p)
	}
	return d.adopt(p)
}
