package demand

import (
	"strings"
	"testing"

	"aviary/fanout/filter"
)

// What is certain to bring nothing is refused, what comes only by chance is warned
// of, and of what comes nothing is said.
func TestJudge(t *testing.T) {
	const (
		fine  = "fine"
		never = "never"
		warn  = "warn"
	)
	for _, c := range []struct {
		own, languages string
		api            API
		client         string
		want           string
		param          string // of never
		says           string
	}{
		// Nothing in particular is asked for: all comes.
		{"", "", V1, "track=rust", fine, "", ""},
		{"", "", V1, "q=from:kestrel -is:retweet", fine, "", ""},
		{"", "en", V1, "track=rust", fine, "", ""},
		{"", "en", V1, "language=de", never, "language", "LANGUAGE"},
		// Words.
		{"track=go", "", V1, "", fine, "", ""},
		{"track=go", "", V1, "language=de", fine, "", ""},
		{"track=go", "", V1, "track=go lang", fine, "", ""},
		{"track=go", "", V1, "track=%23go", fine, "", ""},
		{"track=go", "", V1, "q=\"go lang\" -is:retweet", fine, "", ""},
		{"track=go lang", "", V1, "track=go", warn, "", `"go"`}, // go without lang does not come
		{"track=go", "", V1, "track=rust", warn, "", `"rust"`},  // a post may hold both
		{"track=go", "", V1, "track=go,rust", warn, "", `"rust"`},
		{"track=go", "", V1, "q=from:kestrel", warn, "", "from:kestrel"},
		{"track=go", "", V1, "follow=12", warn, "", "follow=12"},
		{"track=go", "", V1, "locations=1,2,3,4", warn, "", "locations"},
		{"track=go", "", V1, "q=rust -go", never, "q", "negated"},
		{"track=%23go", "", V1, "q=rust -go", never, "q", "negated"}, // a hashtag is its word too
		{"track=go", "", V1, "q=rust -%23go", warn, "", "rust"},      // a word need not be a hashtag
		{"track=go,cat", "", V1, "q=rust -go", warn, "", "rust"},
		{"track=go&follow=12", "", V1, "q=rust -go", warn, "", "rust"},
		{"track=go", "", V1, "q=go OR (rust -go)", warn, "", "rust"}, // which is go OR rust
		// Users: one may answer or repost the other, or begin with the other's name.
		{"follow=1", "", V1, "follow=1", fine, "", ""},
		{"follow=1", "", V1, "follow=2", warn, "", "follow=2"},
		{"follow=1", "", V1, "q=from:2 -is:reply -is:retweet", warn, "", "from:2"},
		{"follow=1", "", V1, "q=from:1 has:links", fine, "", ""},
		{"follow=1", "", V1, "track=go", warn, "", "go"},
		// Places.
		{"locations=1,1,5,5", "", V1, "locations=2,2,3,3", fine, "", ""},
		{"locations=1,1,5,5", "", V1, "locations=7,7,8,8", warn, "", "locations"}, // a country may share a border with both
		{"locations=1,1,5,5", "", V1, "q=bounding_box:[7 7 7.2 7.2]", never, "locations", "LOCATIONS"},
		{"locations=1,1,5,5", "", V1, "q=point_radius:[7 7 5mi]", never, "locations", ""},
		{"locations=1,1,5,5", "", V1, "q=point_radius:[3 3 5mi]", fine, "", ""},
		{"locations=1,1,5,5&track=go", "", V1, "q=bounding_box:[7 7 7.2 7.2]", warn, "", ""},
		{"locations=1,1,5,5", "", V1, "q=go is:retweet", never, "locations", ""}, // a repost has no place
		{"locations=1,1,5,5", "", V1, "q=retweets_of:kestrel", never, "locations", ""},
		{"locations=1,1,5,5", "", V1, "q=go -has:geo", never, "locations", ""},
		{"locations=1,1,5,5", "", V1, "q=go has:geo", warn, "", "go"},
		// Languages.
		{"track=go", "en", V1, "track=go", fine, "", ""}, // narrowed by choice, but it comes
		{"track=go", "en", V1, "track=go&language=en", fine, "", ""},
		{"track=go", "en", V1, "track=go&language=de", never, "language", "en"},
		{"track=go", "en,fr", V1, "q=go lang:de has:links", never, "language", "en, fr"},
		{"track=go", "en", V1, "q=(go lang:de has:links) OR (go lang:en)", warn, "", "lang:de"},
		{"track=go", "en", V1, "track=go&language=de,en", warn, "", `"de"`},
		{"track=go", "pt", V1, "track=go&language=pt-br", fine, "", ""}, // a region may come under its language
		{"track=go", "in", V1, "track=go&language=id", fine, "", ""},    // one language, two codes
		{"track=go", "en", V1, "q=go -lang:en", never, "q", ""},
		{"track=go", "en,de", V1, "q=go -lang:en", fine, "", ""},
		// Levels: what asks for less gets more.
		{"track=go", "", V1, "track=go&filter_level=medium", fine, "", ""},
		{"track=go", "", X, "track=go&filter_level=low", never, "filter_level", "level"},
		// Rules of X.
		{"q=go lang:en -is:retweet", "", X, "q=go lang:en -is:retweet has:links", fine, "", ""},
		{"q=go lang:en -is:retweet", "", X, "q=go is:retweet", never, "q", ""},
		{"q=go lang:en -is:retweet", "", X, "q=rust lang:de has:links", never, "language", "rules"},
		{"q=go -is:retweet", "", X, "track=go", warn, "", "go"},
		{"q=sample:50 go", "", X, "q=go", warn, "", "go"},
		{"q=go", "", X, "q=\"go lang\"", fine, "", ""},
	} {
		t.Run(c.own+" "+c.languages+" / "+c.client, func(t *testing.T) {
			config := Config{API: c.api, NoLevels: c.api == X}
			if c.own != "" {
				config.Own = []*filter.Filter{mustParse(t, c.own)}
			}
			if c.languages != "" {
				config.Languages = strings.Split(c.languages, ",")
			}
			j := NewForce(config).Judge(mustParse(t, c.client))
			got := fine
			if j.Never {
				got = never
			} else if len(j.Warnings) > 0 {
				got = warn
			}
			said := j.Why + strings.Join(j.Warnings, "\n")
			if got != c.want || j.Param != c.param || !strings.Contains(said, c.says) {
				t.Errorf("%s, %q: %s; want %s, %q, …%s…", got, j.Param, said, c.want, c.param, c.says)
			}
		})
	}
}

