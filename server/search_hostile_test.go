package server

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// entry is one entry of a hostile page.
func entry(id int, more string) string {
	return fmt.Sprintf(`{"id":%d,"id_str":"%d","full_text":"alpha %d","user":{"id":1,"id_str":"1"}%s}`, id, id, id, more)
}

// pagesOf is an upstream that answers with the next of the bodies, then with
// empty pages.
func pagesOf(bodies ...string) http.Handler {
	n := 0
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := `{"statuses":[],"search_metadata":{}}`
		if n < len(bodies) {
			body = bodies[n]
		}
		n++
		fmt.Fprint(w, body)
	})
}

func body(next string, statuses ...string) string {
	return `{"statuses":[` + strings.Join(statuses, ",") + `],"search_metadata":{"next_results":"` + next + `"}}`
}

// Whatever order and rubbish an upstream sends: each post once, and an end.
func TestHostilePages(t *testing.T) {
	popular := `,"metadata":{"result_type":"popular"}`
	for name, test := range map[string]struct {
		pages []string
		want  string // the numbers of the posts, in order
		asked string // the max_ids asked for
		query string
	}{
		"unordered, and an item without id at the end": {
			[]string{body("?max_id=1", entry(7, ""), entry(9, ""), entry(8, ""), `{"text":"no id"}`, `null`, `3`, `{"delete":{"status":{"id":4,"user_id":1}}}`), body("", entry(5, ""), entry(6, ""))},
			"9 8 7 6 5", "0 6", ""},
		"the pages overlap": {
			[]string{body("?x", entry(9, ""), entry(8, "")), body("?x", entry(9, ""), entry(8, ""), entry(7, ""), entry(7, "")), body("", entry(6, ""))},
			"9 8 7 6", "0 7 6", ""},
		"the same page for ever": {
			[]string{body("?x", entry(9, "")), body("?x", entry(9, "")), body("?x", entry(9, ""))},
			"9", "0 8", ""},
		"short pages, and never a word of a next one": {
			[]string{body("", entry(9, ""), entry(8, "")), body("", entry(7, "")), body("", entry(6, ""), entry(5, ""))},
			"9 8 7 6 5", "0 7 6 4", ""},
		"posts without an author": {
			[]string{body("?x", `{"id":9,"id_str":"9","full_text":"alpha 9"}`), body("", `{"id":8,"full_text":"alpha 8"}`)}, "9 8", "0 8", ""},
		"down to the first id": {
			[]string{body("?x", entry(2, ""), entry(1, ""))}, "2 1", "0", ""},
		"no metadata at all": {
			[]string{`{"statuses":[` + entry(9, "") + `]}`, `{"statuses":[` + entry(8, "") + `]}`, `{"statuses":[]}`}, "9 8", "0 8 7", ""},
		"empty at once": {
			[]string{body("?x")}, "", "0", ""},
		"a page of nothing usable, with a way on": {
			[]string{body("?max_id=50", `{"text":"no id"}`), body("", entry(40, ""))}, "40", "0 50", ""},
		"popular posts are no place to go on from": {
			[]string{body("?x", entry(3, popular), entry(9, ""), entry(8, "")), body("?x", entry(7, ""), entry(3, "")), body("", entry(2, ""))},
			"3 9 8 7 2", "0 7 2", "&result_type=mixed"},
		"popular posts only": {
			[]string{body("?x", entry(3, popular), entry(9, popular)), body("", entry(2, popular))},
			"9 3 2", "0 2", "&result_type=popular"},
		"ids rounded as numbers, right as text": {
			[]string{body("", `{"id":790000000000122600,"id_str":"790000000000122624","full_text":"alpha 24","user":{"id":1}}`)}, "24", "0 790000000000122623", ""}, // asked once more: nobody has named a next page so far
		"below since_id": {
			[]string{body("?x", entry(9, ""), entry(5, ""), entry(4, ""))}, "9", "0", "&since_id=5"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, from := newAPI(t, pagesOf(test.pages...))
				g := newGate(t, searching(from))
				got := g.open("/search/pages?q=alpha" + test.query).walk(0)
				numbers := strings.ReplaceAll(strings.Join(got.texts, " "), "alpha ", "")
				if numbers != test.want || got.last.event != "done" {
					t.Errorf("got %q, want %q; then %v", numbers, test.want, got.last)
				}
				var asked []string
				for _, q := range a.list() {
					id := "0"
					for pair := range strings.SplitSeq(q.query, "&") {
						if v, is := strings.CutPrefix(pair, "max_id="); is {
							id = v
						}
					}
					asked = append(asked, id)
				}
				if got := strings.Join(asked, " "); got != test.asked {
					t.Errorf("asked with max_id %s, want %s", got, test.asked)
				}
				keptPace(t, a.list(), 2*time.Second)
			})
		})
	}
}

// Statuses on /search are the upstream's bytes, made safe for one line.
func TestSearchNormalises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, from := newAPI(t, pagesOf("{\"statuses\" : [\r\n {\r\n\"id_str\":\"9\",\n \"full_text\":\"a\u2028b\u0085\xff\",\"user\":{\"id\":1}} ] }"))
		g := newGate(t, searching(from))
		_, got := g.get("/search?q=a")
		if want := `{"statuses":[{"id_str":"9","full_text":"a\u2028b\u0085` + "\uFFFD" + `","user":{"id":1}}],"next":"/search?cursor=p8\u0026q=a","rate":null}` + "\n"; strings.ReplaceAll(got, "&", `\u0026`) != want {
			t.Errorf("got  %swant %s", got, want)
		}
	})
}

