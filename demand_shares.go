package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
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
	shareLargest = 512 << 10        // bytes of what one node says; the least used filters are left out
	stateWait    = 2 * time.Second  // of a call
)

// shares are what nodes tell one another of demand.
type shares struct {
	g     *gateway
	store lease.Store
	node  string

	mu     sync.Mutex
	others map[string]share // by node
	asked  *askedSaid       // what the leader said last, if follow has not taken it yet
	wished *wishSaid        // an operator's wish, the same

	// Owned by the loop of demands.
	given  []byte
	at     time.Time // when given was said
	parsed map[string]*filter.Filter
}

// share is what the clients of one node ask for, and when that was heard of.
type share struct {
	at   time.Time
	asks []sharedAsk
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
	Now   *nowSaid   `json:"now,omitempty"` // nil: it is in force
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
	return &shares{g: g, store: g.cluster.bus.States(), node: g.cluster.node.Status().Node, others: map[string]share{}, parsed: map[string]*filter.Filter{}}
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
		case <-time.After(stateWait): // the bus is away
		}
	}
}

// heard takes one entry. What cannot be read is of another version and left alone.
func (s *shares) heard(e lease.Entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
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
	case e.Key != demandKey+s.node && len(e.Key) > len(demandKey):
		one := share{at: time.Now()}
		if json.Unmarshal(e.Value, &one.asks) == nil {
			s.others[e.Key] = one
		}
	}
	s.g.demands.wake()
}

// take returns what was heard since the last call.
func (s *shares) take() (asked *askedSaid, wished *wishSaid) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked, wished, s.asked, s.wished = s.asked, s.wished, nil, nil
	return asked, wished
}

// give says what the clients of this node ask for, if that is new or was said a
// while ago.
func (s *shares) give(ctx context.Context, now time.Time, here []fanout.Asked) {
	asks := make([]sharedAsk, 0, len(here))
	for _, a := range here {
		one := sharedAsk{Filter: a.Filter.String(), Clients: a.Clients}
		for _, key := range a.Keys {
			sum := sha256.Sum256([]byte(key))
			one.Keys = append(one.Keys, hex.EncodeToString(sum[:6]))
		}
		slices.Sort(one.Keys)
		asks = append(asks, one)
	}
	slices.SortStableFunc(asks, func(a, b sharedAsk) int {
		return cmp.Compare(b.Clients+len(b.Keys), a.Clients+len(a.Keys))
	})
	raw, err := json.Marshal(asks)
	for err == nil && len(raw) > shareLargest {
		asks = asks[:len(asks)*3/4]
		raw, err = json.Marshal(asks)
	}
	if err != nil || now.Sub(s.at) < tellEvery && (bytes.Equal(raw, s.given) || now.Sub(s.at) < demandEvery) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stateWait)
	defer cancel()
	if _, err := s.store.Put(ctx, demandKey+s.node, raw); err == nil {
		s.given, s.at = raw, now
	}
}

// with adds to what this node's clients ask for what those of the others do.
func (s *shares) with(now time.Time, here []fanout.Asked) []fanout.Asked {
	s.mu.Lock()
	maps.DeleteFunc(s.others, func(_ string, o share) bool { return now.Sub(o.at) > shareExpiry })
	others := maps.Clone(s.others)
	s.mu.Unlock()
	all := map[string]*fanout.Asked{}
	parsed := map[string]*filter.Filter{}
	for i := range here {
		one := here[i]
		keys := make([]string, len(one.Keys))
		for k, key := range one.Keys {
			sum := sha256.Sum256([]byte(key))
			keys[k] = hex.EncodeToString(sum[:6])
		}
		one.Keys = keys
		all[one.Filter.String()] = &one
	}
	for _, node := range slices.Sorted(maps.Keys(others)) {
		for _, a := range others[node].asks {
			one := all[a.Filter]
			if one == nil {
				f := s.parsed[a.Filter]
				if f == nil {
					var err error
					if f, err = filter.ParseString(a.Filter); err != nil {
						continue
					}
				}
				parsed[a.Filter] = f
				one = &fanout.Asked{Filter: f}
				all[a.Filter] = one
			}
			one.Clients += a.Clients
			one.Keys = append(one.Keys, a.Keys...)
		}
	}
	s.parsed = parsed
	out := make([]fanout.Asked, 0, len(all))
	for _, text := range slices.Sorted(maps.Keys(all)) {
		slices.Sort(all[text].Keys)
		all[text].Keys = slices.Compact(all[text].Keys)
		out = append(out, *all[text])
	}
	return out
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
