package server

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aviary/upstream/twitter/sim"
)

// found is an answer of either search.
type foundPosts struct {
	Statuses []struct {
		ID       string `json:"id_str"`
		Text     string
		FullText string `json:"full_text"`
		Reposted *struct {
			Text     string
			FullText string `json:"full_text"`
		} `json:"retweeted_status"`
	}
	Metadata struct {
		Next  string `json:"next_results"`
		Count int
		Max   string `json:"max_id_str"`
	} `json:"search_metadata"`
	Data []struct {
		ID, Text string
		Author   string `json:"author_id"`
	}
	Includes struct {
		Users []struct{ ID, Username string }
	}
	Meta struct {
		Newest string `json:"newest_id"`
		Oldest string `json:"oldest_id"`
		Count  *int   `json:"result_count"`
		Next   string `json:"next_token"`
	}
	Errors []struct {
		Code    int
		Message string
	}
	Title string
}

func (g *gate) found(path string) (int, foundPosts, map[string]string) {
	g.t.Helper()
	resp, body := g.get(path)
	var in foundPosts
	if err := json.Unmarshal([]byte(body), &in); err != nil {
		g.t.Fatalf("%s: %v: %s", path, err, body)
	}
	limits := map[string]string{}
	for _, name := range []string{"limit", "remaining", "reset"} {
		limits[name] = resp.Header.Get("x-rate-limit-" + name)
	}
	return resp.StatusCode, in, limits
}

// v1.1 search: pages by next_results to the end, both text modes, the shared cache.
func TestCompatSearchV1(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, a, from := newSimAPI(t, sim.Config{}, 25)
		fake.Post(sim.Draft{Text: "alpha " + strings.Repeat("long ", 40) + "end"})
		g := newGate(t, searching(from))
		var ids, got []string
		path := "/1.1/search/tweets.json?q=alpha&count=10&tweet_mode=extended&oauth_token=x"
		for n := 0; path != ""; n++ {
			status, page, limits := g.found(path)
			if status != 200 || limits["limit"] != "180" || limits["remaining"] != fmt.Sprint(179-n) || limits["reset"] == "" || page.Metadata.Count != 10 {
				t.Fatalf("%d %v %+v", status, limits, page)
			}
			for _, s := range page.Statuses {
				ids, got = append(ids, s.ID), append(got, s.FullText)
				if s.Text != "" {
					t.Errorf("both texts: %+v", s)
				}
			}
			if path = ""; page.Metadata.Next != "" {
				path = "/1.1/search/tweets.json" + page.Metadata.Next + "&tweet_mode=extended"
			}
		}
		samePosts(t, "all pages", got[1:], texts(24, 0))
		if len(got[0]) < 200 || !slices.IsSortedFunc(ids, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Errorf("%q %v", got[0], ids)
		}
		asked := len(a.list())
		_, page, _ := g.found("/1.1/search/tweets.json?q=alpha&count=10")
		if len(page.Statuses) != 10 || page.Statuses[0].FullText != "" || !strings.HasSuffix(page.Statuses[0].Text, "end") || page.Metadata.Max != ids[0] {
			t.Errorf("%+v", page.Statuses[0])
		}
		if again := len(a.list()); again != asked {
			t.Errorf("the same question is asked again: %d requests, %d before", again, asked)
		}
		_, page, _ = g.found("/1.1/search/tweets.json?q=alpha&since_id=" + ids[2])
		if len(page.Statuses) != 2 || page.Metadata.Next != "" {
			t.Errorf("%+v", page)
		}
		_, page, _ = g.found("/1.1/search/tweets.json?q=nothing")
		if page.Statuses == nil || len(page.Statuses) != 0 {
			t.Errorf("%+v", page)
		}
	})
}

