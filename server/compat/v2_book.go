package compat

import (
	"cmp"
	"container/list"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// Bounds of the rules. They lie in memory only.
const (
	maxRules     = 1000    // of one token
	maxRuleChars = 1024    // of one rule, in code points; of its tag too
	maxTokens    = 1000    // that have rules
	maxAllRules  = 100_000 // of all tokens
	maxAllBytes  = 16 << 20
)

// owner is whose rules they are: a hash of the bearer token, so that no token lies
// in memory. Requests without one share one set.
type owner [sha256.Size]byte

func ownerOf(r *http.Request) owner {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		return owner{}
	}
	return sha256.Sum256([]byte(token))
}

// rule is one rule of a token. It never changes.
type rule struct {
	id         uint64
	value, tag string
	filter     *filter.Filter
	set        *ruleSet
	handle     filter.Handle // in the index while a stream of the set is open; owned by book.mu
}

func (r *rule) name() string { return strconv.FormatUint(r.id, 10) }

// size is about what a rule costs.
func (r *rule) size() int { return len(r.value) + len(r.tag) }

// ruleSet is the rules of one token. Its fields are owned by book.mu.
type ruleSet struct {
	owner   owner
	rules   []*rule // by id, which is by age
	byValue map[string]*rule
	streams map[*streamV2]struct{}
	place   *list.Element // in book.order; nil: it is not in the book
	hits    []*rule       // of the post that is being matched
}

// book holds all rules. Those of open streams are in one index, so that a post is
// matched once whatever the number of tokens.
type book struct {
	mu    sync.Mutex
	sets  map[owner]*ruleSet
	order *list.List // of *ruleSet, the one used last in front
	count int
	bytes int
	last  uint64 // id
	index *filter.Index[*rule]
	asks  []fanout.Asked // of asked; nil: to be made again

	judge func(*filter.Filter) (param, why string) // constant
}

func newBook(judge func(*filter.Filter) (param, why string)) *book {
	return &book{sets: map[owner]*ruleSet{}, order: list.New(), index: filter.NewIndex[*rule](), judge: judge}
}

// of returns a token's set and notes that it is used; nil: it has no rules.
// The book is locked.
func (b *book) of(o owner) *ruleSet {
	set := b.sets[o]
	if set != nil {
		b.order.MoveToFront(set.place)
	}
	return set
}

// list returns a token's rules.
func (b *book) list(o owner) []*rule {
	b.mu.Lock()
	defer b.mu.Unlock()
	if set := b.of(o); set != nil {
		return slices.Clone(set.rules)
	}
	return nil
}

// asked is a rule that somebody wants to add.
type asked struct {
	Value string `json:"value"`
	Tag   string `json:"tag"`
}

// add adds rules, or with dry only says what would come of it. Each is answered by
// itself: a rule, or the entry of errors for one that is not taken.
func (b *book) add(o owner, wanted []asked, dry bool) (added []*rule, refused []any) {
	now := time.Now()
	parsed := make([]*rule, len(wanted)) // outside the lock: it costs
	faults := make([]error, len(wanted))
	for i, w := range wanted {
		parsed[i], faults[i] = b.read(w)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	set := b.of(o)
	if set == nil {
		set = &ruleSet{owner: o, byValue: map[string]*rule{}, streams: map[*streamV2]struct{}{}}
	}
	tried := map[string]*rule{} // of a dry run
	total := len(set.rules)
	for i, r := range parsed {
		if faults[i] != nil {
			refused = append(refused, invalidRule(wanted[i].Value, b.id(now), faults[i]))
			continue
		}
		if old := cmp.Or(set.byValue[r.value], tried[r.value]); old != nil {
			refused = append(refused, duplicateRule(r.value, old.name()))
			continue
		}
		if total >= maxRules || !dry && !b.room(set, r) {
			refused = append(refused, ruleCap())
			continue
		}
		r.id, r.set = b.id(now), set
		total++
		added = append(added, r)
		if tried[r.value] = r; dry {
			continue
		}
		if set.place == nil {
			b.sets[o], set.place = set, b.order.PushFront(set)
		}
		set.rules, set.byValue[r.value] = append(set.rules, r), r
		b.count, b.bytes = b.count+1, b.bytes+r.size()
		if len(set.streams) > 0 {
			r.handle, b.asks = b.index.Add(r.filter, r), nil
		}
	}
	return added, refused
}

// read reads a rule.
func (b *book) read(w asked) (*rule, error) {
	switch {
	case strings.TrimSpace(w.Value) == "":
		return nil, errors.New("Rule must not be empty")
	case utf8.RuneCountInString(w.Value) > maxRuleChars:
		return nil, fmt.Errorf("Rule length exceeds %d characters", maxRuleChars)
	}
	if utf8.RuneCountInString(w.Tag) > maxRuleChars {
		return nil, fmt.Errorf("Tag length exceeds %d characters", maxRuleChars)
	}
	f, err := filter.ParseRule(w.Value)
	if err != nil {
		return nil, err
	}
	if _, why := b.judge(f); why != "" {
		return nil, errors.New(why)
	}
	return &rule{value: w.Value, tag: w.Tag, filter: f}, nil
}

// id gives a number out: 64 bits that hold the time, as Twitter's do.
func (b *book) id(now time.Time) uint64 {
	b.last = max(b.last+1, snowflake(now))
	return b.last
}

// room makes room for a rule by forgetting the rules of tokens that have not been
// used for longest and have no open stream; false: there are none.
func (b *book) room(set *ruleSet, r *rule) bool {
	fits := func() bool {
		return b.count < maxAllRules && b.bytes+r.size() <= maxAllBytes && (set.place != nil || len(b.sets) < maxTokens)
	}
	for e := b.order.Back(); e != nil && !fits(); {
		old := e.Value.(*ruleSet)
		e = e.Prev()
		if old != set && len(old.streams) == 0 {
			b.drop(old, old.rules)
		}
	}
	return fits()
}

// remove deletes rules by id or value and says how many there were.
func (b *book) remove(o owner, ids, values []string, dry bool) (deleted, unknown int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	set := b.of(o)
	if set == nil {
		return 0, len(ids) + len(values)
	}
	var found []*rule
	for _, id := range ids {
		n, err := strconv.ParseUint(id, 10, 64)
		i, ok := slices.BinarySearchFunc(set.rules, n, func(r *rule, n uint64) int { return cmp.Compare(r.id, n) })
		if err == nil && ok && !slices.Contains(found, set.rules[i]) {
			found = append(found, set.rules[i])
		}
	}
	for _, v := range values {
		if r := set.byValue[v]; r != nil && !slices.Contains(found, r) {
			found = append(found, r)
		}
	}
	if !dry {
		b.drop(set, found)
	}
	return len(found), len(ids) + len(values) - len(found)
}

// clear deletes all rules of a token.
func (b *book) clear(o owner, dry bool) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	set := b.of(o)
	if set == nil {
		return 0
	}
	n := len(set.rules)
	if !dry {
		b.drop(set, set.rules)
	}
	return n
}

