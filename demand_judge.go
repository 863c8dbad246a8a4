package main

import (
	"context"
	"net/url"
	"slices"

	"aviary/fanout/filter"
	"aviary/server"
	"aviary/upstream/demand"
)

// judge says what the upstream can do for a client's filter. While something else
// is in force than what is wanted, only a filter that neither satisfies is refused:
// it may take long, and the upstream may not take it at all.
// key is the client's, as the hub has it.
func (d *demands) judge(f *filter.Filter, key string) server.Judgement {
	wanted := d.force.Load()
	j := wanted.Judge(f)
	if now := d.inForce(); now != wanted && (d.on || j.Never) {
		// With DEMAND=on a gap tells when what is wanted is in force.
		if k := now.Judge(f); !k.Never {
			j = k
		}
	}
	out := server.Judgement{Never: j.Never, Param: j.Param, Why: j.Why, Warnings: j.Warnings}
	if len(j.Warnings) > 0 && key != "" {
		if d.shares != nil {
			key = hashOf(key)
		}
		if more := wanted.Share(f, key); more != "" {
			out.Warnings = append(slices.Clip(out.Warnings), more)
		}
	}
	return out
}

// inForce is what the open stream was asked for, as far as this node knows, else
// what is wanted.
func (d *demands) inForce() *demand.Force {
	wanted := d.force.Load()
	switch {
	case !d.g.cluster.leads():
		if now := d.leaders.Load(); now != nil {
			return now
		}
		return wanted
	case d.source == nil:
		return wanted
	}
	now := d.source.inForce()
	if now.force == nil || now.same(wish{d.wanted().own, wanted}) {
		return wanted
	}
	return now.force
}

// asking is what the upstream is asked for, for an operator.
func (d *demands) asking() server.Asking {
	w := d.wanted()
	a := server.Asking{Track: w.own.Track, Follow: w.own.Follow, Locations: w.own.Locations, Language: w.own.Language, FilterLevel: w.own.FilterLevel, InForce: true}
	if d.source != nil && d.g.cluster.leads() {
		a.InForce = d.source.inForce().same(w)
	}
	if d.on {
		a.Demand = shown(w.force.Asked())
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
	if d.shares == nil {
		return d.adopt(p)
	}
	if err := d.try(p); err != nil {
		return err
	}
	over := s.predicates()
	if s.Role == roleEdge {
		d.mu.Lock()
		leaders := d.over
		d.mu.Unlock()
		if leaders == nil {
			return errNobodyAsks
		}
		over = *leaders
	}
	return d.shares.wish(ctx, over, p)
}
