package sim

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
)

// result is an answer of the REST API.
type result struct {
	status int
	header http.Header
	body   string
	page   struct {
		Statuses []struct {
			ID   string `json:"id_str"`
			Text string `json:"full_text"`
		}
		Metadata struct {
			Next  string `json:"next_results"`
			MaxID string `json:"max_id_str"`
		} `json:"search_metadata"`
	}
}

// search asks with OAuth 1.0a, or with a bearer token.
func (w *world) search(query, bearer string) (r result) {
	w.t.Helper()
	transport := &http.Transport{DialContext: w.pipe.dial, DisableKeepAlives: true}
	client := signer(Credentials{}, transport)
	req, _ := http.NewRequest("GET", "http://api.sim.example"+searchPath+"?"+query, nil)
	if bearer != "" {
		client = &http.Client{Transport: transport}
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	resp, err := client.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var from io.Reader = resp.Body
	if resp.Header.Get("Content-Encoding") == "gzip" {
		if from, err = gzip.NewReader(from); err != nil {
			w.t.Fatal(err)
		}
	}
	b, _ := io.ReadAll(from)
	r = result{status: resp.StatusCode, header: resp.Header, body: string(b)}
	if r.status == http.StatusOK {
		if err := json.Unmarshal(b, &r.page); err != nil && strings.HasPrefix(r.body, "{") {
			w.t.Fatalf("%v in %s", err, b)
		}
	}
	return r
}

func (r result) texts() string {
	var out []string
	for _, s := range r.page.Statuses {
		out = append(out, s.Text)
	}
	return strings.Join(out, "|")
}

func TestSearchFinds(t *testing.T) {
	inTime(t, Config{}, func(t *testing.T, w *world) {
		var ids []string
		for i, text := range []string{"qblue qmoon", "qred qmoon rising", "qred qsun", "a #qblue qsun & more", "blå sol"} {
			d := Draft{Text: text, Author: []string{"ann", "bob"}[i%2]}
			if i == 4 {
				d.Lang = "sv"
			}
			ids = append(ids, w.Post(d).ID)
			time.Sleep(time.Hour)
		}
		w.Delete(ids[0])
		for query, want := range map[string]string{
			"q=qmoon":                      "qred qmoon rising",
			"q=qred":                       "qred qsun|qred qmoon rising",
			"q=qred+qsun":                  "qred qsun",
			"q=qred+-qmoon":                "qred qsun",
			"q=qblue+OR+qred":              "a #qblue qsun &amp; more|qred qsun|qred qmoon rising",
			"q=%22qsun+qred%22+from:@ann":  "qred qsun",
			"q=qsun+from:bob":              "a #qblue qsun &amp; more",
			"q=qsun+filter:links":          "a #qblue qsun &amp; more|qred qsun",
			"q=bl%C3%A5&lang=sv":           "blå sol",
			"q=bl%C3%A5&lang=en":           "",
			"q=qsun&count=1":               "a #qblue qsun &amp; more",
			"q=qsun&max_id=" + ids[2]:      "qred qsun",
			"q=qsun&since_id=" + ids[2]:    "a #qblue qsun &amp; more",
			"q=qred&until=2000-01-01":      "",
			"q=qred&until=2000-01-02":      "qred qsun|qred qmoon rising",
			"q=qred&unknown=1&locale=ja":   "qred qsun|qred qmoon rising",
			"q=qred&tweet_mode=extended":   "qred qsun|qred qmoon rising",
			"q=nothing+at+all+like+this+x": "",
		} {
			if got := w.search(query, ""); got.status != 200 || got.texts() != want {
				t.Errorf("%s: %d %q, want %q", query, got.status, got.texts(), want)
			}
		}
	})
}

// A walk by next_results as the real one gives it meets every post once.
func TestSearchPaging(t *testing.T) {
	inTime(t, Config{}, func(t *testing.T, w *world) {
		for i := range 25 {
			w.Post(Draft{Text: fmt.Sprint("page post ", i)})
		}
		next, got := "?q=page+post&count=10", 0
		for pages := 1; next != ""; pages++ {
			r := w.search(next[1:], "")
			for _, s := range r.page.Statuses {
				if want := fmt.Sprint("page post ", 24-got); s.Text != want {
					t.Fatalf("post %d is %q", got, s.Text)
				}
				got++
			}
			if r.page.Metadata.MaxID != r.page.Statuses[0].ID {
				t.Errorf("max_id_str %s of page %d", r.page.Metadata.MaxID, pages)
			}
			if next = r.page.Metadata.Next; next != "" {
				v, _ := url.ParseQuery(next[1:])
				low, _ := strconv.ParseUint(r.page.Statuses[9].ID, 10, 64)
				if v.Get("max_id") != strconv.FormatUint(low-1, 10) {
					t.Errorf("next_results %s under %d", next, low)
				}
			}
		}
		if got != 25 {
			t.Errorf("%d posts", got)
		}
	})
}

// The posts of the corpus are found too, whole ones in the extended form.
func TestSearchCorpus(t *testing.T) {
	inTime(t, Config{Seed: 1}, func(t *testing.T, w *world) {
		r := w.search("q=go&count=100", "")
		if len(r.page.Statuses) < 20 {
			t.Fatalf("%d posts", len(r.page.Statuses))
		}
		for _, no := range []string{`"extended_tweet"`, `"filter_level"`, `"timestamp_ms"`, `"truncated":true`} {
			if strings.Contains(r.body, no) {
				t.Errorf("the extended form has %s", no)
			}
		}
	})
}

func TestSearchBudgets(t *testing.T) {
	inTime(t, Config{SearchLimit: 3, SearchAppLimit: 2, SearchWindow: time.Minute}, func(t *testing.T, w *world) {
		token := w.BearerToken()
		for _, pool := range []struct {
			token string
			limit int
		}{{"", 3}, {token, 2}} {
			for n := range pool.limit + 1 {
				r := w.search("q=x", pool.token)
				left := max(pool.limit-n-1, 0)
				reset, _ := strconv.ParseInt(r.header.Get("x-rate-limit-reset"), 10, 64)
				if over := n == pool.limit; over != (r.status == 429) || over != strings.Contains(r.body, `"code":88`) ||
					r.header.Get("x-rate-limit-limit") != fmt.Sprint(pool.limit) || r.header.Get("x-rate-limit-remaining") != fmt.Sprint(left) || time.Until(time.Unix(reset, 0)) > time.Minute {
					t.Errorf("request %d of %d: %d %s %v", n+1, pool.limit, r.status, r.body, r.header)
				}
			}
		}
		time.Sleep(time.Minute)
		if r := w.search("q=x", ""); r.status != 200 || r.header.Get("x-rate-limit-remaining") != "2" {
			t.Errorf("the next window: %d %v", r.status, r.header)
		}
		if s := w.Stats(); s.Searches != 8 || s.Pages != 6 || s.OverLimit != 2 {
			t.Errorf("%+v", s)
		}
	})
}

func TestSearchRefuses(t *testing.T) {
	inTime(t, Config{}, func(t *testing.T, w *world) {
		token := w.BearerToken()
		for _, test := range []struct {
			query, bearer string
			status, code  int
		}{
			{"", token, 400, 25}, {"q=+", token, 400, 25}, {"q=x&count=0", token, 400, 195}, {"q=x&until=soon", token, 400, 195},
			{"q=x&max_id=-1", token, 400, 195}, {"q=x&result_type=best", token, 400, 195}, {"q=" + strings.Repeat("x", 501), token, 403, 195},
			{"q=x", "wrong", 401, 89}, {"q=x", strings.ReplaceAll(token, "%2F", "/"), 401, 89},
		} {
			if r := w.search(test.query, test.bearer); r.status != test.status || !strings.Contains(r.body, fmt.Sprintf(`"code":%d`, test.code)) {
				t.Errorf("%.40q: %d %s", test.query, r.status, r.body)
			}
		}
		w.RevokeBearer()
		if r := w.search("q=x", token); r.status != 401 || w.BearerToken() == token {
			t.Errorf("a revoked token: %d", r.status)
		}
	})
}

func TestSearchFaults(t *testing.T) {
	inTime(t, Config{Faults: MustFaults(`
		after 1 search  search 503 body json
		after 1 search  search 429 body json reset 30s
		after 1 search  search 429 body html
		after 1 search  search 200 body html times 2
		after 1 search  search delay 3s
		after 2 searches search 500 body empty for 1m`)}, func(t *testing.T, w *world) {
		var got []string
		for range 20 {
			began := time.Now()
			r := w.search("q=x", "")
			said := fmt.Sprint(r.status)
			if i := strings.Index(r.body, `"code":`); i >= 0 && r.status != 200 {
				said += "/" + strings.TrimFunc(r.body[i+7:i+10], func(r rune) bool { return r < '0' || r > '9' })
			}
			if strings.HasPrefix(r.body, "<html") {
				said += "/html"
			}
			if took := time.Since(began); took > 0 {
				said += "/" + took.String()
			}
			if r.header.Get("x-rate-limit-remaining") == "" {
				said += "/bare"
			}
			got = append(got, said)
			if r.status == 429 {
				time.Sleep(30 * time.Second)
			}
			if r.status == 500 {
				time.Sleep(time.Minute)
			}
		}
		want := "200 503/130 200 429/88 200 429/html/bare 200 200/html 200/html 200 200/3s 200 500 200"
		if s := strings.Join(got, " "); !strings.HasPrefix(s, want) {
			t.Errorf("got  %s\nwant %s", s, want)
		}
	})
	for script, says := range map[string]string{
		"search":              "a search meets",
		"search 99":           "a search meets",
		"search slowly":       "a search meets",
		"search delay":        "need a duration",
		"search 503 body pdf": "a body is",
		"after 2 pages drop":  "after 3 searches",
	} {
		if _, err := ParseFaults(script); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v does not say %q", script, err, says)
		}
	}
}

func TestToken(t *testing.T) {
	s, base := overTCP(t, Config{})
	for _, test := range []struct {
		user, password, form string
		status               int
		says                 string
	}{
		{"sim-consumer-key", "sim-consumer-secret-not-a-secret", "grant_type=client_credentials", 200, `{"token_type":"bearer","access_token":"` + s.BearerToken() + `"}`},
		{"sim-consumer-key", "wrong", "grant_type=client_credentials", 403, `"code":99`},
		{"sim-consumer-key", "sim-consumer-secret-not-a-secret", "grant_type=password", 403, `"code":170`},
	} {
		r, _ := http.NewRequest("POST", base+tokenPath, strings.NewReader(test.form))
		r.SetBasicAuth(test.user, test.password)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != test.status || !strings.Contains(string(body), test.says) {
			t.Errorf("%s %s: %d %s", test.password, test.form, resp.StatusCode, body)
		}
	}
	resp, err := http.Get(base + tokenPath)
	if err != nil || resp.StatusCode != 405 {
		t.Errorf("GET: %v %v", resp, err)
	}
	_ = resp.Body.Close()
}
