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
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// asked is what the clients of this node ask for, in the order of the canonical
// texts. While that does not change it is the same list.
func (d *demands) asked() []fanout.Asked {
	streams, rules := d.g.hub.Filters(), d.g.server.Asked()
	if !sameList(streams, d.streams) || !sameList(rules, d.rules) || d.both == nil {
		d.streams, d.rules, d.both = streams, rules, together(streams, rules)
	}
	return d.both
}

// sameList reports whether two lists are one.
func sameList[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// together joins two lists, each in the order of the canonical texts. Neither is
// changed, and the outcome may be one of them.
func together(a, b []fanout.Asked) []fanout.Asked {
	switch {
	case len(b) == 0:
		return a
	case len(a) == 0:
		return b
	}
	out := make([]fanout.Asked, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch cmp.Compare(a[0].Filter.String(), b[0].Filter.String()) {
		case -1:
			out, a = append(out, a[0]), a[1:]
		case 1:
			out, b = append(out, b[0]), b[1:]
		default:
			one := a[0]
			one.Clients += b[0].Clients
			one.Keys = slices.Concat(one.Keys, b[0].Keys)
			slices.Sort(one.Keys)
			one.Keys = slices.Compact(one.Keys)
			out, a, b = append(out, one), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// hashedKeys are the keys of a filter's clients as other nodes know them.
type hashedKeys struct{ keys, hashes []string }

// hashOf is a key as other nodes know it.
func hashOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:6])
}

// hash returns the keys of some filters as other nodes know them. Those of a filter
// whose clients are the same are the same list, and of the same filters all is.
func (s *shares) hash(here []fanout.Asked) []fanout.Asked {
	if s.hashed != nil && sameList(here, s.plain) {
		return s.hashes
	}
	known := make(map[*filter.Filter]hashedKeys, len(here))
	out := make([]fanout.Asked, len(here))
	for i, a := range here {
		h, ok := s.hashed[a.Filter]
		if !ok || !sameList(h.keys, a.Keys) {
			h = hashedKeys{keys: a.Keys}
			for _, key := range a.Keys {
				h.hashes = append(h.hashes, hashOf(key))
			}
			slices.Sort(h.hashes)
		}
		known[a.Filter] = h
		out[i] = fanout.Asked{Filter: a.Filter, Clients: a.Clients, Keys: h.hashes}
	}
	s.hashed, s.plain, s.hashes = known, here, out
	return out
}

// give says what the clients of this node ask for, hashed, if that is new or was said a
// while ago.
func (s *shares) give(ctx context.Context, now time.Time, here []fanout.Asked) {
	if since := now.Sub(s.at); since < demandEvery || since < tellEvery && sameList(here, s.given) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, stateWait)
	defer cancel()
	if _, err := s.store.Put(ctx, demandKey+s.node, written(here)); err == nil {
		s.given, s.at = here, now
	}
}

// written is a list as nodes tell it, the most used filters first; what is beyond
// shareLargest is left out.
func written(here []fanout.Asked) []byte {
	order := make([]*fanout.Asked, len(here))
	for i := range here {
		order[i] = &here[i]
	}
	slices.SortStableFunc(order, func(a, b *fanout.Asked) int {
		return cmp.Compare(b.Clients+len(b.Keys), a.Clients+len(a.Keys))
	})
	var out bytes.Buffer
	out.WriteByte('[')
	for _, a := range order {
		raw, err := json.Marshal(sharedAsk{Filter: a.Filter.String(), Clients: a.Clients, Keys: a.Keys})
		if err != nil || out.Len()+len(raw)+2 > shareLargest {
			break
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.Write(raw)
	}
	out.WriteByte(']')
	return out.Bytes()
}

// leave tells the other nodes that the clients of this one are gone. The loop has
// ended.
func (d *demands) leave(ctx context.Context) {
	if d.shares == nil || !d.on {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, parting)
	defer cancel()
	_ = d.shares.store.Delete(ctx, demandKey+d.shares.node, 0) // else it expires
}

// expire lets go of what nodes said that are gone, and after a while deletes it.
func (s *shares) expire(ctx context.Context, now time.Time) {
	dead, rev := "", uint64(0)
	s.mu.Lock()
	for key, o := range s.others {
		age := now.Sub(o.at)
		if age > shareExpiry && o.asks != nil {
			o.asks, o.order = nil, nil
			s.news++
		}
		if age > shareForget && dead == "" {
			dead, rev, o.at = key, o.rev, now
		}
	}
	s.mu.Unlock()
	if dead != "" {
		ctx, cancel := context.WithTimeout(ctx, stateWait)
		defer cancel()
		_ = s.store.Delete(ctx, dead, rev) // or it is there after all, or the bus is away
	}
}

// with adds to what this node's clients ask for, hashed, what those of the others do.
func (s *shares) with(here []fanout.Asked) []fanout.Asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.joined == s.news && sameList(here, s.here) {
		return s.all
	}
	parsed := map[string]*filter.Filter{}
	all := here
	for _, key := range slices.Sorted(maps.Keys(s.others)) {
		if o := s.others[key]; o.live {
			all = together(all, s.read(o, parsed))
		}
	}
	s.parsed, s.all, s.here, s.joined = parsed, all, here, s.news
	return all
}

// read returns a share in the order of its texts. mu is held.
func (s *shares) read(o *share, parsed map[string]*filter.Filter) []fanout.Asked {
	if o.order == nil {
		for _, a := range o.asks {
			f := cmp.Or(parsed[a.Filter], s.parsed[a.Filter])
			if f == nil {
				var err error
				if f, err = filter.ParseString(a.Filter); err != nil {
					continue
				}
			}
			slices.Sort(a.Keys)
			o.order = append(o.order, fanout.Asked{Filter: f, Clients: a.Clients, Keys: a.Keys})
		}
		slices.SortFunc(o.order, func(a, b fanout.Asked) int { return cmp.Compare(a.Filter.String(), b.Filter.String()) })
	}
	for i := range o.order {
		parsed[o.order[i].Filter.String()] = o.order[i].Filter
	}
	return o.order
}
