package x

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"aviary/upstream"
)

// stored is a rule as the upstream keeps it.
type stored struct {
	ID    string `json:"id"`
	Value string `json:"value"`
	Tag   string `json:"tag"`
}

// UnmarshalJSON takes what is no text for one: ids have come as numbers.
func (s *stored) UnmarshalJSON(raw []byte) error {
	var in struct{ ID, Value, Tag json.RawMessage }
	err := json.Unmarshal(raw, &in)
	*s = stored{plainValue(in.ID), plainValue(in.Value), plainValue(in.Tag)}
	return err
}

// ours says that aviary added the rule.
func (s *stored) ours() bool { return strings.HasPrefix(s.Tag, tagPrefix) }

// Failure is a rule that the upstream did not take, and why in its words.
type Failure struct {
	Rule   Rule
	Reason string

	full bool // it is not the rule: there is no room for another
}

// rulebook brings the rules on the server in line with what is wanted. They stay
// there over restarts and belong to the app: others may keep theirs beside ours.
type rulebook struct {
	api  *api
	log  *slog.Logger
	want func() ([]Rule, error)

	settling sync.Mutex // held while the upstream's rules are compared and changed: a stream and Settle do

	mu       sync.Mutex
	settled  []Rule // what was last brought in line; nil: nothing yet
	failures []Failure
	turn     uint64 // rises whenever rules were brought in line
	most     int    // that the upstream turned out to take; 0: as many as is published
	active   int    // rules on the server, of anybody
	others   int    // … of others, that say something else than ours
}

// reconcile does what is needed: nothing while the same rules are wanted as were
// settled before, unless it is forced. It makes no difference that holds already.
func (b *rulebook) reconcile(ctx context.Context, force bool) error {
	b.settling.Lock()
	defer b.settling.Unlock()
	want, err := b.want()
	if err != nil {
		return &upstream.Error{Class: upstream.Fatal, Clean: true, Err: err, Hint: "correct the rules, then reconnect"}
	}
	if len(want) > MaxRules {
		return &upstream.Error{Class: upstream.Fatal, Clean: true, Err: fmt.Errorf("%d rules are wanted, X takes %d", len(want), MaxRules), Hint: "take some out, then reconnect"}
	}
	b.mu.Lock()
	same := b.settled != nil && slices.Equal(b.settled, want)
	b.mu.Unlock()
	if same && !force {
		return nil
	}
	there, err := b.list(ctx)
	if err != nil {
		return err
	}
	failures, active, err := b.apply(ctx, want, there)
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.settled, b.failures, b.active = append([]Rule{}, want...), failures, active
	b.others = othersAmong(there, want)
	b.turn++
	b.mu.Unlock()
	return b.verdict(len(want), failures, active)
}

// othersAmong counts the rules of others that are not wanted anyhow.
func othersAmong(there []stored, want []Rule) (n int) {
	wanted := make(map[string]bool, len(want))
	for _, r := range want {
		wanted[r.Value] = true
	}
	for _, s := range there {
		if !s.ours() && !wanted[s.Value] {
			n++
		}
	}
	return n
}

// verdict is an error when there is nothing left to stream for.
func (b *rulebook) verdict(wanted int, failures []Failure, active int) error {
	switch {
	case active > 0:
		return nil
	case len(failures) > 0:
		return &upstream.Error{Class: upstream.Fatal, Clean: true, Err: fmt.Errorf("the upstream refused all %d rules; the first, %s", wanted, failures[0].words()),
			Hint: "correct the rules, then reconnect"}
	}
	return &upstream.Error{Class: upstream.Fatal, Clean: true, Err: errNoRules, Hint: hintRules}
}

func (f *Failure) words() string {
	name := f.Rule.Value
	if f.Rule.Tag != "" && f.Rule.Tag != extraTag {
		name = f.Rule.Tag
	}
	return fmt.Sprintf("%.60q: %s", name, f.Reason)
}

// trouble is what of the operator's rules does not work.
func (b *rulebook) trouble() (text, hint string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	isOwn := func(r Rule) bool { return r.Tag != extraTag }
	refused, all := 0, 0
	var words []string
	for i := range b.failures {
		if f := &b.failures[i]; isOwn(f.Rule) {
			if refused++; refused <= 3 {
				words = append(words, f.words())
			}
		}
	}
	if refused == 0 {
		return "", ""
	}
	if refused > len(words) {
		words = append(words, fmt.Sprintf("and %d more", refused-len(words)))
	}
	for _, r := range b.settled {
		if isOwn(r) {
			all++
		}
	}
	return fmt.Sprintf("the upstream refused %d of %d rules: %s", refused, all, strings.Join(words, "; ")),
		"the others are streamed; correct these, then reconnect. The log names each"
}

