package x_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/upstream"
	"aviary/upstream/twitter/sim"
	"aviary/upstream/x"
)

// The whole way: rules are made, the stream brings what matches, keep-alives hold
// it open, posts have all that filters and the compact form look at.
func TestStream(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		r := w.run(w.source())
		defer r.stop()
		a := w.Post(sim.Draft{Text: "football & #sport https://example.com/x", Author: "ann_sim"})
		w.Post(sim.Draft{Text: "nothing of interest"})
		b := w.Post(sim.Draft{Quote: a.ID, Text: "so true"}) // matches by the quoted post
		wait(time.Second)
		if got := w.log.ids(); !slices.Equal(got, []string{a.ID, b.ID}) {
			t.Fatalf("got %v, want %v", got, []string{a.ID, b.ID})
		}
		r.streaming(t)
		before := w.Stats().Connects
		wait(10 * time.Minute) // keep-alives only
		if after := w.Stats().Connects; after != before || r.Status().State != upstream.StateStreaming {
			t.Errorf("%d connects in silence, state %+v", after-before, r.Status())
		}
		form, err := x.Dialect.Compact(nil, w.log.events[len(w.log.events)-1].JSON)
		if err != nil || !strings.Contains(string(form), `"quote_of":{"id_str":"`+a.ID) || !strings.Contains(string(form), `"text":"football \u0026`) && !strings.Contains(string(form), `"text":"football & #sport`) {
			t.Errorf("compact %s, %v", form, err)
		}
	})
}

// Rules are brought in line over restarts; what others added stays.
func TestReconcile(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		if err := errors.Join(w.AddRule("cats", "theirs"), w.AddRule("dogs", ""), w.AddRule("old words", "aviary:old"), w.AddRule("go", "aviary:other-tag")); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "rules")
		write := func(text string) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("# rules\nmine: go\n#hashtag lang:en\ncats\n")
		conf := func(c *x.Config) { c.Predicates, c.RulesFile = x.Predicates{}, file }
		list := func() (values []string) {
			for _, r := range w.Rules() {
				values = append(values, r.Value+"|"+r.Tag)
			}
			slices.Sort(values)
			return values
		}
		want := []string{"#hashtag lang:en|aviary:", "cats|theirs", "dogs|", "go|aviary:mine"}
		r := w.run(w.source(conf))
		if got := list(); !slices.Equal(got, want) {
			t.Fatalf("got  %q\nwant %q", got, want)
		}
		before := w.Rules()
		r.stop()
		r = w.run(w.source(conf)) // a restart changes nothing
		if after := w.Rules(); !slices.Equal(after, before) {
			t.Errorf("a restart changed the rules: %v, %v", before, after)
		}
		write("mine: go\nnew: trains\n")
		r.Reconnect()
		wait(time.Second)
		if got := list(); !slices.Equal(got, []string{"cats|theirs", "dogs|", "go|aviary:mine", "trains|aviary:new"}) {
			t.Errorf("after a change: %q", got)
		}
		r.stop()
	})
}

// A thousand rules fit, and the next start finds all of them.
func TestThousandRules(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		file := filepath.Join(t.TempDir(), "rules")
		var b strings.Builder
		for i := range x.MaxRules {
			fmt.Fprintf(&b, "r%d: word%d lang:en\n", i, i)
		}
		_ = os.WriteFile(file, []byte(b.String()), 0o600)
		conf := func(c *x.Config) { c.Predicates, c.RulesFile = x.Predicates{}, file }
		r := w.run(w.source(conf))
		wait(time.Second)
		first := w.Rules()
		r.stop()
		r = w.run(w.source(conf))
		wait(30 * time.Second)
		r.streaming(t)
		if len(first) != x.MaxRules || !slices.Equal(first, w.Rules()) {
			t.Errorf("%d rules, then %d", len(first), len(w.Rules()))
		}
		r.stop()
	})
}

// Rules that the upstream refuses are told one by one; the others are streamed.
func TestRefusedRules(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		file := filepath.Join(t.TempDir(), "rules")
		_ = os.WriteFile(file, []byte("good: football\nbad: ((\nalone: lang:en\n"), 0o600)
		s := w.source(func(c *x.Config) { c.Predicates, c.RulesFile = x.Predicates{}, file })
		r := w.run(s)
		defer r.stop()
		p := w.Post(sim.Draft{Text: "football"})
		wait(time.Second)
		if got := w.log.ids(); !slices.Equal(got, []string{p.ID}) {
			t.Errorf("posts %v", got)
		}
		u := r.Status()
		if u.State != upstream.StateStreaming || !strings.Contains(u.Error, "refused 2 of 3 rules") || !strings.Contains(u.Error, `"bad"`) || !strings.Contains(u.Error, `"alone"`) {
			t.Errorf("state %+v", u)
		}
		if said := w.log.said(); strings.Count(said, "refused a rule") != 2 || !strings.Contains(said, "tag=bad") {
			t.Errorf("log:\n%s", said)
		}
	})
	inTime(t, sim.Config{}, func(t *testing.T, w *world) { // all of them: nothing is left to stream for
		file := filepath.Join(t.TempDir(), "rules")
		_ = os.WriteFile(file, []byte("((\nlang:en\n"), 0o600)
		r := w.run(w.source(func(c *x.Config) { c.Predicates, c.RulesFile = x.Predicates{}, file }))
		defer r.stop()
		if u := r.Status(); u.State != upstream.StateHalted || !strings.Contains(u.Error, "refused all 2 rules") {
			t.Errorf("state %+v", u)
		}
	})
}

