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
	for i, value := range extra {
		r := Rule{Value: value, Tag: "demand"}
		if err := r.check(); err != nil {
			return fmt.Errorf("rule %d: %w", i+1, err)
		}
		if !slices.ContainsFunc(rules, func(o Rule) bool { return o.Value == value }) {
			rules = append(rules, r)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = &rules
	return nil
}

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
