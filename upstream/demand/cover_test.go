package demand

import (
	"slices"
	"testing"
	"time"

	"aviary/fanout"
	"aviary/fanout/filter"
)

// checkCoverage plans for filters and holds posts against the outcome: a post that
// a served client's filter matches is one that the upstream was asked for.
func checkCoverage(t *testing.T, c Config, own string, filters []*filter.Filter, posts []*filter.Post) (matched int) {
	t.Helper()
	if own != "" {
		c.Own = []*filter.Filter{mustParse(t, own)}
	}
	p := New(c)
	var asked []fanout.Asked
	for _, f := range filters {
		asked = append(asked, fanout.Asked{Filter: f, Clients: 1})
	}
	p.Plan(start, asked)
	s := p.Plan(start.Add(2*time.Second), asked)
	var teller Teller
	teller.Compare(start, s.Force, asked)
	missing := teller.missing()
	brings := wire(t, own, s.Force.Asked())
	for _, f := range filters {
		r := p.config.read(f)
		if missing[f.String()] || len(r.loose)+len(r.barred) > 0 || r.broad && own != "" {
			continue
		}
		for _, post := range posts {
			if !f.Match(post) {
				continue
			}
			if !s.Force.all() {
				matched++
			}
			if !brings(post) {
				t.Fatalf("%q matches a post that does not come: own %q, asked for %+v", f, own, s.Force.Asked())
			}
		}
	}
	return matched
}

func TestCoverageIsASuperset(t *testing.T) {
	for name, c := range map[string]Config{
		"v1.1":         {},
		"v1.1 crowded": {Limits: Limits{Phrases: 6, IDs: 3, Boxes: 2}},
		"x":            {API: X, Tiles: tiles},
		"x crowded":    {API: X, Tiles: tiles, Limits: Limits{Rules: 6, RuleLength: 40}},
	} {
		t.Run(name, func(t *testing.T) {
			matched := 0
			for seed := range uint64(40) {
				w := newWorld(seed)
				w.x = c.API == X
				var filters []*filter.Filter
				for range 1 + w.IntN(12) {
					filters = append(filters, w.filter())
				}
				var posts []*filter.Post
				for range 80 {
					posts = append(posts, w.post())
				}
				own := ""
				if c.API == V1 && w.IntN(2) == 0 {
					own = w.pick("track=w0", "track=w1 w2,w3&follow=4", "locations=1,1,2,2", "track=#w4")
				}
				matched += checkCoverage(t, c, own, filters, posts)
			}
			if matched < 200 {
				t.Errorf("only %d matches: this test shows little", matched)
			}
		})
	}
}

// tiles stands in for the division of a box, which has its test where it is made:
// on X a place has to lie wholly inside, so only what does is compared.
func tiles(b filter.Box) ([]string, error) {
	return nil, nil
}

// FuzzCoverage: whatever two clients ask for, what the upstream is asked for brings
// their posts, and it is something the upstream takes.
func FuzzCoverage(f *testing.F) {
	f.Add("go (rust OR \"exact phrase\") -is:retweet", "track=c++,#tag&follow=12", "go exact phrase c++", true)
	f.Add("url:\"https://example.com/a-b\" lang:de", "locations=1,2,1,2", "see https://example.com/a-b", false)
	f.Fuzz(func(t *testing.T, rule, params, text string, x bool) {
		var filters []*filter.Filter
		if a, err := filter.ParseRule(rule); err == nil {
			filters = append(filters, a)
		}
		if b, err := filter.ParseString(params); err == nil {
			filters = append(filters, b)
		}
		filters = slices.CompactFunc(filters, func(a, b *filter.Filter) bool { return a.String() == b.String() })
		var posts []*filter.Post
		for i, s := range []string{text, rule, params, rule + " " + text} {
			var b filter.Builder
			b.Reset(filter.Key{Source: "test", ID: "1"})
			b.Text(s)
			b.URL(text)
			b.Hashtag(text)
			if i == 1 {
				b.Point(1, 2)
			}
			b.Lang("de")
			posts = append(posts, b.Post())
		}
		c := Config{}
		if x {
			c.API = X
		}
		checkCoverage(t, c, "", filters, posts)
	})
}