// What is called certain is: no post that the operator's filter lets through passes
// a client's filter that was refused. And what nothing is said of comes.
func TestJudgeIsRight(t *testing.T) {
	refused, passed := 0, 0
	for seed := range uint64(150) {
		w := newWorld(seed)
		own := w.pick("track=w0 w1,w2", "track=#w1", "track=w1", "follow=1,2", "locations=1,1,3,3", "track=w3&locations=4,4,5,5", "follow=4&track=w0")
		own = strings.ReplaceAll(own, "#", "%23")
		config := Config{Own: []*filter.Filter{mustParse(t, own)}}
		whole := own
		if w.IntN(2) == 0 {
			config.Languages, whole = []string{"en"}, own+"&language=en"
		}
		force, brings := NewForce(config), mustParse(t, whole)
		for range 10 {
			f := w.filter()
			j := force.Judge(f)
			for range 60 {
				p := w.post()
				if !f.Match(p) {
					continue
				}
				switch comes := brings.Match(p); {
				case j.Never && comes:
					t.Fatalf("%q was refused with the upstream %q: %+v", f, whole, j)
				case j.Never:
					refused++
				case len(j.Warnings) == 0 && !comes && len(config.Languages) == 0 && !config.content(f):
					t.Fatalf("nothing was said of %q with the upstream %q, but a post does not come", f, whole)
				default:
					passed++
				}
			}
		}
	}
	if refused < 20 || passed < 500 {
		t.Errorf("%d posts of refused filters, %d of others: this test shows little", refused, passed)
	}
}

// content reports whether a filter is content with whatever posts there are.
func (c *Config) content(f *filter.Filter) bool { return c.read(f).broad }
