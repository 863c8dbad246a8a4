package x

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aviary/fanout/filter"
)

// quiet is the log of what is optional: its failures are told once, elsewhere.
var quiet = slog.New(slog.DiscardHandler)

// Figures of looking posts up again.
const (
	lookupEvery = time.Minute
	lookupSize  = 100       // the most that one request takes
	lookupRound = time.Hour // no post is looked up more often
	// lookupShare is the part of a budget of posts that may go into it: a tenth.
	lookupShare = 10
)

// recheck looks held posts up again, the oldest first, round after round.
func (d *Duties) recheck(ctx context.Context) {
	every := d.Every
	if every == 0 {
		every = lookupEvery
	}
	if every < 0 {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	var round []string
	var began time.Time
	used := share{}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if len(round) == 0 {
				if !began.IsZero() && now.Sub(began) < lookupRound {
					continue
				}
				round, began = d.heldPosts(), now
			}
		}
		n := min(lookupSize, len(round))
		if n == 0 || !used.allows(d.Source.api.spend, n) {
			continue
		}
		gone, err := d.gone(ctx, round[:n])
		if err != nil {
			if ctx.Err() == nil && d.Source.once("lookup") {
				d.Source.log.Warn("held posts cannot be looked up again", "error", err)
			}
			continue // the same ones again, at the next tick
		}
		round = round[n:]
		for _, id := range gone {
			_, author, _ := d.Held.Find(id)
			d.Publish(Delete(id, author, time.Time{}))
		}
	}
}

// heldPosts are the delivered posts that are still held, oldest first.
func (d *Duties) heldPosts() (ids []string) {
	d.Source.mu.Lock()
	all := d.Source.seen.ids.all()
	d.Source.mu.Unlock()
	for _, id := range all {
		if d.Held.Has(filter.Key{Source: Name, ID: id}) {
			ids = append(ids, id)
		}
	}
	return ids
}

// gone asks for posts and returns those that nobody can see any more: deleted, edited
// since, or of an account that is protected, suspended or gone. A post that the answer does not
// mention is no evidence.
func (d *Duties) gone(ctx context.Context, ids []string) (lost []string, err error) {
	api := d.Source.api
	raw, err := api.call(ctx, &api.budgets.lookup, http.MethodGet, lookupPath, url.Values{"ids": {strings.Join(ids, ",")}}, nil)
	if err != nil {
		return nil, err
	}
	var page struct {
		Data []refersTo `json:"data"`
	}
	_ = json.Unmarshal(raw, &page) // without data all may be gone
	there := map[string]bool{}
	for _, p := range page.Data {
		if there[p.ID] = true; superseded(p.ID, p.Versions) {
			lost = append(lost, p.ID)
		}
		api.spend.Read(p.ID)
	}
	asked := map[string]bool{}
	for _, id := range ids {
		asked[id] = true
	}
	for _, p := range readProblems(raw) {
		id := p.Value
		if id == "" {
			id = p.Resource
		}
		switch p.Kind {
		case "resource-not-found", "not-authorized-for-resource", "resource-unavailable", "disallowed-resource":
			if asked[id] && !there[id] {
				lost = append(lost, id)
				asked[id] = false
			}
		}
	}
	return lost, nil
}

// share is what of a month's budget went into looking posts up.
type share struct {
	month string
	used  int
}

// allows takes n from the share, if there is that much left of it and of the budget.
func (s *share) allows(spend *Spend, n int) bool {
	if month := time.Now().UTC().Format("2006-01"); s.month != month {
		*s = share{month: month}
	}
	left, limited := spend.Left()
	if limited && (left < n || s.used+n > spend.limit/lookupShare) {
		return false
	}
	s.used += n
	return true
}
