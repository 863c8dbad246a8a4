package x_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/fanout"
	"aviary/upstream"
	"aviary/upstream/twitter/sim"
	"aviary/upstream/x"
)

// Whatever goes wrong, it is told, no more is asked than documented, and nothing is
// tried in a hot loop; when it is over the stream is back and nothing is missing that
// search can find.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		script   string
		class    string // of the failure that is shown, soon after
		connects int    // at most, in the three minutes of trouble
	}{
		{"drop", "", 2},
		{"close", "", 2},
		{"truncate", "", 2},
		{"disconnect 12", "", 2},
		{"problem operational-disconnect", "", 2},
		{"problem internal-error", "http", 3},
		{"problem streaming-connection", "rate_limit", 3},
		{"problem rate-limit-exceeded", "rate_limit", 3},
		{"stall 90s", "", 3},
		{"garbage", "", 1},
		{"oversize 2MB", "", 1},
		{"duplicate 50", "", 1},
		{"status 503 body html for 2m\ndrop", "http", 8},
		{"status 500 body internal-error for 2m\ndrop", "http", 8},
		{"status 429 body rate-limit-exceeded reset 2m for 2m\ndrop", "rate_limit", 4},
		{"status 429 body code for 2m\ndrop", "rate_limit", 4},
		{"status 429 body json for 2m\ndrop", "rate_limit", 4},
		{"status 429 body streaming-connection for 2m\ndrop", "rate_limit", 6},
		{"refuse for 2m\ndrop", "network", 35},
		{"hang for 2m\ndrop", "stall", 8},
		{"close-after-200 for 2m\ndrop", "network", 35},
		{"chunk 1 for 2m\ndrop", "", 2},
		{"calls 503 for 2m\ndrop", "", 2},
		{"calls hang for 2m\ndrop", "", 2},
		{"search 503 for 2m\ndrop", "", 2},
		{"search 429 reset 10m\ndrop", "", 2},
		{"search hang for 1m\ndrop", "", 2},
	} {
		t.Run(c.script, func(t *testing.T) {
			inTime(t, sim.Config{XSlotHold: 10 * time.Second}, func(t *testing.T, w *world) {
				r := w.run(w.source(func(c *x.Config) { c.Predicates.Track = "zebra" }))
				defer r.stop()
				w.Post(sim.Draft{Text: "zebra first"})
				wait(5 * time.Minute)
				before := w.Stats().Connects
				if err := w.Do(c.script); err != nil {
					t.Fatal(err)
				}
				seen, sent := map[string]bool{}, []string{}
				for i := range 180 {
					if i%7 == 0 {
						sent = append(sent, w.Post(sim.Draft{Text: fmt.Sprintf("zebra %d", i)}).ID)
					}
					wait(time.Second)
					seen[r.Status().Class] = true
				}
				if n := w.Stats().Connects - before; n > c.connects {
					t.Errorf("%d connects, at most %d were due", n, c.connects)
				}
				if c.class != "" && !seen[c.class] {
					t.Errorf("the state never said %s: %v\n%s", c.class, seen, w.log.said())
				}
				wait(15 * time.Minute)
				r.streaming(t)
				last := w.Post(sim.Draft{Text: "zebra last"})
				wait(time.Second)
				got := w.log.ids()
				if !slices.Contains(got, last.ID) {
					t.Errorf("the stream is not back: %+v", r.Status())
				}
				if n := w.Stats().OverLimit; n > 0 {
					t.Errorf("%d requests beyond the budgets", n)
				}
				lost := slices.DeleteFunc(sent, func(id string) bool { return slices.Contains(got, id) })
				if len(lost) > 0 {
					t.Errorf("%d posts are lost that search can find; %d gaps are told", len(lost), w.log.count(fanout.KindGap))
				}
				if strings.HasPrefix(c.script, "oversize") && w.log.count(fanout.KindGap) == 0 {
					t.Error("an oversized post is not told")
				}
			})
		})
	}
}

// What no retry cures halts, until somebody acts.
func TestFatal(t *testing.T) {
	for script, hint := range map[string]string{
		"status 401 body about:blank":      "AVIARY_X_BEARER_TOKEN",
		"status 403 body client-forbidden": "client-not-enrolled",
		"status 400 body invalid-request":  "AVIARY_X_API_URL",
		"problem client-forbidden":         "see its app",
	} {
		inTime(t, sim.Config{}, func(t *testing.T, w *world) {
			if strings.HasPrefix(script, "status") {
				_ = w.Do(script)
			}
			r := w.run(w.source())
			defer r.stop()
			if strings.HasPrefix(script, "problem") {
				_ = w.Do(script)
			}
			wait(time.Second)
			before := w.Stats().Connects
			u := r.Status()
			if u.State != upstream.StateHalted || !strings.Contains(u.Hint, hint) {
				t.Errorf("%s: %+v", script, u)
			}
			wait(24 * time.Hour)
			if n := w.Stats().Connects - before; n != 0 {
				t.Errorf("%s: %d connects while halted", script, n)
			}
			r.Reconnect()
			wait(time.Minute)
			r.streaming(t)
		})
	}
}

// A token that was replaced is used from the next connect on.
func TestFreshToken(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		r := w.run(w.source())
		defer r.stop()
		wait(time.Second)
		w.RevokeBearer()
		_ = w.Do("drop")
		wait(time.Minute)
		if u := r.Status(); u.State != upstream.StateHalted {
			t.Fatalf("%+v", u)
		}
		w.token = w.BearerToken()
		r.Reconnect()
		wait(time.Minute)
		r.streaming(t)
	})
}

