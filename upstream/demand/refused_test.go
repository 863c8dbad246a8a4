package demand

import (
	"fmt"
	"strings"
	"testing"

	"aviary/fanout/filter"
)

// Whatever an upstream is asked for, a filter that is refused there passes no post
// that comes. The upstreams are random filters as the clients' are: of v1.1 by
// track, follow and locations, of X by rules; both with languages.
func TestRefusedForAGoodReason(t *testing.T) {
	for _, api := range []API{V1, X} {
		t.Run(fmt.Sprint("api ", api), func(t *testing.T) {
			refused, held := 0, 0
			for seed := range uint64(refusedWorlds) {
				w := newWorld(1000 + seed)
				whole, config := w.upstream(api)
				force := NewForce(config)
				var posts []*filter.Post
				for range 150 {
					if p := w.post(); whole.Match(p) {
						posts = append(posts, p)
					}
				}
				for range 40 {
					f := w.opponent(whole)
					j := force.Judge(f)
					if !j.Never {
						continue
					}
					refused++
					for _, p := range posts {
						if held++; f.Match(p) {
							t.Fatalf("seed %d: %q was refused with the upstream %q (%s), but a post comes that passes it", seed, f, whole, j.Why)
						}
					}
				}
			}
			t.Logf("%d refused, %d posts held against them", refused, held)
			if refused < 100 || held < 500 {
				t.Errorf("%d refused, %d posts held against them: this test shows little", refused, held)
			}
		})
	}
}

// upstream is what an operator may ask for: a filter of all that comes, and the
// config that says so.
func (w world) upstream(api API) (*filter.Filter, Config) {
	for {
		v := w.params()
		v.Del("language")
		if api == V1 {
			for name := range v {
				if name != "track" && name != "follow" && name != "locations" {
					v.Del(name)
				}
			}
		}
		own, err := filter.Parse(v)
		if err != nil || own.Empty() {
			continue
		}
		c := Config{API: api, NoLevels: api == X, Own: []*filter.Filter{own}}
		if w.IntN(3) == 0 {
			v.Set("language", w.pick("en", "de", "en,fr", "de,und"))
			c.Languages = strings.Split(v.Get("language"), ",")
		}
		whole, err := filter.Parse(v)
		if err != nil {
			continue
		}
		return whole, c
	}
}

// opponent is a filter that has much to do with the upstream's, and more often
// against it than any would by chance.
func (w world) opponent(whole *filter.Filter) *filter.Filter {
	for {
		v := w.params()
		if w.IntN(2) == 0 {
			a, _ := whole.Alternatives(maxAlternatives)
			rule := w.rule(1)
			for _, literals := range a.Any {
				for _, l := range literals {
					switch text := l.String(); {
					case w.IntN(3) == 0 || !l.InRule():
					case l.Negated():
						rule += " " + text[1:]
					default:
						rule += " -" + text
					}
				}
			}
			v.Set("q", rule)
		}
		if f, err := filter.Parse(v); err == nil {
			return f
		}
	}
}

const refusedWorlds = 60
