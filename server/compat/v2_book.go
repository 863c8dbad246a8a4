package compat

import (
	"cmp"
	"container/list"
	"errors"
	"fmt"
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