// No rules of ours and none of others: a person has to act. With rules of others,
// those are streamed.
func TestNoRules(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		r := w.run(w.source(func(c *x.Config) { c.Predicates = x.Predicates{} }))
		defer r.stop()
		if u := r.Status(); u.State != upstream.StateHalted || !strings.Contains(u.Hint, "AVIARY_X_RULES_FILE") {
			t.Errorf("state %+v", u)
		}
		if err := w.AddRule("football", "theirs"); err != nil {
			t.Fatal(err)
		}
		r.Reconnect()
		wait(time.Second)
		p := w.Post(sim.Draft{Text: "football"})
		wait(time.Second)
		if got := w.log.ids(); !slices.Equal(got, []string{p.ID}) || len(w.Rules()) != 1 {
			t.Errorf("posts %v, rules %v", got, w.Rules())
		}
	})
}

// After an unclean death the upstream still counts our stream: it is ended by the
// Connections API and the slot is back at once, in this process and in the next.
func TestSlotIsFreed(t *testing.T) {
	inTime(t, sim.Config{XSlotHold: time.Hour}, func(t *testing.T, w *world) {
		s := w.source()
		r := w.run(s)
		w.Post(sim.Draft{Text: "football"})
		wait(2 * time.Minute)
		began := time.Now()
		if err := w.Do("drop"); err != nil {
			t.Fatal(err)
		}
		wait(30 * time.Second)
		r.streaming(t)
		if w.Stats().Streams != 1 {
			t.Fatalf("no stream %v after the death: %+v\n%s", time.Since(began), r.Status(), w.log.said())
		}
		r.stop() // as a kill: nobody says goodbye
		wait(time.Minute)
		next := w.run(w.source())
		wait(10 * time.Second)
		if w.Stats().Streams != 1 {
			t.Errorf("the next process has no stream: %+v\n%s", next.Status(), w.log.said())
		}
		next.stop()
	})
}

// Without the Connections API the slot is waited for, without hammering.
func TestSlotIsWaitedFor(t *testing.T) {
	inTime(t, sim.Config{XSlotHold: 5 * time.Minute, XNoConnections: true}, func(t *testing.T, w *world) {
		r := w.run(w.source())
		w.Post(sim.Draft{Text: "football"})
		wait(time.Second)
		r.stop()
		before := w.Stats().Connects
		next := w.run(w.source())
		defer next.stop()
		if u := next.Status(); u.State != upstream.StateBackingOff || u.Class != "rate_limit" || u.NextAttempt == nil || time.Until(*u.NextAttempt) < x.LeastStall {
			t.Errorf("state %+v", u)
		}
		wait(8 * time.Minute)
		if n := w.Stats().Connects - before; n > 5 || w.Stats().Streams != 1 {
			t.Errorf("%d connects, %d streams, %+v", n, w.Stats().Streams, next.Status())
		}
		if n := strings.Count(w.log.said(), "Connections API cannot be used"); n != 1 {
			t.Errorf("told %d times", n)
		}
	})
}

// Two gateways with one token do not fight: after at most one change of hands one of
// them streams and the other waits.
func TestTwoGatewaysDoNotFight(t *testing.T) {
	for _, apart := range []time.Duration{3 * time.Second, time.Minute} {
		inTime(t, sim.Config{XSlotHold: time.Minute}, func(t *testing.T, w *world) {
			elder := w.run(w.source())
			w.Post(sim.Draft{Text: "football"})
			wait(apart)
			younger := w.run(w.source())
			wait(2 * time.Minute)
			connects, ends := w.Stats().Connects, strings.Count(w.log.said(), "was ended there")
			wait(time.Hour)
			if again := strings.Count(w.log.said(), "was ended there"); ends > 1 || again != ends {
				t.Errorf("%v apart: %d streams were ended, then %d", apart, ends, again)
			}
			if n := w.Stats().Connects - connects; n > 8 || w.Stats().Streams != 1 {
				t.Errorf("%v apart: %d connects in an hour, %d streams", apart, n, w.Stats().Streams)
			}
			states := elder.Status().State + " " + younger.Status().State
			if states != "streaming backing_off" && states != "backing_off streaming" {
				t.Errorf("%v apart: %s", apart, states)
			}
			younger.stop()
			elder.stop()
		})
	}
}
