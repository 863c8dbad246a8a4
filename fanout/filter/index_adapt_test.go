package filter

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// stream shows n posts to an index: each holds the words and one of w0 … w99.
func stream(x *Index[int], n int, words string) (most, visited int) {
	var b Builder
	for i := range n {
		b.Reset(Key{"test", "1"})
		b.Text(fmt.Sprintf("%s w%d", words, i%100))
		b.Lang("en")
		x.Match(b.Post(), func(int) {})
		most, visited = max(most, len(x.core.hot)), max(visited, x.core.plan.visited)
	}
	return most, visited
}

// waitsFor returns how many of the filters wait for a word.
func waitsFor(x *Index[int], filters []*Filter, handles []Handle, word string) (n int) {
	for i, f := range filters {
		if slices.Contains(f.LeafTexts(x.LeavesAt(handles[i])), word) {
			n++
		}
	}
	return n
}

// What was never heard of becomes what everybody talks about: the filters that
// waited for it wait for something else by then, and no post pays for all of them.
func TestAdapt(t *testing.T) {
	for _, form := range []string{
		"track=topic w%d x%d",
		"q=(topic OR topic2) w%d x%d",
		"q=\"topic w%d x%d\"",
		"q=(a (topic (w%d -x%d))) OR b",
	} {
		x := NewIndex[int]()
		stream(x, 500, "before")
		var filters []*Filter
		var handles []Handle
		for i := range 2000 {
			f, err := ParseString(fmt.Sprintf(form, i%100, i))
			if err != nil {
				t.Fatal(err)
			}
			filters, handles = append(filters, f), append(handles, x.Add(f, i))
		}
		x.Remove(handles[0])
		if n := waitsFor(x, filters, handles, "w7"); n > 0 {
			t.Errorf("%s: %d filters wait for a frequent word while there are others never seen", form, n)
		}
		suspects, visited := stream(x, 6000, "topic topic2 x1 x2 x3 a")
		if n := waitsFor(x, filters, handles, "topic"); n > 50 {
			t.Errorf("%s: %d filters still wait for what every post has", form, n)
		}
		if suspects == 0 || suspects > maxSuspects || visited > maxVisited+maxSubtree {
			t.Errorf("%s: up to %d suspects and %d nodes for one post", form, suspects, visited)
		}
		for _, h := range handles {
			x.Remove(h)
		}
		if x.Len() != 0 {
			t.Errorf("%s: %d filters are left", form, x.Len())
		}
	}
}

// A filter added while the stream is known waits for the rarest of what it needs.
func TestWatched(t *testing.T) {
	x := NewIndex[int]()
	stream(x, 1000, "the topic")
	for q, want := range map[string][]string{
		"track=the topic w1":                {"w1"},
		"track=the w2,the w3":               {"w2", "w3"},
		"track=the,topic&language=en":       {"lang:en"},
		"q=the -topic":                      {"the"},
		"q=(the OR topic) new":              {"new"},
		"q=min_followers:5 the":             {"the"},
		"q=\"the w4\"":                      {"\"the w4\""},
		"follow=7":                          {"follow=7"},
		"locations=1,1,2,2":                 {"locations=1,1,2,2"},
		"filter_level=low":                  {},
		"":                                  {},
		"q=the topic (w5 OR w6 OR has:geo)": {"has:geo", "w5", "w6"},
	} {
		f, err := ParseString(q)
		if err != nil {
			t.Errorf("%s: %v", q, err)
			continue
		}
		would := x.Watched(f)
		h := x.Add(f, 1)
		does := f.LeafTexts(x.LeavesAt(h))
		slices.Sort(would)
		slices.Sort(does)
		if !slices.Equal(would, want) || !slices.Equal(does, want) {
			t.Errorf("%q would wait for %q and does for %q, want %q", q, would, does, want)
		}
		if (x.Unwaiting() > 0) != (len(want) == 0) {
			t.Errorf("%q: %d filters wait nowhere", q, x.Unwaiting())
		}
		x.Remove(h)
	}
	if x.Watched(nil) != nil {
		t.Error("the nil filter waits for something")
	}
}

// However much is in the wrong place, one post moves a bounded part of it.
func TestAdaptBounded(t *testing.T) {
	x := NewIndex[int]()
	stream(x, 500, "before")
	var topics []string
	for k := range 150 {
		topics = append(topics, fmt.Sprintf("t%d", k))
	}
	for i := range 300 {
		var phrases []string
		for k, topic := range topics {
			phrases = append(phrases, fmt.Sprintf("%s x%dy%d", topic, i, k))
		}
		f, err := ParseString("track=" + strings.Join(phrases, ",") + "&language=en,de")
		if err != nil {
			t.Fatal(err)
		}
		x.Add(f, i)
	}
	talk := strings.Join(topics, " ")
	suspects, visited := stream(x, 30, talk)
	if suspects != maxSuspects || visited < maxVisited || visited > maxVisited+2*maxSubtree {
		t.Errorf("up to %d suspects and %d nodes for one post", suspects, visited)
	}
	stream(x, 3000, talk)
	if suspects, visited = stream(x, 100, talk); suspects > maxSuspects/4 {
		t.Errorf("still up to %d suspects and %d nodes for one post", suspects, visited)
	}
}
