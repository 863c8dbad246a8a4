package filter

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
)

// What is remembered is what would be understood afresh, and of two spellings
// neither is taken for the other.
func TestUnderstandAgain(t *testing.T) {
	spellings := []url.Values{
		{}, {"track": {"go"}}, {"track": {"go", "rust"}}, {"track": {"go,rust"}}, {"track": {"rust", "go"}},
		{"track": {"go"}, "language": {"en"}}, {"q": {"go lang:en"}}, {"q": {"go or rust"}}, {"q": {"go OR rust"}},
		{"filter.a": {"go"}}, {"filter.b": {"go"}}, {"filter.a": {"go"}, "filter.b": {"rust"}},
		{"track": {"3:abc"}}, {"track": {"go"}, "since": {"1h"}}, {"track": {"GO"}},
		{"track": {""}}, {"track": {"go", ""}}, {"track": {}},
	}
	for round := range 3 {
		for i, v := range spellings {
			want, err := Parse(v)
			if err != nil {
				t.Fatal(v, err)
			}
			var n notes
			if _, wrong := DefaultLimits().condition(v, &n); wrong != nil {
				t.Fatal(v, wrong)
			}
			got, said, err := Understand(v)
			if err != nil || got.String() != want.String() || !slices.Equal(said, n.said) || !slices.Equal(got.Names(), want.Names()) {
				t.Errorf("round %d, %v: %q %q %v, want %q %q", round, v, got, said, err, want, n.said)
			}
			again, _, _ := Understand(v)
			if again != got {
				t.Errorf("%v is understood twice", v)
			}
			if round == 1 && i == len(spellings)/2 {
				for n := range 3 * recentMost { // all else is forgotten
					if _, _, err := Understand(url.Values{"track": {fmt.Sprint("w", n)}}); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	if n := len(lately.young) + len(lately.old); n > 2*recentMost {
		t.Errorf("%d are remembered", n)
	}
	for range 2 {
		if _, _, err := Understand(url.Values{"q": {"(go"}}); err == nil {
			t.Error("a mistake is forgotten")
		}
	}
}

// BenchmarkUnderstand is what a client's filter costs, seen lately and not.
func BenchmarkUnderstand(b *testing.B) {
	for _, c := range []struct {
		name string
		of   int
	}{{"again", 1}, {"new", 10_000}} {
		b.Run(c.name, func(b *testing.B) {
			all := make([]url.Values, c.of)
			for i := range all {
				all[i] = url.Values{"track": {fmt.Sprint("word", i)}}
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, _, err := Understand(all[i%c.of]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
