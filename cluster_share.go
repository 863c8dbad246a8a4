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
// the last writer wins, and who reads keeps the lower remainder; the count of posts
// is added to.
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
	told := map[string]string{}
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
			if !e.Deleted && told[e.Key] != string(e.Value) {
				heedBudget(e, budgeted)
			}
			continue
		case <-c.spending:
		case <-t.C:
		}
		bounded, cancel := context.WithTimeout(ctx, time.Second)
		if c.shared { // else a file keeps the count
			reads.add(bounded)
		}
		tellBudget(bounded, states, budgeted, told)
		cancel()
	}
}

// tellBudget writes what this node knows of its budget, if that is news.
func tellBudget(ctx context.Context, states lease.Store, budgeted upstream.Budgeted, told map[string]string) {
	if budgeted == nil {
		return
	}
	whose, note := budgeted.BudgetNote()
	if whose == "" || !note.Known && note.Blocked.IsZero() {
		return
	}
	value, err := json.Marshal(note)
	if key := keyBudget + whose; err == nil && told[key] != string(value) {
		if _, err := states.Put(ctx, key, value); err == nil {
			told[key] = string(value)
		}
	}
}

// heedBudget takes what another node has told.
func heedBudget(e lease.Entry, budgeted upstream.Budgeted) {
	var note upstream.BudgetNote
	if whose, ok := strings.CutPrefix(e.Key, keyBudget); ok && budgeted != nil && json.Unmarshal(e.Value, &note) == nil {
		budgeted.HeedBudget(whose, note)
	}
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
