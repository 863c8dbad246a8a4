package filter

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// A pairing is a world of few words, places and people, so that any filter and any
// post have something to do with one another: what Index and Postings find in it
// is compared with what the filters say themselves.
type pairing struct {
	*rand.Rand
	t     *testing.T
	index *Index[int]
	held  []waiting
	last  int
	posts []*Post
	pairs int // compared
	found int // that matched
}

type waiting struct {
	id     int
	filter *Filter
	handle Handle
}

func newPairing(t *testing.T, seed uint64) *pairing {
	w := &pairing{Rand: rand.New(rand.NewPCG(seed, 5)), t: t, index: NewIndex[int]()}
	if w.IntN(2) == 0 { // everybody is a suspect at once, and moves for the least gain
		w.index.core.patience, w.index.core.plan.least = 1, 0
	}
	return w
}

func (w *pairing) pick(of ...string) string { return of[w.IntN(len(of))] }
func (w *pairing) word() string             { return fmt.Sprintf("w%d", min(w.IntN(12), w.IntN(12))) }
func (w *pairing) user() string             { return fmt.Sprint(1 + w.IntN(7)) }

// literal is one thing that a rule looks for.
func (w *pairing) literal() string {
	word := w.word()
	switch w.IntN(24) {
	case 0:
		return "#" + word
	case 1:
		return "@" + word
	case 2:
		return "$" + w.pick("abc", "xyz")
	case 3, 4:
		return fmt.Sprintf("%q", word+" "+w.word())
	case 5:
		return fmt.Sprintf("%q~%d", word+" "+w.word(), w.IntN(3))
	case 6:
		return "from:" + w.user()
	case 7:
		return w.pick("to:", "retweets_of:") + w.user()
	case 8:
		return "url:" + word
	case 9:
		return "url_contains:" + word
	case 10:
		return fmt.Sprintf("point_radius:[%d %d %dmi]", w.IntN(9), w.IntN(9), 1+w.IntN(25))
	case 11:
		x, y := w.Float64()*8, w.Float64()*8
		return fmt.Sprintf("bounding_box:[%.3f %.3f %.3f %.3f]", x, y, x+0.2, y+0.2)
	case 12:
		return w.pick("min_followers:", "min_following:") + fmt.Sprint(w.IntN(9))
	case 13:
		return "is:" + w.pick("retweet", "reply", "quote", "verified")
	case 14:
		return "has:" + w.pick("hashtags", "links", "mentions", "media", "geo")
	case 15:
		return "lang:" + w.pick("en", "de")
	case 16:
		return fmt.Sprintf("sample:%d", 1+w.IntN(99))
	case 17:
		return w.pick("bio:", "bio_name:", "bio_location:", "place:") + word
	}
	return word
}

