package server

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/s2"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// PageStore holds answers of searches where the other nodes of a cluster find them,
// for SEARCH_CACHE or a little longer. Calls return soon after ctx ends. Safe for
// concurrent use.
type PageStore interface {
	// Get returns what is held under a key; nil: nothing.
	Get(ctx context.Context, key string) ([]byte, error)
	// Put holds a value, whatever was there.
	Put(ctx context.Context, key string, value []byte) error
}

// Bounds of what is shared.
const (
	sharedWait  = 50 * time.Millisecond // the longest that the store holds a search up, each way
	sharedPut   = 2 * time.Second       // in which an answer is stored, or given up
	sharedRest  = time.Second           // without questions, after one that came back too late
	maxShared   = 1<<20 - 4096          // bytes of a value: what a NATS server takes by default, less the headers
	maxUnpacked = 16 << 20              // bytes of an answer
)

// sharedPages are the answers of all nodes. Nothing depends on them but a budget:
// whatever goes wrong is a question to the upstream, and a line for those who look.
type sharedPages struct {
	store   PageStore
	source  string
	dialect *fanout.Dialect
	life    time.Duration // SEARCH_CACHE
	log     *slog.Logger

	resting atomic.Int64   // until when the store is left alone, Unix nanoseconds
	puts    sync.WaitGroup // ended by the context of put
}

func newSharedPages(o Options) *sharedPages {
	if o.SearchShared == nil || o.SearchCache <= 0 {
		return nil
	}
	return &sharedPages{store: o.SearchShared, source: o.Source, dialect: o.Dialect, life: o.SearchCache, log: o.Log}
}

// name is the key under which nodes share an answer. It says nothing of the question.
func (p *sharedPages) name(key searchKey) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d:%s%s", len(p.source), p.source, key.flight(asPage)))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// get returns an answer that is young enough and when it was given, or nil.
func (p *sharedPages) get(ctx context.Context, key searchKey) (*SearchPage, time.Time) {
	now := time.Now()
	if p == nil || now.UnixNano() < p.resting.Load() {
		return nil, now
	}
	ctx, cancel := context.WithTimeout(ctx, sharedWait)
	defer cancel()
	value, err := p.store.Get(ctx, p.name(key))
	if ctx.Err() != nil {
		p.resting.Store(time.Now().Add(sharedRest).UnixNano())
	}
	if err != nil {
		p.log.Debug("the answers of other nodes are out of reach", "error", err)
	}
	if err != nil || value == nil {
		return nil, now
	}
	page, at, err := p.unpack(value)
	if err != nil {
		p.log.Debug("the answer of another node cannot be read", "error", err)
		return nil, now
	}
	if at.After(now) { // by a clock that is ahead of ours
		at = now
	}
	if now.Sub(at) >= p.life {
		return nil, now
	}
	return page, at
}

// put lets the other nodes have an answer. It waits a moment, so that who has the
// answer can rely on that, and no longer.
func (p *sharedPages) put(ctx context.Context, key searchKey, page *SearchPage, at time.Time) {
	if p == nil {
		return
	}
	value, err := p.pack(page, at)
	if err != nil || len(value) > maxShared {
		return
	}
	stored := make(chan struct{})
	p.puts.Go(func() {
		defer close(stored)
		ctx, cancel := context.WithTimeout(ctx, sharedPut)
		defer cancel()
		if err := p.store.Put(ctx, p.name(key), value); err != nil {
			p.log.Debug("the other nodes cannot have an answer", "error", err)
		}
	})
	select {
	case <-stored:
	case <-time.After(sharedWait):
	}
}

// close waits for what put began; its context has ended.
func (p *sharedPages) close() {
	if p != nil {
		p.puts.Wait()
	}
}

// sharedHead is the first line of a value, before compression. The others are the
// events' JSON, one a line. Other versions of the program read it too.
type sharedHead struct {
	At    time.Time    `json:"at"`
	More  bool         `json:"more,omitempty"`
	Named bool         `json:"named,omitempty"`
	Next  uint64       `json:"next,omitempty"`
	Items []sharedItem `json:"items"`
}

type sharedItem struct {
	Post    *string    `json:"post,omitempty"` // its id as text; none: not a post
	ID      uint64     `json:"id,omitempty"`
	Popular bool       `json:"popular,omitempty"`
	Sent    *time.Time `json:"sent,omitempty"`
}

// pack makes the value of an answer. The error is of a time that JSON has no form for.
func (p *sharedPages) pack(page *SearchPage, at time.Time) ([]byte, error) {
	head := sharedHead{At: at, More: page.More, Named: page.Named, Next: page.NextMaxID, Items: make([]sharedItem, len(page.Items))}
	size := 0
	for i, item := range page.Items {
		one := sharedItem{ID: item.ID, Popular: item.Popular}
		if e := item.Event; e.Kind == fanout.KindPost {
			one.Post = new(string)
			if e.Post != nil {
				*one.Post = e.Post.Key.ID
			}
		}
		if !item.Event.Sent.IsZero() {
			one.Sent = &item.Event.Sent
		}
		head.Items[i], size = one, size+len(item.Event.JSON)+1
	}
	first, err := json.Marshal(head)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, 0, len(first)+1+size)
	plain = append(append(plain, first...), '\n')
	for _, item := range page.Items {
		plain = append(append(plain, item.Event.JSON...), '\n')
	}
	return s2.Encode(nil, plain), nil
}

var errShared = errors.New("it is not in a form that this version knows")

// unpack reads a value. It may be anything.
func (p *sharedPages) unpack(value []byte) (*SearchPage, time.Time, error) {
	var head sharedHead
	if n, err := s2.DecodedLen(value); err != nil || n > maxUnpacked {
		return nil, head.At, errShared
	}
	plain, err := s2.Decode(nil, value)
	if err != nil {
		return nil, head.At, errShared
	}
	first, rest, _ := strings.Cut(string(plain), "\n")
	if json.Unmarshal([]byte(first), &head) != nil || strings.Count(rest, "\n") != len(head.Items) {
		return nil, head.At, errShared
	}
	page := &SearchPage{More: head.More, Named: head.Named, NextMaxID: head.Next, Items: make([]SearchItem, len(head.Items))}
	for i, one := range head.Items {
		var line string
		if line, rest, _ = strings.Cut(rest, "\n"); !json.Valid([]byte(line)) {
			return nil, head.At, errShared
		}
		e := fanout.NewEvent(p.dialect, []byte(line))
		e.Kind = fanout.KindOther
		if one.Post != nil {
			e.Kind, e.Post = fanout.KindPost, &filter.Post{Key: filter.Key{Source: p.dialect.Name, ID: *one.Post}}
		}
		if one.Sent != nil {
			e.Sent = *one.Sent
		}
		page.Items[i] = SearchItem{Event: e, ID: one.ID, Popular: one.Popular}
	}
	return page, head.At, nil
}
