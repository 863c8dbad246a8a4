package x_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/upstream/twitter/sim"
	"aviary/upstream/x"
)

// An upstream that takes fewer rules than is published: how many is learnt, the
// operator's come first, and others can still take one another's places.
func TestFewerRules(t *testing.T) {
	inTime(t, sim.Config{XRules: 4}, func(t *testing.T, w *world) {
		file := filepath.Join(t.TempDir(), "rules")
		write := func(text string) { _ = os.WriteFile(file, []byte(text), 0o600) }
		write("mine: football\n")
		s := w.source(func(c *x.Config) { c.Predicates, c.RulesFile = x.Predicates{Track: "go"}, file })
		r := w.run(s)
		defer r.stop()
		wait(time.Second)
		if s.Room() != x.MaxRules || s.Short() {
			t.Errorf("room for %d, short: %v", s.Room(), s.Short())
		}
		settle := func(room int, short bool, extra, want []string) {
			t.Helper()
			if err := s.Ask(x.Predicates{Track: "go"}, extra); err != nil {
				t.Fatal(err)
			}
			if err := s.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, rule := range w.Rules() {
				got = append(got, rule.Value)
			}
			if slices.Sort(got); !slices.Equal(got, want) || s.Room() != room || s.Short() != short {
				t.Errorf("rules %q, room for %d, short: %v; want %q, %d, %v", got, s.Room(), s.Short(), want, room, short)
			}
		}
		settle(4, true, []string{"a1", "b1", "c1"}, []string{"a1", "b1", "football", "go"})
		settle(4, false, []string{"c1", "d1"}, []string{"c1", "d1", "football", "go"}) // the old ones go first
		write("mine: football\nmore: music\n")
		settle(4, false, []string{"c1", "d1"}, []string{"c1", "football", "go", "music"})
		if _, hint := s.Trouble(); hint != "" {
			t.Error("the operator's rules are all there: ", hint)
		}
	})
}

// The first change that meets the limit while old rules have to go as well: what found
// no room at first is added behind them.
func TestRoomOfOldRules(t *testing.T) {
	inTime(t, sim.Config{XRules: 3}, func(t *testing.T, w *world) {
		s := w.source(func(c *x.Config) { c.Predicates = x.Predicates{Track: "go"} })
		r := w.run(s)
		defer r.stop()
		wait(time.Second)
		for i, extra := range [][]string{{"a1", "b1"}, {"c1", "d1"}} {
			if err := s.Ask(x.Predicates{Track: "go"}, extra); err != nil {
				t.Fatal(err)
			}
			if err := s.Settle(t.Context()); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, rule := range w.Rules() {
				got = append(got, rule.Value)
			}
			if want := append(extra, "go"); !slices.Equal(slices.Sorted(slices.Values(got)), want) || s.Short() {
				t.Errorf("%d: rules %q, want %q", i, got, want)
			}
		}
	})
}

// An extra rule that the upstream refuses is named once, and is no trouble of the
// operator's.
func TestRefusedExtraRules(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		s := w.source(func(c *x.Config) { c.Predicates = x.Predicates{Track: "go"} })
		r := w.run(s)
		defer r.stop()
		wait(time.Second)
		bad := "a " + strings.Repeat("b", 1000) + " ((" // the simulator checks what Ask does not
		if err := s.Ask(x.Predicates{Track: "go"}, []string{bad, "fine"}); err != nil {
			t.Fatal(err)
		}
		_, before := s.Refused()
		if err := s.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		values, at := s.Refused()
		if fmt.Sprint(values) != fmt.Sprint([]string{bad}) || at == before {
			t.Errorf("refused %q", values)
		}
		if text, _ := s.Trouble(); text != "" {
			t.Error(text)
		}
	})
}
