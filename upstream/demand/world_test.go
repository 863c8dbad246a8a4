package demand

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// A world has few words, users and places, so that filters and posts have much to
// do with one another. Its posts are consistent, as those of sources are: follow
// finds whom from:, to: and retweets_of: find.
// x leaves out what X does not bring for a user: posts that only begin with a name.
type world struct {
	*rand.Rand
	x bool
}

func newWorld(seed uint64) world { return world{Rand: rand.New(rand.NewPCG(seed, 8))} }

func (w world) pick(of ...string) string { return of[w.IntN(len(of))] }
func (w world) word() string             { return fmt.Sprintf("w%d", min(w.IntN(14), w.IntN(14))) }
func (w world) user() string             { return fmt.Sprint(1 + w.IntN(9)) }

func (w world) operand() string {
	switch w.IntN(20) {
	case 0:
		return "#" + w.word()
	case 1:
		return "@" + w.word()
	case 2:
		return fmt.Sprintf("%q", w.word()+" "+w.word())
	case 3:
		return "from:" + w.user()
	case 4:
		return w.pick("to:", "retweets_of:") + w.user()
	case 5:
		return "url:" + w.word()
	case 6:
		return fmt.Sprintf("point_radius:[%d %d 20mi]", w.IntN(9), w.IntN(9))
	case 7:
		return "is:" + w.pick("retweet", "reply")
	case 8:
		return "has:" + w.pick("links", "media", "geo")
	case 9:
		return "lang:" + w.pick("en", "de", "fr")
	case 10:
		return w.pick("bio:"+w.word(), "from:nobody", "sample:50", "url_contains:/"+w.word()+"/")
	}
	return w.word()
}

func (w world) rule(depth int) string {
	var parts []string
	for range 1 + w.IntN(3) {
		part := w.operand()
		if depth > 0 && w.IntN(3) == 0 {
			part = "(" + w.rule(depth-1) + ")"
		} else if w.IntN(4) == 0 {
			part = "-" + part
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, w.pick(" ", " ", " OR "))
}

// params are a filter as it is written; it may be wrong.
func (w world) params() url.Values {
	v := url.Values{}
	maybe := func(param string, values ...string) {
		if w.IntN(2) == 0 {
			v.Set(param, strings.Join(values, ","))
		}
	}
	x, y := w.IntN(9), w.IntN(9)
	size := float64(w.IntN(3)) / 20
	switch w.IntN(5) {
	case 0, 1:
		v.Set("q", w.rule(2))
	case 2:
		v.Set("filter.one", w.rule(1))
		v.Set("filter.two", w.rule(0))
	default:
		maybe("track", w.word()+" "+w.word(), w.word()+" #"+w.word(), w.word(), w.pick("c++", "w1.example", "🔭"))
		maybe("follow", w.user(), w.user())
		maybe("locations", fmt.Sprintf("%v,%v,%v,%v", float64(x)-size, float64(y)-size, float64(x)+size, float64(y)+size))
	}
	if w.IntN(6) == 0 {
		v.Set("language", w.pick("en", "de", "en,fr"))
	}
	return v
}

func (w world) filter() *filter.Filter {
	for {
		if f, err := filter.Parse(w.params()); err == nil {
			return f
		}
	}
}

func (w world) post() *filter.Post {
	var b filter.Builder
	b.Reset(filter.Key{Source: "test", ID: fmt.Sprint(w.IntN(1000))})
	for range 1 + w.IntN(2) {
		var text []string
		for range w.IntN(6) {
			text = append(text, w.pick("", "", "", "#", "@")+w.word())
		}
		b.Text(strings.Join(text, " ") + w.pick("", "", " (C++)", " 🔭"))
	}
	if w.IntN(3) == 0 {
		b.URL("https://" + w.word() + ".example/" + w.pick("", w.word()+"/"+w.word()+"/"))
	}
	author := w.user()
	b.Author(author)
	b.From(author, "somebody"+author)
	repost := false
	switch other := w.user(); w.IntN(4) {
	case 0:
		b.To(other, "somebody"+other)
		b.Concerns(other)
		b.Is("reply")
	case 1:
		b.RetweetsOf(other, "somebody"+other)
		b.Concerns(other)
		b.Is("retweet")
		repost = true
	case 2:
		if !w.x {
			b.Concerns(other)
		}
	}
	b.Bio(w.word() + " " + w.word())
	if w.IntN(3) == 0 {
		b.Has("media")
	}
	b.Lang(w.pick("en", "de", "fr", "und"))
	if x, y := w.Float64()*9, w.Float64()*9; !repost {
		switch w.IntN(5) {
		case 0:
			b.Point(float64(w.IntN(9)), float64(w.IntN(9)))
		case 1:
			b.Area(filter.Box{West: x, South: y, East: x + 0.3, North: y + 0.2})
		}
	}
	return b.Post()
}

func mustParse(t testing.TB, s string) *filter.Filter {
	t.Helper()
	f, err := filter.ParseString(s)
	if err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	return f
}

// wire is what an upstream brings that is asked so, by the matcher that stands in
// for it.
func wire(t testing.TB, own string, a Ask) func(*filter.Post) bool {
	t.Helper()
	var all []*filter.Filter
	v, _ := url.ParseQuery(own)
	for name, value := range map[string]string{
		"track": a.Track(v.Get("track")), "follow": a.Follow(v.Get("follow")), "locations": a.Locations(v.Get("locations")),
	} {
		if v.Del(name); value != "" {
			v.Set(name, value)
		}
	}
	whole, err := filter.Parse(v) // also within the limits of v1.1
	if err != nil {
		t.Fatalf("the upstream would refuse %+v: %v", a, err)
	}
	if !whole.Empty() {
		all = append(all, whole)
	}
	for _, r := range a.Rules {
		f, err := filter.ParseRule(r)
		if err != nil {
			t.Fatalf("the upstream would refuse the rule %s: %v", r, err)
		}
		all = append(all, f)
	}
	if len(all) == 0 { // nothing in particular
		return func(*filter.Post) bool { return true }
	}
	return func(p *filter.Post) bool {
		return slices.ContainsFunc(all, func(f *filter.Filter) bool { return f.Match(p) })
	}
}

// crowdOf makes what the hub would say of some filters with a number of clients each.
func crowdOf(filters map[string]int, t testing.TB) (asked []fanout.Asked) {
	for text, n := range filters {
		asked = append(asked, fanout.Asked{Filter: mustParse(t, text), Clients: n})
	}
	slices.SortFunc(asked, func(a, b fanout.Asked) int { return strings.Compare(a.Filter.String(), b.Filter.String()) })
	return asked
}

var start = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// missing are the filters whose posts do not come.
func (t *Teller) missing() map[string]bool {
	list := map[string]bool{}
	for text, k := range t.known {
		if !k.since.IsZero() {
			list[text] = true
		}
	}
	return list
}