// v2 recent search: pages by next_token, expansions, bounds by id and by time.
func TestCompatSearchV2(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))) // ids hold no time before 2010
		fake, a, from := newSimAPI(t, sim.Config{}, 15)
		time.Sleep(time.Minute)
		middle := time.Now()
		alphas(fake, 15, 10)
		g := newGate(t, searching(from))
		var ids, got []string
		token := ""
		for {
			status, page, limits := g.found("/2/tweets/search/recent?query=alpha&expansions=author_id" + token)
			if status != 200 || limits["limit"] != "180" || *page.Meta.Count != len(page.Data) {
				t.Fatalf("%d %v %+v", status, limits, page)
			}
			for _, p := range page.Data {
				ids, got = append(ids, p.ID), append(got, p.Text)
			}
			if len(page.Includes.Users) != 1 || page.Includes.Users[0].ID != page.Data[0].Author || page.Meta.Newest != page.Data[0].ID || page.Meta.Oldest != page.Data[len(page.Data)-1].ID {
				t.Errorf("%+v", page)
			}
			if page.Meta.Next == "" {
				break
			}
			token = "&next_token=" + page.Meta.Next
		}
		samePosts(t, "all pages", got, texts(24, 0))
		when := url.QueryEscape(middle.Format(time.RFC3339Nano))
		for query, want := range map[string][2]int{
			"since_id=" + ids[3]: {24, 22}, "until_id=" + ids[20]: {3, 0}, "start_time=" + when: {24, 15}, "end_time=" + when: {14, 5},
		} {
			_, page, _ := g.found("/2/tweets/search/recent?query=alpha&" + query)
			var list []string
			for _, p := range page.Data {
				list = append(list, p.Text)
			}
			samePosts(t, query, list, texts(want[0], want[1]))
		}
		n := len(a.list())
		if status, page, _ := g.found("/2/tweets/search/recent?query=alpha&since_id=" + ids[3] + "&until_id=" + ids[3]); status != 200 || page.Data != nil || *page.Meta.Count != 0 || page.Meta.Newest != "" {
			t.Errorf("nothing lies between: %d %+v", status, page)
		}
		if len(a.list()) != n {
			t.Error("what cannot bring anything costs a request")
		}
	})
}

// What goes wrong, in the shapes of both APIs.
func TestCompatSearchErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake, _, from := newSimAPI(t, sim.Config{}, 5)
		g := newGate(t, searching(from))
		for path, want := range map[string]string{
			"/1.1/search/tweets.json":                                     "400 25",
			"/1.1/search/tweets.json?q=" + strings.Repeat("x", 501):       "403 195",
			"/1.1/search/tweets.json?q=a&geocode=1,2,3km":                 "403 195",
			"/1.1/search/tweets.json?q=a&result_type=new":                 "403 195",
			"/1.1/search/tweets.json?q=a&until=yesterday":                 "403 195",
			"/1.1/search/tweets.json?q=a&max_id=x":                        "403 195",
			"/1.1/search/tweets.json?q=a&lang=%25":                        "403 195",
			"/2/tweets/search/recent":                                     "400 Invalid Request",
			"/2/tweets/search/recent?query=" + strings.Repeat("x", 513):   "400 Invalid Request",
			"/2/tweets/search/recent?query=a&max_results=9":               "400 Invalid Request",
			"/2/tweets/search/recent?query=a&sort_order=x":                "400 Invalid Request",
			"/2/tweets/search/recent?query=a&next_token=x":                "400 Invalid Request",
			"/2/tweets/search/recent?query=a&start_time=now":              "400 Invalid Request",
			"/2/tweets/search/recent?query=a&since_id=x":                  "400 Invalid Request",
			"/2/tweets/search/recent?query=a&q=a":                         "400 Invalid Request",
			"/2/tweets/search/recent?query=a&user.fields=name,birth_date": "400 Invalid Request",
		} {
			status, in, _ := g.found(path)
			got := fmt.Sprint(status, " ", in.Title)
			if in.Title == "" && len(in.Errors) == 1 {
				got = fmt.Sprint(status, " ", in.Errors[0].Code)
			}
			if got != want {
				t.Errorf("%.70s: %s, want %s", path, got, want)
			}
		}
		for _, c := range []struct{ fault, v1, v2 string }{
			{"search 503 body json times 9", "503 130", "503 Service Unavailable"},
			{"search refuse times 9", "503 130", "503 Service Unavailable"},
			{"search 401 body json", "401 32", "401 Unauthorized"},
			{"search 403 body json", "403 220", "403 Forbidden"},
			{"search 429 reset 10m", "429 88", "429 Too Many Requests"},
		} {
			for path, want := range map[string]string{"/1.1/search/tweets.json?q=go+" + url.QueryEscape(c.fault): c.v1, "/2/tweets/search/recent?query=rust+" + url.QueryEscape(c.fault): c.v2} {
				if err := fake.Do(c.fault); err != nil {
					t.Fatal(err)
				}
				status, in, limits := g.found(path)
				got := fmt.Sprint(status, " ", in.Title)
				if in.Title == "" && len(in.Errors) == 1 {
					got = fmt.Sprint(status, " ", in.Errors[0].Code)
				}
				if got != want || status == 429 && (limits["remaining"] != "0" || limits["reset"] == "") {
					t.Errorf("%s, %s: %s, want %s; %v", c.fault, path, got, want, limits)
				}
				if err := fake.Do("search open"); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour)
			}
		}
		none := newGate(t)
		for path, want := range map[string]int{"/1.1/search/tweets.json?q=a": 501, "/2/tweets/search/recent?query=a": 501} {
			if status, _, _ := none.found(path); status != want {
				t.Errorf("%s without a search: %d", path, status)
			}
		}
	})
}
