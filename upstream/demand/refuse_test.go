package demand

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
)

// What the upstream refuses goes out of force, is not asked for again for an hour,
// takes up no room, and its clients are told why.
func TestRefuse(t *testing.T) {
	for name, c := range map[string]struct {
		config  Config
		refused Ask
		left    Ask
	}{
		"v1.1": {Config{Limits: Limits{Phrases: 2}, PerKey: Limits{Phrases: 9}}, Ask{Phrases: []string{"bad"}}, Ask{Phrases: []string{"fine", "good"}}},
		"x":    {Config{API: X, Limits: Limits{Rules: 2}, PerKey: Limits{Rules: 9}}, Ask{Rules: []string{"bad"}}, Ask{Rules: []string{"fine", "good"}}},
	} {
		t.Run(name, func(t *testing.T) {
			asked := crowdOf(map[string]int{"track=bad": 9, "track=good": 5, "track=fine": 1}, t)
			p := New(c.config)
			drive(p, start, 5, always(asked))
			if name := p.config.termsOf(c.refused)[0].name(); p.held[name] == nil {
				t.Fatal("it was not asked for: this test shows nothing")
			}
			bad := asked[slices.IndexFunc(asked, func(a fanout.Asked) bool { return strings.Contains(a.Filter.String(), "bad") })].Filter
			before := p.Force()
			p.Refuse(start.Add(5*time.Second), c.refused)
			says := func(f *Force, what string) {
				t.Helper()
				if w := f.Judge(bad).Warnings; len(w) != 1 || !strings.Contains(w[0], what) {
					t.Errorf("warnings %q, want %q", w, what)
				}
			}
			if w := before.Judge(bad).Warnings; len(w) != 0 {
				t.Errorf("before: %q", w)
			}
			says(p.Force(), "refuses to be asked")
			steps, _ := drive(p, start.Add(6*time.Second), 3000, always(asked))
			if got := p.Force().Asked(); !reflect.DeepEqual(got, c.left) {
				t.Errorf("asked for %+v, want %+v", got, c.left)
			}
			if len(steps) != 1 {
				t.Errorf("%d changes", len(steps))
			}
			says(p.Force().WithFull(0), "refuses to be asked")
			again := start.Add(5*time.Second + refusedFor)
			if s := p.Plan(again, asked); s.Force.refused[p.config.termsOf(c.refused)[0].name()] {
				t.Error("it is refused for ever")
			}
			drive(p, again, 5, always(asked))
			if got := p.Force().Asked(); reflect.DeepEqual(got, c.left) {
				t.Error("it is never tried again")
			}
		})
	}
}

// Among many terms the one that is refused is found by halves, and the others stay.
func TestRefusedByHalves(t *testing.T) {
	var ask Ask
	ask.Phrases = append(ask.Phrases, strings.Fields("a b c d e bad f g h i j k")...)
	in, out := Ask{Phrases: []string{"old"}}, ask
	out.Phrases = append(out.Phrases, "old")
	for range 5 {
		fresh := out.Beside(in)
		if !slices.Contains(fresh.Phrases, "bad") {
			break
		}
		out = out.Beside(fresh.Half())
	}
	if slices.Contains(out.Phrases, "bad") || !slices.Contains(out.Phrases, "old") || len(out.Phrases) < 4 {
		t.Errorf("left: %q", out.Phrases)
	}
	if none := (Ask{}).Half(); !none.Empty() {
		t.Error("half of nothing")
	}
}
