package main

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"aviary/upstream"
	"aviary/upstream/lease"
	"aviary/upstream/x"
)

// Keys in STATE under which nodes tell each other what they have spent. Of a budget
// the last writer wins, who reads keeps the lower remainder, and whoever knows of a
// lower one than is stored writes again; the count of posts is added to.
const (
	keyBudget = "search.budget." // and whose: of a rate limit window
	keySpend  = "search.spend"   // posts read in a month
)

// shareEvery is how soon the posts read here are known everywhere. What a search has
// spent is told at once.
const shareEvery = 250 * time.Millisecond

// spent is called after a search.
func (c *cluster) spent() {
	select {
	case c.spending <- struct{}{}:
	default:
	}
}

// monthly is how many posts were read in a month.
type monthly struct {
	Month string `json:"month"`
	Used  int    `json:"used"`
}

// share tells the other nodes what searches and reading cost, and hears of theirs,
// until ctx ends. Nothing depends on it but a budget: it is tried again by itself.
func (c *cluster) share(ctx context.Context) {
	budgeted, _ := c.g.source.search.(upstream.Budgeted)
	if budgeted == nil && c.g.source.spend == nil {
		return
	}
	states := c.bus.States()
	budget := budgetShare{states: states, budgeted: budgeted, stored: map[string]upstream.BudgetNote{}}
	reads := tally{states: states, spend: c.g.source.spend}
	var heard <-chan lease.Entry
	t := time.NewTicker(shareEvery)
	defer t.Stop()
	for {
		if heard == nil {
			heard, _ = states.Watch(ctx, "search.")
		}
		select {
		case <-ctx.Done():
			return
		case e, ok := <-heard:
			if !ok {
				heard = nil
				continue
			}
			budget.heed(e)
			if !budget.news() {
				continue
			}
		case <-c.spending:
		case <-t.C:
		}
		bounded, cancel := context.WithTimeout(ctx, time.Second)
		if c.shared { // else a file keeps the count
			reads.add(bounded)
		}
		budget.tell(bounded)
		cancel()
	}
}

// budgetShare shares what nodes know of a rate limit window. Owned by one goroutine.
type budgetShare struct {
	states   lease.Store
	budgeted upstream.Budgeted              // nil: nothing is shared
	stored   map[string]upstream.BudgetNote // what states holds, as far as is known here
}

// note is what this node knows, and its key; "": nothing yet.
func (s *budgetShare) note() (key string, n upstream.BudgetNote) {
	if s.budgeted == nil {
		return "", n
	}
	whose, n := s.budgeted.BudgetNote()
	if whose == "" {
		return "", n
	}
	return keyBudget + whose, n
}

// news says that this node knows more than is stored. An older value may have been
// written over a newer one, which then others may never have seen.
func (s *budgetShare) news() bool {
	key, n := s.note()
	return key != "" && n.Tops(s.stored[key])
}

// tell writes what this node knows, if that is news.
func (s *budgetShare) tell(ctx context.Context) {
	key, n := s.note()
	if key == "" || !n.Tops(s.stored[key]) {
		return
	}
	value, err := json.Marshal(n)
	if err != nil {
		return
	}
	if _, err := s.states.Put(ctx, key, value); err == nil {
		s.stored[key] = n
	}
}

// heed takes what another node has told.
func (s *budgetShare) heed(e lease.Entry) {
	whose, ok := strings.CutPrefix(e.Key, keyBudget)
	if !ok || s.budgeted == nil {
		return
	}
	var n upstream.BudgetNote
	if !e.Deleted && json.Unmarshal(e.Value, &n) == nil {
		s.budgeted.HeedBudget(whose, n)
	}
	s.stored[e.Key] = n
}

// tally adds the posts that this node reads to a count that all nodes share.
type tally struct {
	states lease.Store
	spend  *x.Spend // nil: nothing is counted
	synced monthly  // what both counts were when they were last the same
	ready  bool     // the shared one has been read
	asked  time.Time
}

// add adds what was read here since the last time, and takes what others have read.
func (t *tally) add(ctx context.Context) {
	if t.spend == nil {
		return
	}
	var own monthly
	own.Month, own.Used = t.spend.Count()
	if t.ready && own == t.synced && !t.due() {
		return
	}
	var shared monthly
	value, rev, err := t.states.Get(ctx, keySpend)
	if err != nil && !errors.Is(err, lease.ErrNone) || err == nil && json.Unmarshal(value, &shared) != nil {
		return
	}
	if shared.Month != own.Month {
		shared = monthly{Month: own.Month}
	}
	fresh := own.Used
	if t.synced.Month == own.Month {
		fresh -= t.synced.Used
	}
	if shared.Used += fresh; fresh > 0 {
		text, _ := json.Marshal(shared)
		if errors.Is(err, lease.ErrNone) {
			_, err = t.states.Create(ctx, keySpend, text)
		} else {
			_, err = t.states.Update(ctx, keySpend, text, rev)
		}
		if err != nil {
			return // somebody was quicker: next time
		}
	}
	t.spend.Heed(shared.Month, shared.Used)
	t.synced, t.ready, t.asked = shared, true, time.Now()
}

// due says that it is time to hear of what others read.
func (t *tally) due() bool { return time.Since(t.asked) >= hearEvery }

// hearEvery is how soon a node that reads nothing hears of what others read.
const hearEvery = 2 * time.Second