// apply takes the difference. What is new is added before what is old goes, so
// that nothing is missed between, unless there is no room for both.
func (b *rulebook) apply(ctx context.Context, want []Rule, there []stored) (failures []Failure, active int, err error) {
	d := difference(want, there)
	if err := b.delete(ctx, d.first); err != nil {
		return nil, 0, err
	}
	crowded := len(there)-len(d.first)+len(d.add) > b.room()
	if crowded {
		if err := b.delete(ctx, d.stale); err != nil {
			return nil, 0, err
		}
	}
	added, failures, err := b.add(ctx, d.add)
	if err != nil {
		return nil, 0, err
	}
	held := len(there) - len(d.first) + added
	if crowded {
		held -= len(d.stale)
	} else if err := b.delete(ctx, d.stale); err != nil {
		return nil, 0, err
	}
	if late := b.full(failures, held); len(late) > 0 && !crowded && len(d.stale) > 0 { // now there is room
		more, still, err := b.add(ctx, late)
		if err != nil {
			return nil, 0, err
		}
		added += more
		failures = append(slices.DeleteFunc(failures, func(f Failure) bool { return f.full }), still...)
	}
	if len(d.first)+len(d.stale)+added > 0 || len(failures) > 0 {
		b.log.Info("the upstream's rules were brought in line", "added", added, "deleted", len(d.first)+len(d.stale), "kept", d.kept, "of_others", d.foreign, "refused", len(failures))
	}
	return failures, len(there) - len(d.first) - len(d.stale) + added, nil
}

// full returns the rules that found no room, and learns from them how many the
// upstream takes: held of them, of anybody.
func (b *rulebook) full(failures []Failure, held int) (late []Rule) {
	for _, f := range failures {
		if f.full {
			late = append(late, f.Rule)
		}
	}
	if len(late) > 0 && held > 0 && held < b.room() {
		b.mu.Lock()
		b.most = held
		b.mu.Unlock()
		b.log.Warn("the upstream takes fewer rules than is published", "rules", held)
	}
	return late
}

// room is how many rules the upstream takes, as far as is known.
func (b *rulebook) room() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.most > 0 {
		return b.most
	}
	return MaxRules
}

// diff is what stands between the rules that are there and those that are wanted.
type diff struct {
	add           []Rule
	first, stale  []string // ids to delete: before adding, as their value comes again with another tag; and whenever there is room
	kept, foreign int
}

// difference compares by value, as the upstream does: a tag cannot be changed, so a
// rule with another tag is deleted and added. A value that somebody else's rule
// has already is there, and need not be added.
func difference(want []Rule, there []stored) (d diff) {
	wanted := make(map[string]string, len(want)) // value: tag
	for _, r := range want {
		wanted[r.Value] = tagPrefix + r.Tag
	}
	have := make(map[string]bool, len(there))
	for _, s := range there {
		tag, is := wanted[s.Value]
		switch {
		case !s.ours():
			d.foreign++
			have[s.Value] = true
		case !is:
			d.stale = append(d.stale, s.ID)
		case s.Tag != tag && !have[s.Value]:
			d.first = append(d.first, s.ID)
		case s.Tag == tag && !have[s.Value]:
			have[s.Value] = true
			d.kept++
		default: // a second one of the same value
			d.stale = append(d.stale, s.ID)
		}
	}
	for _, r := range want {
		if !have[r.Value] {
			have[r.Value] = true
			d.add = append(d.add, r)
		}
	}
	return d
}

// maxRulePages bounds a list of rules: the largest apps have some 25,000.
const maxRulePages = 40

// list reads all rules, page by page.
func (b *rulebook) list(ctx context.Context) (all []stored, err error) {
	query := url.Values{"max_results": {"1000"}}
	for range maxRulePages { // a server that names a next page for ever must not keep us
		raw, err := b.api.call(ctx, &b.api.budgets.rulesGet, http.MethodGet, rulesPath, query, nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			Data []stored `json:"data"`
			Meta struct {
				Next string `json:"next_token"`
			} `json:"meta"`
		}
		if json.Unmarshal(raw, &page) != nil {
			return nil, &upstream.Error{Class: upstream.HTTP, Err: errors.New("the list of rules cannot be read"), Hint: "is AVIARY_X_API_URL right?"}
		}
		all = append(all, page.Data...)
		if page.Meta.Next == "" {
			return all, nil
		}
		if page.Meta.Next == query.Get("pagination_token") {
			break
		}
		query.Set("pagination_token", page.Meta.Next)
	}
	return nil, &upstream.Error{Class: upstream.HTTP, Err: errors.New("the list of rules has no end"), Hint: "is AVIARY_X_API_URL right?"}
}