// However long an outage lasts and however the stream flaps, the documented budgets
// hold in every 15 minutes: 50 streams, 450 and 100 requests for rules.
func TestBudgetsHold(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		r := w.run(w.source())
		defer r.stop()
		for i := range 400 {
			if i%2 == 0 {
				_ = w.Do("close-after-200 times 3\ndrop")
			} else {
				_ = w.Do("drop")
			}
			r.Reconnect() // an impatient operator
			wait(3 * time.Second)
			w.Post(sim.Draft{Text: "football"})
		}
		if n := w.Stats().OverLimit; n > 0 {
			t.Errorf("%d requests beyond the budgets in 20 minutes", n)
		}
		if n := w.Stats().Connects; n > 110 {
			t.Errorf("%d connects in 20 minutes", n)
		}
		wait(20 * time.Minute)
		r.streaming(t)
	})
}

// The pages of a search, each post once, newest first; the budget is shared.
func TestSearch(t *testing.T) {
	inTime(t, sim.Config{}, func(t *testing.T, w *world) {
		var want []string
		for i := range 250 {
			want = append(want, w.Post(sim.Draft{Text: fmt.Sprintf("zebra %d", i)}).ID)
		}
		other := w.Post(sim.Draft{Text: "zèbre zebra", Lang: "fr"})
		wait(time.Minute)
		slices.Reverse(want)
		s, err := x.NewSearcher(w.config(), 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		q := upstream.Question{Q: "zebra", Count: 100, Lang: "en"}
		for pages := 0; ; pages++ {
			if pages == 2 {
				s, _ = x.NewSearcher(w.config(), 0) // another process: the token is not known, until_id is
			}
			page, err := s.Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				got = append(got, item.Event.Post.Key.ID)
				if !strings.HasPrefix(string(item.Event.JSON), `{"data":{"id":"`) || !strings.Contains(string(item.Event.JSON), `"users":[{`) {
					t.Fatalf("item %s", item.Event.JSON)
				}
			}
			if !page.More {
				break
			}
			q.MaxID = page.NextMaxID
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d posts, want %d", len(got), len(want))
		}
		if rate := s.Rate(); !rate.Known || rate.Limit != 450 || rate.Remaining != 447 {
			t.Errorf("rate %+v", rate)
		}
		page, err := s.Search(t.Context(), upstream.Question{Q: "zebra", Count: 3}) // v2 gives ten at least
		if err != nil || len(page.Items) != 3 || !page.More || page.Items[0].Event.Post.Key.ID != other.ID {
			t.Errorf("%+v, %v", page, err)
		}
		page, err = s.Search(t.Context(), upstream.Question{Q: "nothing at all"})
		if err != nil || len(page.Items) != 0 || page.More {
			t.Errorf("%+v, %v", page, err)
		}
		var failed *upstream.SearchError
		if _, err = s.Search(t.Context(), upstream.Question{Q: "(("}); !errors.As(err, &failed) || failed.Class != upstream.Fatal || failed.Status != 400 {
			t.Errorf("%v", err)
		}
		_ = w.Do("search 429 body rate-limit-exceeded reset 5m")
		if _, err = s.Search(t.Context(), upstream.Question{Q: "zebra"}); !errors.As(err, &failed) || failed.Class != upstream.RateLimit || time.Until(failed.Until) < 4*time.Minute {
			t.Errorf("%+v", failed)
		}
		before := w.Stats().Searches
		_, err = s.Search(t.Context(), upstream.Question{Q: "zebra"})
		if n := w.Stats().Searches - before; n != 0 || !errors.As(err, &failed) || failed.Class != upstream.RateLimit {
			t.Errorf("%d searches while the window is used up, %v", n, err)
		}
	})
}

// Turns are two seconds apart.
func TestTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sim.Config{})
		s, err := x.NewSearcher(w.config(), 0)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		for range 3 {
			if err := s.Turn(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(began); d != 4*time.Second {
			t.Errorf("three turns in %v", d)
		}
		_ = w.Close()
	})
}

func TestNewRefuses(t *testing.T) {
	token := func() (string, error) { return "t", nil }
	for name, c := range map[string]x.Config{
		"no URL":         {Bearer: token},
		"a user":         {APIURL: "https://u:p@a.example", Bearer: token},
		"no token":       {APIURL: "https://a.example"},
		"backfill":       {APIURL: "https://a.example", Bearer: token, BackfillMinutes: 6},
		"no rules file":  {APIURL: "https://a.example", Bearer: token, RulesFile: "/does/not/exist"},
		"language alone": {APIURL: "https://a.example", Bearer: token, Predicates: x.Predicates{Language: "en"}},
	} {
		if _, err := x.New(c); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A token that cannot be sent, or is not there, halts with words.
func TestTokens(t *testing.T) {
	for token, says := range map[string]string{"": "empty", "a b": "cannot be sent", "a\n": "cannot be sent"} {
		inTime(t, sim.Config{}, func(t *testing.T, w *world) {
			r := w.run(w.source(func(c *x.Config) { c.Bearer = func() (string, error) { return token, nil } }))
			defer r.stop()
			if u := r.Status(); u.State != upstream.StateHalted || !strings.Contains(u.Error, says) {
				t.Errorf("%q: %+v", token, u)
			}
		})
	}
}