// drop takes rules out of a set; the last one takes the set out of the book. The
// book is locked.
func (b *book) drop(set *ruleSet, rules []*rule) {
	gone := make(map[*rule]bool, len(rules))
	for _, r := range rules {
		gone[r] = true
		delete(set.byValue, r.value)
		b.count, b.bytes = b.count-1, b.bytes-r.size()
		if len(set.streams) > 0 {
			b.index.Remove(r.handle)
			b.asks = nil
		}
	}
	set.rules = slices.DeleteFunc(slices.Clone(set.rules), func(r *rule) bool { return gone[r] })
	if len(set.rules) == 0 && len(set.streams) == 0 {
		b.forget(set)
	}
}

func (b *book) forget(set *ruleSet) {
	if set.place != nil {
		b.order.Remove(set.place)
		delete(b.sets, set.owner)
		set.place = nil
	}
}

// attach adds an open stream to its token's set, whose rules count from now on;
// false: there are none. The book is locked.
func (b *book) attach(o owner, t *streamV2) bool {
	set := b.of(o)
	if set == nil || len(set.rules) == 0 {
		return false
	}
	if len(set.streams) == 0 {
		for _, r := range set.rules {
			r.handle = b.index.Add(r.filter, r)
		}
	}
	set.streams[t], t.set = struct{}{}, set
	b.asks = nil
	return true
}

// detach is the end of attach. The book is locked.
func (b *book) detach(t *streamV2) {
	delete(t.set.streams, t)
	b.asks = nil
	if len(t.set.streams) > 0 {
		return
	}
	for _, r := range t.set.rules {
		b.index.Remove(r.handle)
	}
	if len(t.set.rules) == 0 {
		b.forget(t.set)
	}
}

// asked returns the rules of the open streams: those with a key by whose they are.
func (b *book) asked(keyed bool) []fanout.Asked {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asks != nil {
		return b.asks
	}
	at := map[string]int{}
	b.asks = []fanout.Asked{}
	for _, set := range b.sets {
		var keys []string
		clients := len(set.streams)
		for t := range set.streams {
			if key := t.seat.client.Key; keyed && key != "" {
				keys, clients = append(keys, key), clients-1
			}
		}
		if len(set.streams) == 0 {
			continue
		}
		for _, r := range set.rules {
			text := r.filter.String()
			i, known := at[text]
			if !known {
				i = len(b.asks)
				at[text], b.asks = i, append(b.asks, fanout.Asked{Filter: r.filter})
			}
			b.asks[i].Clients += clients
			b.asks[i].Keys = append(b.asks[i].Keys, keys...)
		}
	}
	for i := range b.asks {
		slices.Sort(b.asks[i].Keys)
		b.asks[i].Keys = slices.Compact(b.asks[i].Keys)
	}
	slices.SortFunc(b.asks, func(a, b fanout.Asked) int { return strings.Compare(a.Filter.String(), b.Filter.String()) })
	return b.asks
}

// matches calls each with every set that has rules that match, and those rules, by
// id. The book is locked; the rules are only lent.
func (b *book) matches(p *filter.Post, each func(*ruleSet, []*rule)) {
	var sets []*ruleSet
	b.index.Match(p, func(r *rule) {
		if len(r.set.hits) == 0 {
			sets = append(sets, r.set)
		}
		r.set.hits = append(r.set.hits, r)
	})
	for _, set := range sets {
		slices.SortFunc(set.hits, func(a, b *rule) int { return cmp.Compare(a.id, b.id) })
		each(set, set.hits)
		clear(set.hits)
		set.hits = set.hits[:0]
	}
}

// epoch of the ids.
const twitterEpoch = 1288834974657

// snowflake is the least id of a moment.
func snowflake(t time.Time) uint64 {
	ms := t.UnixMilli() - twitterEpoch
	if ms < 0 {
		return 0
	}
	return uint64(ms) << 22
}
