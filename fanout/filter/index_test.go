package filter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A world of few words, so that random filters and posts often meet.
func randomQuery(rnd *rand.Rand) string {
	word := func() string { return fmt.Sprintf("w%d", rnd.IntN(12)) }
	queries := []string{
		"track=" + word(),
		"track=" + word() + " " + word(),
		"track=%23" + word() + "," + word() + "-" + word(),
		"follow=" + fmt.Sprint(1+rnd.IntN(9)),
		"locations=0,0,5,5",
		"language=en",
		"filter_level=low",
		"track=" + word() + "&language=de",
		"track=" + word() + "&follow=3&locations=3,3,9,9&filter_level=medium",
		"",
	}
	return queries[rnd.IntN(len(queries))]
}

func randomPost(rnd *rand.Rand) *Post {
	return build(func(b *Builder) {
		for range rnd.IntN(6) {
			b.Text(fmt.Sprintf("w%d #w%d w%d-w%d", rnd.IntN(12), rnd.IntN(12), rnd.IntN(12), rnd.IntN(12)))
		}
		b.Author(fmt.Sprint(1 + rnd.IntN(9)))
		b.Lang([]string{"en", "de", "und"}[rnd.IntN(3)])
		b.Level([]string{"none", "low", "medium"}[rnd.IntN(3)])
		if rnd.IntN(2) == 0 {
			b.Point(float64(rnd.IntN(12)), float64(rnd.IntN(12)))
		}
	})
}

// The index against the filters themselves, while filters come and go.
func TestIndex(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	x := NewIndex[int]()
	type live struct {
		handle Handle
		filter *Filter
	}
	held := map[int]live{}
	removed := Handle(0)
	matches := 0
	for step := range 3000 {
		switch rnd.IntN(3) {
		case 0:
			f, err := ParseString(randomQuery(rnd))
			if err != nil {
				t.Fatal(err)
			}
			held[step] = live{x.Add(f, step), f}
		case 1:
			for id, l := range held {
				x.Remove(l.handle)
				removed = l.handle
				delete(held, id)
				break
			}
			x.Remove(removed) // once more does nothing
		}
		x.Remove(Handle(0))
		if x.Len() != len(held) {
			t.Fatalf("step %d: Len is %d, want %d", step, x.Len(), len(held))
		}
		p := randomPost(rnd)
		var got, want []int
		x.Match(p, func(id int) { got = append(got, id) })
		for id, l := range held {
			if l.filter.Match(p) {
				want = append(want, id)
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("step %d: matched %v, want %v", step, got, want)
		}
		matches += len(got)
	}
	if matches < 1000 {
		t.Errorf("only %d matches: this test shows little", matches)
	}
}

func TestPostings(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	posts := make([]*Post, 200)
	for i := range posts {
		if rnd.IntN(8) > 0 {
			posts[i] = randomPost(rnd)
		}
	}
	p := NewPostings(posts)
	for range 300 {
		f, err := ParseString(randomQuery(rnd))
		if err != nil {
			t.Fatal(err)
		}
		from := rnd.IntN(210) - 5
		want := []int{-7}
		for i, post := range posts {
			if i >= from && post != nil && f.Match(post) {
				want = append(want, i)
			}
		}
		if got := p.Match(f, from, []int{-7}); !slices.Equal(got, want) {
			t.Fatalf("%q from %d: %v, want %v", f, from, got, want)
		}
	}
	if got := NewPostings(nil).Match(nil, 0, nil); got != nil {
		t.Errorf("no posts: %v", got)
	}
}