func (w *pairing) condition(depth int) string {
	var parts []string
	for range 1 + w.IntN(3) {
		part := w.literal()
		if depth > 0 && w.IntN(3) == 0 {
			part = "(" + w.condition(depth-1) + ")"
		} else if w.IntN(4) == 0 {
			part = "-" + part
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, w.pick(" ", " ", " OR "))
}

// filter returns a filter in either language, or with names.
func (w *pairing) filter() *Filter {
	for {
		v := url.Values{}
		switch w.IntN(4) {
		case 0, 1:
			v.Set("q", w.condition(2))
		case 2:
			v.Set("filter.one", w.condition(1))
			v.Set("filter.two", w.condition(0))
		}
		if len(v) == 0 || w.IntN(6) == 0 {
			w.parameters(v)
		}
		if f, err := Parse(v); err == nil {
			return f
		}
	}
}

func (w *pairing) parameters(v url.Values) {
	maybe := func(param string, values ...string) {
		if w.IntN(3) == 0 {
			v.Set(param, strings.Join(values, ","))
		}
	}
	x, y := w.IntN(9), w.IntN(9)
	size := []int{0, 1, 3, 90}[w.IntN(4)]
	maybe("track", w.word()+" "+w.word(), w.word()+" #"+w.word(), w.word())
	maybe("follow", w.user(), w.user())
	maybe("locations", fmt.Sprintf("%d,%d,%d,%d", x-size, y-size/3, x+size, y+size/3))
	maybe("language", w.pick("en", "de"))
	maybe("filter_level", w.pick("low", "medium"))
}

func (w *pairing) post() *Post {
	if w.IntN(40) == 0 {
		return nil
	}
	return build(func(b *Builder) {
		b.Reset(Key{"test", fmt.Sprint(w.IntN(1000))})
		for range w.IntN(3) {
			var text []string
			for range w.IntN(5) {
				text = append(text, w.pick("", "", "", "#", "@")+w.word())
			}
			b.Text(strings.Join(text, " ") + w.pick("", "", " $abc"))
		}
		if w.IntN(3) == 0 {
			b.URL("https://" + w.word() + ".example/" + w.word() + "/" + w.word())
		}
		b.Author(w.user())
		b.From(w.user(), w.word())
		if w.IntN(2) == 0 {
			b.To(w.user(), w.word())
			b.Bio(w.word() + " " + w.word())
			b.BioName(w.word())
			b.Is(w.pick("retweet", "reply", "quote", "verified"))
			b.Has(w.pick("media", "images"))
			b.Counts(int64(w.IntN(9)), int64(w.IntN(9)), 3, 4)
		}
		b.Lang(w.pick("en", "de", "und"))
		b.Level(w.pick("none", "low", "medium"))
		lon, lat := w.Float64()*9, w.Float64()*9
		switch size := []float64{0, 0.01, 0.1, 2, 100}[w.IntN(5)]; w.IntN(6) {
		case 0:
			b.Point(float64(w.IntN(9)), float64(w.IntN(9)))
		case 1, 2:
			b.Area(Box{max(lon-size, -180), max(lat-size/2, -90), min(lon+size, 180), min(lat+size/2, 90)})
			b.Place("p1", w.word())
		}
	})
}

// comeAndGo adds a filter, and removes some if there are too many.
func (w *pairing) comeAndGo(most int) {
	w.last++
	f := w.filter()
	w.held = append(w.held, waiting{w.last, f, w.index.Add(f, w.last)})
	for len(w.held) > most || w.IntN(3) == 0 && len(w.held) > 0 {
		i, end := w.IntN(len(w.held)), len(w.held)-1
		w.index.Remove(w.held[i].handle)
		w.index.Remove(w.held[i].handle) // once more does nothing
		w.held[i] = w.held[end]
		w.held = w.held[:end]
	}
	if w.index.Len() != len(w.held) {
		w.t.Fatalf("Len is %d, want %d", w.index.Len(), len(w.held))
	}
}

// match shows a post to the index.
func (w *pairing) match(p *Post) {
	var got []int
	w.index.Match(p, func(id int) { got = append(got, id) })
	slices.Sort(got)
	var want []int
	for _, l := range w.held {
		if l.filter.Match(p) {
			want = append(want, l.id)
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		for _, l := range w.held {
			if slices.Contains(want, l.id) != slices.Contains(got, l.id) {
				w.t.Errorf("%q waits at %q", l.filter, l.filter.LeafTexts(w.index.LeavesAt(l.handle)))
			}
		}
		w.t.Fatalf("the index found %v, the filters let through %v", got, want)
	}
	w.pairs += len(w.held)
	w.found += len(got)
}

// replay asks postings of all posts for every filter.
func (w *pairing) replay() {
	p := NewPostings(w.posts)
	for _, l := range w.held {
		from := w.IntN(len(w.posts)+3) - 1
		want := []int{-7}
		for i, post := range w.posts {
			if i >= from && post != nil && l.filter.Match(post) {
				want = append(want, i)
			}
		}
		if got := p.Match(l.filter, from, []int{-7}); !slices.Equal(got, want) {
			w.t.Fatalf("%q from %d of %d: postings found %v, it lets through %v", l.filter, from, len(w.posts), got, want)
		}
		w.pairs += len(w.posts)
	}
}

// live is a world from beginning to end.
func (w *pairing) live(filters, posts int) {
	for range filters {
		w.comeAndGo(filters)
	}
	for range posts {
		if w.IntN(4) == 0 {
			w.comeAndGo(filters)
		}
		p := w.post()
		w.posts = append(w.posts, p)
		w.match(p)
	}
	w.replay()
	w.leave()
}

// leave takes all filters out, and finds what they should not have left behind.
func (w *pairing) leave() {
	last := w.index.Add(nil, 0)
	for _, l := range w.held {
		w.index.Remove(l.handle)
	}
	x := &w.index.core
	waiting := 0
	for _, p := range x.table.dir {
		waiting += p.page.live
	}
	if w.index.Len() != 1 || w.index.Unwaiting() != 1 || waiting != 0 || x.boxes != 0 || x.table.lists.bytes != 0 {
		w.t.Fatalf("%d filters, %d everywhere, %d features, %d boxes, %d bytes of lists are left", w.index.Len(), w.index.Unwaiting(), waiting, x.boxes, x.table.lists.bytes)
	}
	if want := refsSize(make([]ref, 1)) + anyPost.size(); x.bytes != want {
		w.t.Fatalf("one filter has %d bytes, want %d", x.bytes, want)
	}
	w.index.Remove(last)
	w.held = nil
	w.match(w.post())
	if got, want := w.index.Size(), NewIndex[int]().Size(); got != want {
		w.t.Fatalf("an empty index has %d bytes, a new one %d", got, want)
	}
}

// TestPairs compares a million pairs. FuzzIndex goes on from here.
func TestPairs(t *testing.T) {
	pairs, found := 0, 0
	for seed := uint64(1); pairs < 1_000_000; seed++ {
		w := newPairing(t, seed)
		if seed%20 == 0 {
			w.live(10, 2300) // several blocks of postings, and long runs in them
		} else {
			w.live(60, 100)
		}
		if t.Failed() {
			t.Fatalf("in the world of seed %d", seed)
		}
		pairs, found = pairs+w.pairs, found+w.found
	}
	if t.Logf("%d pairs, %d matched", pairs, found); found < pairs/50 {
		t.Error("so few matches show little")
	}
}

// FuzzIndex lives through worlds of some 10,000 pairs each.
func FuzzIndex(f *testing.F) {
	f.Add(uint64(1), uint8(50), uint8(100))
	f.Add(uint64(2), uint8(1), uint8(255))
	f.Add(uint64(3), uint8(255), uint8(40))
	f.Fuzz(func(t *testing.T, seed uint64, filters, posts uint8) {
		newPairing(t, seed).live(1+int(filters), 1+int(posts))
	})
}

// Who asks for nothing gets everything, a post that could not be read included.
func TestIndexEverything(t *testing.T) {
	x := NewIndex[string]()
	empty, err := ParseString("")
	if err != nil {
		t.Fatal(err)
	}
	word, err := ParseString("track=word")
	if err != nil {
		t.Fatal(err)
	}
	handles := []Handle{x.Add(nil, "nil"), x.Add(empty, "empty"), x.Add(word, "word")}
	for _, c := range []struct {
		post *Post
		want []string
	}{
		{nil, []string{"empty", "nil"}},
		{&Post{}, []string{"empty", "nil"}},
		{postOf("a word"), []string{"empty", "nil", "word"}},
	} {
		var got []string
		x.Match(c.post, func(s string) { got = append(got, s) })
		if slices.Sort(got); !slices.Equal(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	x.Remove(0)
	x.Remove(handles[2] + 1<<32)
	if x.Len() != 3 {
		t.Error("handles of nobody removed somebody")
	}
	for _, h := range handles {
		x.Remove(h)
		x.Remove(h)
	}
	again := x.Add(word, "again")
	x.Remove(handles[0])
	if x.Len() != 1 || slices.Contains(handles, again) {
		t.Error("an old handle stands for a new filter")
	}
}

func TestPostingsEdges(t *testing.T) {
	if got := NewPostings(nil).Match(nil, 0, nil); got != nil {
		t.Errorf("no posts: %v", got)
	}
	p := NewPostings([]*Post{nil, postOf("a"), {}, nil, postOf("b")})
	if got := p.Match(nil, -5, nil); !slices.Equal(got, []int{1, 2, 4}) {
		t.Errorf("every post: %v", got)
	}
	if got := p.Match(nil, 9, []int{3}); !slices.Equal(got, []int{3}) {
		t.Errorf("from behind the end: %v", got)
	}
}
