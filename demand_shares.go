package main

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
	"aviary/upstream/demand"
	"aviary/upstream/lease"
)

// The keys in the nodes' shared state: what the clients of one node ask for, what
// the node that leads took in, and what an operator asked for with PUT.
const (
	demandKey = "demand."
	askedKey  = "asked"
	wishKey   = "filter"
)

const (
	tellEvery    = 5 * time.Second  // each node says again what its clients ask for
	shareExpiry  = 15 * time.Second // a node that has not is gone, and its clients with it
	shareForget  = time.Minute      // … and what it said last is deleted
	shareLargest = 512 << 10        // bytes of what one node says; the least used filters are left out
	stateWait    = 2 * time.Second  // of a call
	// A node that has just begun tells its clients nothing of what is in force, and an
	// edge takes it that all comes, until it hears the leader: so it hears soon.
	listenAgain = 100 * time.Millisecond
)

// shares are what nodes tell one another of demand.
type shares struct {
	g     *gateway
	store lease.Store
	node  string

	mu     sync.Mutex
	others map[string]*share // by key
	news   uint64            // rises when something in others has changed
	asked  *askedSaid        // what the leader said last, if follow has not taken it yet
	wished *wishSaid         // an operator's wish, the same

	// Owned by the loop of demands.
	given  []fanout.Asked // what was said last
	at     time.Time      // … and when
	hashed map[*filter.Filter]hashedKeys
	plain  []fanout.Asked // of hash
	hashes []fanout.Asked // … and what came of it
	parsed map[string]*filter.Filter
	all    []fanout.Asked // of with, for here and heard
	here   []fanout.Asked
	joined uint64
}

// share is what the clients of one node ask for. What a node finds when it begins to
// listen may be of one that is long gone: it counts when it was said once more. What
// counted once does at the next word, however long that takes.
type share struct {
	at    time.Time // when it was heard of
	rev   uint64
	live  bool           // it was heard of twice
	asks  []sharedAsk    // nil: it has expired
	order []fanout.Asked // asks in the order of their texts; nil: to be made
}

// sharedAsk is a filter of another node's clients. Keys are hashed: an address
// does not leave the node of its client.
type sharedAsk struct {
	Filter  string   `json:"f"`
	Clients int      `json:"n,omitempty"`
	Keys    []string `json:"k,omitempty"`
}

// askedSaid is what the leader asks the upstream for. Over are the settings it
// stands on: a node that has others, and may lead itself, does not take it. Else:
// posts come besides that nobody can name; Grows: with DEMAND=on.
type askedSaid struct {
	Over  predicates `json:"over"`
	Own   predicates `json:"own"`
	Ask   demand.Ask `json:"ask"`
	Else  bool       `json:"else,omitempty"`
	Grows bool       `json:"grows,omitempty"`
	Full  uint8      `json:"full,omitempty"` // see demand.Force
	Now   *nowSaid   `json:"now,omitempty"`  // nil: it is in force
}

// nowSaid is what is in force until what is wanted can be.
type nowSaid struct {
	Own predicates `json:"own"`
	Ask demand.Ask `json:"ask"`
}

// wishSaid is an operator's wish, in the place of the settings Over.
type wishSaid struct {
	Over predicates `json:"over"`
	Own  predicates `json:"own"`
}

// newShares returns what is heard of other nodes; nil: there are none.
func (g *gateway) newShares() *shares {
	if g.cluster.bus == nil {
		return nil
	}
	return &shares{g: g, store: g.cluster.bus.States(), node: g.cluster.node.Status().Node, others: map[string]*share{}}
}

// start begins to listen to the other nodes, until ctx ends.
func (s *shares) start(ctx context.Context) {
	for _, prefix := range []string{demandKey, askedKey, wishKey} {
		go s.listen(ctx, prefix)
	}
}

func (s *shares) listen(ctx context.Context, prefix string) {
	for ctx.Err() == nil {
		if entries, err := s.store.Watch(ctx, prefix); err == nil {
			for e := range entries {
				s.heard(e)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(listenAgain): // the bus is away, or not there yet
		}
	}
}

// heard takes one entry. What cannot be read is of another version and left alone.
func (s *shares) heard(e lease.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case e.Key != demandKey+s.node && len(e.Key) > len(demandKey) && strings.HasPrefix(e.Key, demandKey):
		s.hear(e)
	case e.Deleted:
	case e.Key == askedKey:
		var said askedSaid
		if json.Unmarshal(e.Value, &said) == nil {
			s.asked = &said
		}
	case e.Key == wishKey:
		var said wishSaid
		if json.Unmarshal(e.Value, &said) == nil {
			s.wished = &said
		}
	}
	s.g.demands.wake()
}

// hear takes what a node's clients ask for. Each listening begins with what is
// there, which is no news. A bucket that was made anew has lower revisions.
func (s *shares) hear(e lease.Entry) {
	old := s.others[e.Key]
	if e.Deleted {
		delete(s.others, e.Key)
		s.news++
		return
	}
	if old != nil && e.Rev == old.rev {
		return
	}
	one := &share{at: time.Now(), rev: e.Rev, live: old != nil}
	if json.Unmarshal(e.Value, &one.asks) == nil {
		s.others[e.Key] = one
		s.news++
	}
}

// take returns what was heard since the last call.
func (s *shares) take() (asked *askedSaid, wished *wishSaid) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked, wished, s.asked, s.wished = s.asked, s.wished, nil, nil
	return asked, wished
}

// wish has all nodes take an operator's wish.
func (s *shares) wish(ctx context.Context, over, own predicates) error {
	return s.put(ctx, wishKey, wishSaid{over, own})
}

func (s *shares) put(ctx context.Context, key string, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, stateWait)
	defer cancel()
	if _, err = s.store.Put(ctx, key, raw); err != nil {
		s.g.log.Warn("what the upstream is asked for could not be told to the other nodes", "error", err)
	}
	return err
}
