package x

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"aviary/fanout/filter"
)

// errNotRead marks rules that the operator wants and that cannot be read now.
var errNotRead = errors.New("the rules cannot be read")

// Ask says what to ask for from now on, in the place of Config.Predicates: rules by
// themselves beside them, each an alternative. Nothing is sent: the next stream
// brings the upstream's rules in line, and so does Settle. An error means that X
// cannot be asked so, and all stays as it was. Safe for concurrent use.
func (s *Source) Ask(p Predicates, extra []string) error {
	rules, err := Translate(p)
	if err != nil {
		return err
	}
	var more []Rule
	for i, value := range extra {
		r := Rule{Value: value, Tag: extraTag}
		if err := r.check(); err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
		more = append(more, r)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.extra = &rules, more
	return nil
}

// extraTag is the tag of the extra rules of Ask.
const extraTag = "demand"

// Settle brings the upstream's rules in line with what is wanted, the file read
// again, while the stream goes on: what is new is added before what is old goes. It
// spends the budgets of rules' requests, and waits for none.
func (s *Source) Settle(ctx context.Context) error {
	if _, err := s.wanted(); err != nil {
		return errors.Join(errNotRead, err)
	}
	return s.rules.reconcile(ctx, true)
}

// Others is how many rules of others, which bring their posts too, the server had
// when ours were last compared with them; known is false before that.
func (s *Source) Others() (n int, known bool) {
	b := s.rules
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.others, b.settled != nil
}

// Room is how many rules the upstream takes, those of others included: as it is
// published, or as few as it turned out to take since the program began.
func (s *Source) Room() int { return s.rules.room() }

// Short reports whether some rules found no room when they were last brought in line.
func (s *Source) Short() bool {
	b := s.rules
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.failures, func(f Failure) bool { return f.full })
}

// Refused are the extra rules of Ask that the upstream did not take, other than for
// want of room, when rules were last brought in line. at differs each time.
func (s *Source) Refused() (values []string, at uint64) {
	b := s.rules
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.failures {
		if f.Rule.Tag == extraTag && !f.full {
			values = append(values, f.Rule.Value)
		}
	}
	return values, b.turn
}

// Own counts the rules that the operator's settings ask for.
func (s *Source) Own(p Predicates) int {
	own, err := Translate(p)
	if err != nil {
		return 0
	}
	if s.config.RulesFile != "" {
		if more, err := ReadRules(s.config.RulesFile); err == nil {
			own = append(own, more...)
		}
	}
	return len(own)
}

// Tiles writes a box as the operands that find its places, for a rule that has to
// hold them all. The error says that they are too many for one.
func Tiles(b filter.Box) ([]string, error) {
	const most = MaxRuleLength / 64 // a tile with its OR has up to so many characters
	grid := tile([4]float64{b.West, b.South, b.East, b.North})
	if count := grid.count(); count > most {
		return nil, fmt.Errorf("the box %v is about %.0f by %.0f miles: for a rule of X it would have to be cut into %.0f tiles, and %d fit", b, grid.width, grid.height, count, most)
	}
	return grid.append(nil), nil
}