// An oversize answer is not read to its end.
func TestSearchBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		_, from := newAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"statuses":["`)
			for piece := strings.Repeat("x", 1<<20); sent.Load() < 64<<20; sent.Add(int64(len(piece))) {
				if _, err := io.WriteString(w, piece); err != nil {
					return
				}
			}
		}))
		g := newGate(t, searching(from))
		if p := decode(t, g.do("GET", "/search?q=a", "")); p.Status != http.StatusBadGateway || !strings.Contains(p.Detail, "larger than 8 MiB") || sent.Load() > 4*11<<20 {
			t.Errorf("%+v after %d bytes", p, sent.Load())
		}
	})
}

// A refusal in the middle of a walk is told in the stream, which is over then.
func TestRefusedInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		_, from := newAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n++; n == 1 {
				fmt.Fprint(w, body("?x", entry(9, "")))
				return
			}
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"errors":[{"code":89,"message":"Invalid or expired token."}]}`)
		}))
		g := newGate(t, searching(from))
		got := g.open("/search/pages?q=alpha").walk(0)
		if got.last.event != "problem" || !strings.Contains(got.last.data, `"status":401`) || !strings.Contains(got.last.data, `"code":89`) {
			t.Errorf("%v", got.last)
		}
		if resp := g.do("GET", "/search/pages?q=alpha", "", "Last-Event-ID: "+got.last.id); resp.StatusCode != 204 {
			t.Errorf("back: %s", resp.Status)
		}
	})
}

// NDJSON is the same without frames; waiting shows as cursor lines.
func TestWalkNDJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		_, from := newAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if n++; n == 2 {
				w.Header().Set("Retry-After", strconv.Itoa(40))
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			fmt.Fprint(w, body(map[bool]string{true: "?x"}[n == 1], entry(10-n, "")))
		}))
		g := newGate(t, searching(from))
		resp := g.do("GET", "/search/pages?q=alpha", "", "Accept: application/x-ndjson")
		lines := strings.Split(strings.TrimSpace(readAll(t, resp.Body)), "\n")
		var kinds []string
		for _, line := range lines {
			kind, _, _ := strings.Cut(strings.TrimPrefix(line, `{"`), `"`)
			kinds = append(kinds, kind)
		}
		if got := strings.Join(kinds, " "); got != "id page cursor cursor id page done" || resp.Header.Get("Content-Type") != typeNDJSON {
			t.Errorf("%s %v\n%s", got, resp.Header, strings.Join(lines, "\n"))
		}
	})
}

// Ids that say nothing here do no harm: the walk begins anew, and says so.
func TestWalkAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, from := newAPI(t, pagesOf(body("", entry(9, "")), body(""), body("", entry(9, "")), body(""), body("", entry(9, "")), body(""), body("", entry(9, "")), body("")))
		g := newGate(t, searching(from), func(o *Options) { o.SearchCache = 0 })
		other := placeOf(SearchQuestion{Q: "beta", ResultType: "recent"}, false)
		other.at = 5
		for _, id := range []string{"k3f9a1-4711", "x", strings.Repeat("z", 500), other.String()} {
			r := g.open("/search/pages?q=alpha", "Last-Event-ID: "+id)
			got := r.walk(0)
			if len(got.texts) != 1 || got.last.event != "done" || r.pings == 0 {
				t.Errorf("%.40q: %+v, %d comments", id, got, r.pings)
			}
		}
	})
}

// A pager whose client does not read holds nobody else up, and is closed.
func TestWalkSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		big := `,"x":"` + strings.Repeat("y", 100<<10) + `"`
		_, from := newAPI(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, body("", entry(9, big), entry(8, big), entry(7, big)))
		}))
		g := newGate(t, searching(from))
		stalled, err := g.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer stalled.Close()
		fmt.Fprint(stalled, "GET /search/pages?q=slow HTTP/1.1\r\nHost: gate\r\n\r\n")
		time.Sleep(5 * time.Second)
		if got := g.open("/search/pages?q=quick").walk(0); len(got.texts) != 3 {
			t.Errorf("%+v", got.last)
		}
		synctest.Wait()
		if n := g.server.clients.Len(); n != 1 {
			t.Errorf("%d clients before the write timeout", n)
		}
		time.Sleep(11 * time.Second)
		if n := g.server.clients.Len(); n != 0 {
			t.Errorf("%d clients after it", n)
		}
	})
}

// MaxAge holds for pagers too.
func TestWalkMaxAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, from := newAPI(t, pagesOf(body("", entry(9, ""))))
		g := newGate(t, searching(from), func(o *Options) { o.MaxAge = time.Minute })
		began := time.Now()
		got := g.open("/search/pages?q=alpha&direction=new").walk(0)
		if took := time.Since(began); !strings.Contains(got.last.data, `"max_age"`) || took < 48*time.Second || took > time.Minute {
			t.Errorf("%v after %v", got.last, took)
		}
	})
}
